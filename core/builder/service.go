package builder

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/library"
)

// recentSearches is how many searches are suggested.
const recentSearches = 5

// suggestedProviders are offered before anyone has searched.
var suggestedProviders = []string{"twitter", "github", "notion", "google", "discord", "google_maps"}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Registry *core.Registry
	Library  *library.Service
	// Use counts, for each block, the runs of nodes that ended since a time.
	Use func(ctx context.Context, since time.Time) (map[string]int, error)
	Log *slog.Logger
	// Background ends with the platform.
	Background context.Context
}

// Service is the room's front door.
type Service struct {
	// Store, when set, is the marketplace.
	Store Store

	library *library.Service
	history history
	use     *use
	index   func() (*index, error)
}

// New makes the service. Blocks are looked at when they are first asked for,
// which a process without an API never does.
func New(d Deps) *Service {
	return &Service{
		library: d.Library, history: history{d.DB}, use: &use{count: d.Use, ctx: d.Background, log: d.Log},
		index: sync.OnceValues(func() (*index, error) { return newIndex(d.Registry) }),
	}
}

// Close waits for what goes on in the background, which ends with the context
// that the service was made with.
func (s *Service) Close() { s.use.stop() }

// Suggestions are what the menu shows first.
type Suggestions struct {
	RecentSearches []SearchEntry `json:"recent_searches"`
	Providers      []string      `json:"providers"`
	TopBlocks      []*Block      `json:"top_blocks"`
}

// Suggestions gives the user's latest searches, some providers, and the blocks
// that are used most on this platform.
func (s *Service) Suggestions(ctx context.Context, userID string) (*Suggestions, error) {
	x, err := s.index()
	if err != nil {
		return nil, err
	}
	recent, err := s.history.recent(ctx, userID, recentSearches)
	if err != nil {
		return nil, err
	}
	return &Suggestions{RecentSearches: recent, Providers: suggestedProviders, TopBlocks: x.top(s.use.latest(ctx))}, nil
}

// Counts says how many things there are to pick from.
type Counts struct {
	AllBlocks         int `json:"all_blocks"`
	InputBlocks       int `json:"input_blocks"`
	ActionBlocks      int `json:"action_blocks"`
	OutputBlocks      int `json:"output_blocks"`
	Integrations      int `json:"integrations"`
	MarketplaceAgents int `json:"marketplace_agents"`
	MyAgents          int `json:"my_agents"`
}

// Counts counts what a user can pick from.
func (s *Service) Counts(ctx context.Context, userID string) (*Counts, error) {
	x, err := s.index()
	if err != nil {
		return nil, err
	}
	c := &Counts{AllBlocks: len(x.listed)}
	for _, b := range x.listed {
		switch b.kind {
		case Input:
			c.InputBlocks++
		case Output:
			c.OutputBlocks++
		default:
			c.ActionBlocks++
		}
		if b.integration {
			c.Integrations++
		}
	}
	if c.MyAgents, err = s.library.Count(ctx, userID); err != nil {
		return nil, err
	}
	if s.Store != nil {
		if c.MarketplaceAgents, err = s.Store.Count(ctx); err != nil {
			return nil, fmt.Errorf("counting marketplace: %w", err)
		}
	}
	return c, nil
}
