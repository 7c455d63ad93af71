package builder

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/execution"
	"agentserver/core/library"
)

const (
	// maxFound is how many agents of a library, and of the marketplace, a search
	// ranks.
	maxFound = 500
	// maxCreators is how many creators a search can be limited to, and maxCreator
	// how many bytes the name of each can have.
	maxCreators, maxCreator = 50, 200
	// plainScore is what blocks have when nothing is searched for, and what goes
	// before the score of those that are found.
	plainScore = 50
	// modelScore is for blocks that offer a model of the name.
	modelScore = 20
)

// The filters of a search, as clients name them.
const (
	filterBlocks       = "blocks"
	filterIntegrations = "integrations"
	filterMarketplace  = "marketplace_agents"
	filterMine         = "my_agents"
)

var filters = []string{filterBlocks, filterIntegrations, filterMarketplace, filterMine}

// Query is a search.
type Query struct {
	// Text is what the user typed. The blanks around it and what comes after 100
	// characters do not count.
	Text string
	// Filters say what to look for; none means everything.
	Filters []string
	// Creators, if there are any, are those whose agents of the marketplace to
	// look for, at most 50, with names of up to 200 bytes.
	Creators []string
	// SearchID is the id of the user's search with which this one goes on, or "".
	SearchID string
	// Page counts from 1. A page has Size items, at most [MaxPageSize].
	Page, Size int
}

// Results is a page of what was found.
type Results struct {
	Items    []Item `json:"items"`
	SearchID string `json:"search_id"`
	// TotalItems counts what was found, Pagination what can be paged through: not
	// more than 500 agents of a library and of the marketplace.
	TotalItems Totals               `json:"total_items"`
	Pagination execution.Pagination `json:"pagination"`
}

// Totals counts what was found of each kind.
type Totals struct {
	Blocks            int `json:"blocks"`
	Integrations      int `json:"integrations"`
	MarketplaceAgents int `json:"marketplace_agents"`
	MyAgents          int `json:"my_agents"`
}

// Item is a *[Block], a *[library.Agent] or a *[StoreAgent], and so as JSON.
type Item struct{ Value any }

// MarshalJSON is that of the value.
func (i Item) MarshalJSON() ([]byte, error) { return core.JSON(i.Value) }

// hit is something that was found. Of an agent of the library it has the id.
type hit struct {
	score       float64
	key, filter string
	value       any
}

// Search finds blocks, agents of the user and agents of the marketplace, best
// first, and remembers the search.
func (s *Service) Search(ctx context.Context, userID string, q Query) (*Results, error) {
	if err := q.tidy(); err != nil {
		return nil, err
	}
	hits, totals, err := s.find(ctx, userID, &q)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.key, b.key), cmp.Compare(a.filter, b.filter))
	})
	page, pagination := paged(hits, q.Page, q.Size)
	items, err := s.items(ctx, userID, page)
	if err != nil {
		return nil, err
	}
	id, err := s.history.remember(ctx, userID, q)
	if err != nil {
		return nil, err
	}
	return &Results{Items: items, SearchID: id, TotalItems: totals, Pagination: pagination}, nil
}

// tidy leaves of a query what counts, or says what is wrong with it.
func (q *Query) tidy() error {
	text := []rune(strings.TrimSpace(db.Clean(q.Text)))
	q.Text = string(text[:min(len(text), maxQuery)])
	var unknown []string
	for _, f := range q.Filters {
		if !slices.Contains(filters, f) {
			unknown = append(unknown, f)
		}
	}
	if len(unknown) > 0 {
		return core.PlainErrorf(core.Invalid, "Invalid filter value(s): %s. Valid values are: %s", strings.Join(unknown, ", "), strings.Join(filters, ", "))
	}
	tooLong := func(name string) bool { return len(name) > maxCreator }
	if len(q.Creators) > maxCreators || slices.ContainsFunc(q.Creators, tooLong) {
		return core.PlainErrorf(core.Invalid, "A search takes at most %d creators, with names of at most %d bytes", maxCreators, maxCreator)
	}
	return nil
}

