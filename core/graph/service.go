package graph

import (
	"context"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// Limits of lists, as clients know them.
const (
	maxGraphs   = 250
	maxVersions = 50
	// maxSubGraphs bounds the graphs that one graph may pull in.
	maxSubGraphs = 500
	// maxVersionNumber is the highest version number that clients may ask for or
	// start from, with room below what the database holds.
	maxVersionNumber = 1 << 30
	// cachedVersions bounds the versions kept in memory. They never change, so
	// the cache needs no expiry, only room.
	cachedVersions = 500
)

// Library is the users' list of agents, as far as graphs need it.
type Library interface {
	// Added puts saved graphs into the owner's library.
	Added(tx *gorm.DB, userID string, main Header, subs []Header) error
	// Moved makes the owner's library row follow a new version.
	Moved(tx *gorm.DB, userID, graphID string, version int) error
	// Removed takes a graph out of the owner's library.
	Removed(tx *gorm.DB, userID, graphID string) error
	// Entry tells what the user has of a graph.
	Entry(ctx context.Context, userID, graphID string, version int) (Entry, error)
	// SetSettings changes them; false when the graph is not in their library.
	SetSettings(ctx context.Context, userID, graphID string, s Settings) (bool, error)
}

// Entry is what a user has of a graph in their library: the very version that
// was asked for, any version, and their settings, which are the defaults when
// they have none.
type Entry struct {
	Exact, Some bool
	Settings    Settings
}

// Credentials tells which credentials a user has.
type Credentials interface {
	Find(ctx context.Context, userID, id string) (*core.CredentialRef, error)
}

// Triggers are what starts graphs from outside.
type Triggers interface {
	// GraphGoes removes those of a graph, inside the transaction that deletes it.
	GraphGoes(ctx context.Context, tx *gorm.DB, userID, graphID string) error
	// Adopt makes a trigger of a node of a graph that is being saved, inside the
	// transaction. It does nothing when the webhook is not the user's.
	Adopt(tx *gorm.DB, userID string, g *Loaded, node *Node, webhookID string) error
}

// Service is the room's front door.
type Service struct {
	store       store
	db          *db.DB
	registry    *core.Registry
	validator   Validator
	library     Library
	credentials Credentials
	cache       *lru.Cache[versionKey, *Version]
	// BeforeDelete, when set, is called before a graph's versions go, to stop
	// what runs on them.
	BeforeDelete func(ctx context.Context, userID, graphID string) error
	// Triggers, when set, are told of webhooks at nodes of older agents, and of
	// graphs that go.
	Triggers Triggers
}

type versionKey struct {
	id      string
	version int
}

// New makes the service.
func New(d *db.DB, registry *core.Registry, library Library, credentials Credentials) *Service {
	cache, _ := lru.New[versionKey, *Version](cachedVersions)
	return &Service{
		store: store{d}, db: d, registry: registry, validator: Validator{registry},
		library: library, credentials: credentials, cache: cache,
	}
}

// Validator checks graphs for a run.
func (s *Service) Validator() Validator { return s.validator }

func notFound(id string) error {
	return core.PlainErrorf(core.NotFound, "Graph #%s not found.", id)
}

// List gives the newest active versions of the user's graphs, at most 250.
func (s *Service) List(ctx context.Context, userID string) ([]Meta, error) {
	rows, err := s.store.activeMetas(ctx, userID, maxGraphs)
	if err != nil {
		return nil, err
	}
	list := make([]Meta, len(rows))
	for i := range rows {
		list[i] = rows[i].meta()
	}
	return list, nil
}

// Get gives a graph that the user may see, with its sub-graphs; version 0 is
// the highest. For an export, secrets and ids of the owner are left out.
func (s *Service) Get(ctx context.Context, userID, id string, version int, forExport bool) (*Model, error) {
	v, err := s.find(ctx, id, version)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, notFound(id)
	}
	readable, err := s.mayRead(ctx, userID, v, version)
	if err != nil {
		return nil, err
	}
	if !readable {
		return nil, notFound(id)
	}
	loaded, err := s.withSubGraphs(ctx, v)
	if err != nil {
		return nil, err
	}
	return s.model(loaded, forExport), nil
}

// Readable gives a version that the user may see, with its sub-graphs; version 0
// is the highest. It is nil when there is none for them.
func (s *Service) Readable(ctx context.Context, userID, id string, version int) (*Loaded, error) {
	v, err := s.find(ctx, id, version)
	if v == nil || err != nil {
		return nil, err
	}
	if ok, err := s.mayRead(ctx, userID, v, version); !ok || err != nil {
		return nil, err
	}
	return s.withSubGraphs(ctx, v)
}

// Hold reports, inside a transaction, whether there is a version of a graph. Until
// the transaction ends, it is not deleted.
func (s *Service) Hold(tx *gorm.DB, id string, version int) (bool, error) {
	var versions []int
	err := tx.Model(&row{}).Clauses(clause.Locking{Strength: clause.LockingStrengthShare}).
		Where("id = ? AND version = ?", id, version).Pluck("version", &versions).Error
	if err != nil {
		return false, fmt.Errorf("holding graph: %w", err)
	}
	return len(versions) > 0, nil
}

