package builder

import "context"

// Store is the marketplace, as far as the menu needs it.
type Store interface {
	// Find gives the agents that match a query, best first and at most limit, and
	// says how many there are. An empty query matches all; creators, if there are
	// any, leave only their agents.
	Find(ctx context.Context, query string, creators []string, limit int) ([]StoreAgent, int, error)
	// Count says how many agents there are.
	Count(ctx context.Context) (int, error)
}

// StoreAgent is an agent of the marketplace in lists.
type StoreAgent struct {
	Slug          string  `json:"slug"`
	AgentName     string  `json:"agent_name"`
	AgentImage    string  `json:"agent_image"`
	Creator       string  `json:"creator"`
	CreatorAvatar string  `json:"creator_avatar"`
	SubHeading    string  `json:"sub_heading"`
	Description   string  `json:"description"`
	Runs          int     `json:"runs"`
	Rating        float64 `json:"rating"`
	AgentGraphID  string  `json:"agent_graph_id"`
}
