package graph

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

// Create saves a new graph of the user, with its sub-graphs, under new ids.
func (s *Service) Create(ctx context.Context, userID string, g Graph) (*Model, error) {
	if err := tidy(&g); err != nil {
		return nil, err
	}
	repairAgentNodes(s.registry, &g)
	reassign(&g, userID, true)
	loaded, err := s.prepare(ctx, userID, &g)
	if err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		subs := make([]Header, len(g.SubGraphs))
		for i := range g.SubGraphs {
			subs[i] = g.SubGraphs[i].Header
		}
		for _, b := range allBase(&g) {
			if err := tx.Create(toRow(b, userID, loaded.CreatedAt)).Error; err != nil {
				return err
			}
		}
		if err := s.library.Added(tx, userID, g.Header, subs); err != nil {
			return err
		}
		return s.adoptWebhooks(tx, userID, loaded)
	})
	if err != nil {
		return nil, fmt.Errorf("saving graph: %w", err)
	}
	return s.model(loaded, false), nil
}

// adoptWebhooks hands over the webhooks that came with the nodes of a graph.
func (s *Service) adoptWebhooks(tx *gorm.DB, userID string, g *Loaded) error {
	if s.Triggers == nil {
		return nil
	}
	for i := range g.Nodes {
		if id := g.Nodes[i].webhookID; id != "" {
			if err := s.Triggers.Adopt(tx, userID, g, &g.Nodes[i], id); err != nil {
				return err
			}
		}
	}
	return nil
}

// tidy brings headers into a form that can be stored, and refuses what cannot
// be: versions out of range and graphs that come twice.
func tidy(g *Graph) error {
	seen := map[string]bool{}
	for _, b := range allBase(g) {
		b.ID, b.Name, b.Description = db.Clean(b.ID), db.Clean(b.Name), db.Clean(b.Description)
		for _, text := range []*string{b.Instructions, b.RecommendedScheduleCron, b.ForkedFromID} {
			if text != nil {
				*text = db.Clean(*text)
			}
		}
		b.Version = max(b.Version, 1)
		if b.Version > maxVersionNumber || b.ForkedFromVersion != nil && (*b.ForkedFromVersion < 0 || *b.ForkedFromVersion > maxVersionNumber) {
			return core.Errorf(core.Invalid, "versions go up to %d", maxVersionNumber)
		}
		if b.ID != "" && seen[b.ID] {
			return core.Errorf(core.Invalid, "graph #%s is given twice", b.ID)
		}
		seen[b.ID] = true
	}
	return nil
}

// Update saves the next version of the user's graph. An active body becomes
// the active version.
func (s *Service) Update(ctx context.Context, userID, id string, g Graph) (*Model, error) {
	if g.ID != id {
		return nil, core.PlainErrorf(core.Invalid, "Graph ID does not match ID in URI")
	}
	existing, err := s.store.version(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	if existing == nil || existing.UserID != userID {
		return nil, notFound(id)
	}
	if err := tidy(&g); err != nil {
		return nil, err
	}
	repairAgentNodes(s.registry, &g)
	reassign(&g, userID, false)
	if err := s.adoptSubGraphs(ctx, userID, &g); err != nil {
		return nil, err
	}
	loaded, err := s.prepare(ctx, userID, &g)
	if err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(tx *gorm.DB) error { return s.saveVersion(tx, userID, &g, loaded) })
	if err != nil {
		return nil, fmt.Errorf("saving graph: %w", err)
	}
	return s.Get(ctx, userID, id, g.Version, false)
}