// mayRead: owners see their graphs, others what they have in their library.
func (s *Service) mayRead(ctx context.Context, userID string, v *Version, asked int) (bool, error) {
	if v.UserID == userID {
		return true, nil
	}
	entry, err := s.library.Entry(ctx, userID, v.ID, v.Header.Version)
	return entry.Exact || entry.Some && asked == 0, err
}

// Versions gives the user's versions of a graph, newest first, at most 50.
func (s *Service) Versions(ctx context.Context, userID, id string) ([]*Model, error) {
	rows, err := s.store.versions(ctx, userID, id, maxVersions)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFound(id)
	}
	list := make([]*Model, len(rows))
	for i := range rows {
		list[i] = s.model(&Loaded{Version: rows[i].version()}, false)
	}
	return list, nil
}

// Load gives a version with its sub-graphs, without asking who wants it. It is
// nil when there is none.
func (s *Service) Load(ctx context.Context, id string, version int) (*Loaded, error) {
	v, err := s.find(ctx, id, version)
	if v == nil || err != nil {
		return nil, err
	}
	return s.withSubGraphs(ctx, v)
}

// find gives a stored version. Its content never changes and is cached; that
// it still exists, and is active, is looked up each time, since another process
// may have changed that.
func (s *Service) find(ctx context.Context, id string, version int) (*Version, error) {
	stamp, err := s.store.stamp(ctx, id, version)
	if stamp == nil || err != nil {
		return nil, err
	}
	key := versionKey{id, stamp.Version}
	v, ok := s.cache.Get(key)
	if !ok {
		r, err := s.store.version(ctx, id, stamp.Version)
		if r == nil || err != nil {
			return nil, err
		}
		v = r.version()
		s.cache.Add(key, v)
	}
	if v.IsActive != stamp.IsActive {
		fresh := *v
		fresh.IsActive = stamp.IsActive
		v = &fresh
		s.cache.Add(key, v)
	}
	return v, nil
}

// withSubGraphs follows agent nodes breadth-first to graphs of the same owner.
func (s *Service) withSubGraphs(ctx context.Context, top *Version) (*Loaded, error) {
	loaded := &Loaded{Version: top}
	seen := map[string]bool{top.ID: true}
	queue := []*Version{top}
	for len(queue) > 0 {
		g := queue[0]
		queue = queue[1:]
		for _, n := range g.Nodes {
			id, _ := n.InputDefault["graph_id"].(string)
			version, _ := core.Number(n.InputDefault["graph_version"])
			if n.BlockID != AgentBlockID || id == "" || seen[id] {
				continue
			}
			if len(loaded.SubGraphs) >= maxSubGraphs {
				return nil, core.Errorf(core.Invalid, "graph #%s uses more than %d other graphs", top.ID, maxSubGraphs)
			}
			seen[id] = true
			sub, err := s.find(ctx, id, int(version))
			if err != nil {
				return nil, err
			}
			if sub != nil && sub.UserID == top.UserID {
				loaded.SubGraphs = append(loaded.SubGraphs, sub)
				queue = append(queue, sub)
			}
		}
	}
	return loaded, nil
}

// Delete removes every version of the user's graph and says how many there
// were. What runs on it is stopped first.
func (s *Service) Delete(ctx context.Context, userID, id string) (int, error) {
	if s.BeforeDelete != nil {
		if err := s.BeforeDelete(ctx, userID, id); err != nil {
			return 0, fmt.Errorf("stopping runs of the graph: %w", err)
		}
	}
	count := 0
	err := s.db.Tx(ctx, func(tx *gorm.DB) error {
		var err error
		if count, err = s.store.delete(tx, userID, id); err != nil || count == 0 {
			return err
		}
		if s.Triggers != nil {
			if err := s.Triggers.GraphGoes(ctx, tx, userID, id); err != nil {
				return err
			}
		}
		return s.library.Removed(tx, userID, id)
	})
	if err != nil {
		return 0, fmt.Errorf("deleting graph: %w", err)
	}
	return count, nil
}

// SetActive makes a version the active one.
func (s *Service) SetActive(ctx context.Context, userID, id string, version int) error {
	v, err := s.find(ctx, id, version)
	if err != nil {
		return err
	}
	if v == nil || v.UserID != userID || version < 1 {
		return core.PlainErrorf(core.NotFound, "Graph #%s v%d not found", id, version)
	}
	loaded, err := s.withSubGraphs(ctx, v)
	if err != nil {
		return err
	}
	if _, err := s.goneCredentials(ctx, userID, loaded.All()); err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := s.store.activate(tx, userID, id, version); err != nil {
			return err
		}
		return s.library.Moved(tx, userID, id, version)
	})
	if err != nil {
		return fmt.Errorf("activating version: %w", err)
	}
	return nil
}

// SetSettings replaces the user's choices for a graph in their library.
func (s *Service) SetSettings(ctx context.Context, userID, id string, settings Settings) error {
	ok, err := s.library.SetSettings(ctx, userID, id, settings)
	if err == nil && !ok {
		return core.PlainErrorf(core.NotFound, "Graph #%s not found in user's library", id)
	}
	return err
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