func (q *Query) wants(filter string) bool {
	return len(q.Filters) == 0 || slices.Contains(q.Filters, filter)
}

// find gives everything that matches, in no order.
func (s *Service) find(ctx context.Context, userID string, q *Query) ([]hit, Totals, error) {
	var totals Totals
	x, err := s.index()
	if err != nil {
		return nil, totals, err
	}
	score := newScorer(strings.ToLower(q.Text))
	hits := x.find(score, q, &totals)
	if q.wants(filterMine) {
		found, total, err := s.library.Find(ctx, userID, library.Query{Term: q.Text, Limit: maxFound})
		if err != nil {
			return nil, totals, err
		}
		totals.MyAgents = total
		for i := range found {
			if ctx.Err() != nil {
				return nil, totals, ctx.Err() // nobody waits for what is long to compare
			}
			hits = append(hits, score.mine(&found[i]))
		}
	}
	if q.wants(filterMarketplace) && s.Store != nil {
		found, total, err := s.Store.Find(ctx, q.Text, q.Creators, maxFound)
		if err != nil {
			return nil, totals, fmt.Errorf("searching marketplace: %w", err)
		}
		totals.MarketplaceAgents = total
		for i := range found {
			if h := score.offered(&found[i]); q.Text == "" || h.score >= minScore {
				hits = append(hits, h)
			} else {
				totals.MarketplaceAgents--
			}
		}
	}
	return hits, totals, nil
}

// find gives the blocks that match. One with credentials is an integration.
func (x *index) find(score *scorer, q *Query, totals *Totals) []hit {
	var hits []hit
	for _, b := range x.listed {
		filter, total := filterBlocks, &totals.Blocks
		if b.integration {
			filter, total = filterIntegrations, &totals.Integrations
		}
		if !q.wants(filter) {
			continue
		}
		points := score.block(b)
		if score.query != "" && points < minScore {
			continue
		}
		*total++
		hits = append(hits, hit{points + plainScore, b.name, filter, b})
	}
	return hits
}

func (s *scorer) block(b *Block) float64 {
	if s.query == "" {
		return 0
	}
	points := s.primary(b.name, b.text)
	if s.model != "" && strings.Contains(b.models, s.model) {
		points += modelScore
	}
	return points
}

// mine scores an agent of the library. It was found because the text is in it,
// so it has what it needs even when that place is not compared.
func (s *scorer) mine(a *library.Found) hit {
	h := hit{0, strings.ToLower(a.Name), filterMine, a.ID}
	if s.query != "" {
		points := s.primary(h.key, strings.ToLower(a.Description)) + s.extra(strings.ToLower(a.Instructions), 15, 6) +
			s.extra(strings.ToLower(a.CreatorName), 10, 5)
		h.score = max(points, minScore)
	}
	return h
}

// offered scores an agent of the marketplace.
func (s *scorer) offered(a *StoreAgent) hit {
	h := hit{0, strings.ToLower(a.AgentName), filterMarketplace, a}
	if s.query != "" {
		h.score = s.primary(h.key, cut(strings.ToLower(a.Description))) + s.extra(cut(strings.ToLower(a.SubHeading)), 12, 6) +
			s.extra(strings.ToLower(a.Creator), 10, 5)
	}
	return h
}

// items gives what clients see of hits. Agents that have left the library since
// they were found are left out.
func (s *Service) items(ctx context.Context, userID string, hits []hit) ([]Item, error) {
	var ids []string
	for _, h := range hits {
		if id, mine := h.value.(string); mine {
			ids = append(ids, id)
		}
	}
	agents, err := s.library.Agents(ctx, userID, ids)
	if err != nil {
		return nil, err
	}
	items := []Item{}
	for _, h := range hits {
		id, mine := h.value.(string)
		if !mine {
			items = append(items, Item{h.value})
		} else if a, there := agents[id]; there {
			items = append(items, Item{&a})
		}
	}
	return items, nil
}