// saveVersion writes the next version of a graph and of the sub-graphs that
// came with it. Agent nodes keep pointing at the sub-graph versions that are
// saved with them.
func (s *Service) saveVersion(tx *gorm.DB, userID string, g *Graph, loaded *Loaded) error {
	subVersions := map[string]int{}
	for i := range g.SubGraphs {
		sub := &g.SubGraphs[i]
		highest, owner, err := s.store.highest(tx, sub.ID)
		if err != nil {
			return err
		}
		if owner != "" && owner != userID {
			return core.Errorf(core.Forbidden, "sub-graph #%s belongs to someone else", sub.ID)
		}
		sub.Version = highest + 1
		subVersions[sub.ID] = sub.Version
	}
	highest, _, err := s.store.highest(tx, g.ID)
	if err != nil {
		return err
	}
	g.Version = highest + 1
	for _, b := range allBase(g) {
		for i := range b.Nodes {
			in := b.Nodes[i].InputDefault
			if sub, ok := in["graph_id"].(string); b.Nodes[i].BlockID == AgentBlockID && ok && subVersions[sub] > 0 {
				in["graph_version"] = subVersions[sub]
			}
		}
		if err := tx.Create(toRow(b, userID, loaded.CreatedAt)).Error; err != nil {
			return err
		}
	}
	if !g.IsActive {
		return nil
	}
	if err := s.store.activate(tx, userID, g.ID, g.Version); err != nil {
		return err
	}
	return s.library.Moved(tx, userID, g.ID, g.Version)
}

// adoptSubGraphs gives sub-graphs without an id, or with one that is someone
// else's, a new id.
func (s *Service) adoptSubGraphs(ctx context.Context, userID string, g *Graph) error {
	fresh := map[string]string{}
	for i := range g.SubGraphs {
		sub := &g.SubGraphs[i]
		existing, err := s.store.version(ctx, sub.ID, 0)
		if err != nil {
			return err
		}
		if sub.ID != "" && (existing == nil || existing.UserID == userID) {
			continue
		}
		id := newID()
		fresh[sub.ID], sub.ID = id, id
	}
	if len(fresh) == 0 {
		return nil
	}
	for _, b := range allBase(g) {
		for i := range b.Nodes {
			if old, ok := b.Nodes[i].InputDefault["graph_id"].(string); ok && fresh[old] != "" {
				b.Nodes[i].InputDefault["graph_id"] = fresh[old]
			}
		}
	}
	return nil
}

// prepare repairs and validates a graph that is to be saved.
func (s *Service) prepare(ctx context.Context, userID string, g *Graph) (*Loaded, error) {
	at := now()
	versions := make([]*Version, 0, 1+len(g.SubGraphs))
	for _, b := range allBase(g) {
		repairModels(s.registry, b.Nodes)
		if err := s.validator.Structure(b.Nodes, b.Links); err != nil {
			return nil, err
		}
		v := (&Version{Header: b.Header, UserID: userID, CreatedAt: at, Nodes: b.Nodes, Links: b.Links}).index()
		if err := s.validator.Nodes(v, false, nil).firstError(v); err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	gone, err := s.goneCredentials(ctx, userID, versions)
	if err != nil {
		return nil, err
	}
	for _, m := range gone {
		m.node.InputDefault[m.field] = map[string]any{}
	}
	return &Loaded{Version: versions[0], SubGraphs: versions[1:]}, nil
}

// member is an input of a node.
type member struct {
	node  *Node
	field string
}

// goneCredentials makes sure that credentials stored in nodes are the user's.
// It gives the fields with ones that are gone and may be left out. It changes
// nothing.
func (s *Service) goneCredentials(ctx context.Context, userID string, graphs []*Version) ([]member, error) {
	var gone []member
	for _, g := range graphs {
		for i := range g.Nodes {
			n := &g.Nodes[i]
			block, known := s.registry.Block(n.BlockID)
			if !known {
				continue
			}
			for _, f := range block.Spec().Fields() {
				ref, _ := n.InputDefault[f.Name].(map[string]any)
				id, _ := ref["id"].(string)
				if f.Credentials == nil || id == "" {
					continue
				}
				found, err := s.credentials.Find(ctx, userID, id)
				if err != nil {
					return nil, fmt.Errorf("looking up credentials: %w", err)
				}
				if found != nil {
					continue
				}
				if optional, _ := n.Metadata["credentials_optional"].(bool); f.Required && !optional {
					return nil, core.Errorf(core.Invalid, "Node #%s input '%s' updated with non-existent credentials #%s", n.ID, f.Name, id)
				}
				gone = append(gone, member{n, f.Name})
			}
		}
	}
	return gone, nil
}

func allBase(g *Graph) []*BaseGraph {
	list := []*BaseGraph{&g.BaseGraph}
	for i := range g.SubGraphs {
		list = append(list, &g.SubGraphs[i])
	}
	return list
}
