package library_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/graph"
	"agentserver/core/library"
)

const (
	alice = "alice"
	bob   = "bob"
)

// shelf is the room with a database that can be looked into.
type shelf struct {
	*library.Service
	t *testing.T
	d *db.DB
}

func each(t *testing.T, fn func(s shelf)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(shelf{library.New(d), t, d}) })
}

func (s shelf) tx(fn func(tx *gorm.DB) error) {
	s.t.Helper()
	require.NoError(s.t, s.d.Tx(s.t.Context(), fn))
}

func (s shelf) add(userID string, main graph.Header, subs ...graph.Header) {
	s.t.Helper()
	s.tx(func(tx *gorm.DB) error { return s.Added(tx, userID, main, subs) })
}

func (s shelf) move(userID, graphID string, version int) {
	s.t.Helper()
	s.tx(func(tx *gorm.DB) error { return s.Moved(tx, userID, graphID, version) })
}

// settings gives a user's settings of a graph, and whether it is in their
// library.
func (s shelf) settings(userID, graphID string) (graph.Settings, bool, error) {
	s.t.Helper()
	entry, err := s.Entry(s.t.Context(), userID, graphID, 1)
	return entry.Settings, entry.Some, err
}

// has gives "exact", "some" or "none".
func (s shelf) has(userID, graphID string, version int) string {
	s.t.Helper()
	entry, err := s.Entry(s.t.Context(), userID, graphID, version)
	require.NoError(s.t, err)
	switch {
	case entry.Exact:
		require.True(s.t, entry.Some)
		return "exact"
	case entry.Some:
		return "some"
	}
	return "none"
}

func (s shelf) mark(column, graphID string) {
	s.t.Helper()
	require.NoError(s.t, s.d.Write.Exec("UPDATE library_agents SET "+column+" = ? WHERE graph_id = ?", true, graphID).Error)
}

func (s shelf) rows() int {
	s.t.Helper()
	var n int64
	require.NoError(s.t, s.d.Read.Table("library_agents").Count(&n).Error)
	return int(n)
}

func g(id string, version int) graph.Header { return graph.Header{ID: id, Version: version} }

func TestAdded(t *testing.T) {
	each(t, func(s shelf) {
		require.Equal(s.t, "none", s.has(alice, "a", 1))
		s.add(alice, g("a", 1), g("sub", 4))
		require.Equal(s.t, "exact", s.has(alice, "a", 1))
		require.Equal(s.t, "some", s.has(alice, "a", 2))
		require.Equal(s.t, "exact", s.has(alice, "sub", 4))
		require.Equal(s.t, "none", s.has(bob, "a", 1))

		for _, column := range []string{"is_deleted", "is_archived"} {
			s.mark(column, "a")
			require.Equal(s.t, "none", s.has(alice, "a", 1), column)
			s.add(alice, g("a", 1))
			require.Equal(s.t, "exact", s.has(alice, "a", 1), "adding again brings it back")
		}
		require.Equal(s.t, 2, s.rows())
	})
}

// What a failed save put into the library goes with it.
func TestAddedIsPartOfTheSave(t *testing.T) {
	each(t, func(s shelf) {
		failed := errors.New("the save failed")
		err := s.d.Tx(s.t.Context(), func(tx *gorm.DB) error {
			require.NoError(s.t, s.Added(tx, alice, g("a", 1), nil))
			return failed
		})
		require.ErrorIs(s.t, err, failed)
		require.Equal(s.t, "none", s.has(alice, "a", 1))
	})
}

func TestMoved(t *testing.T) {
	each(t, func(s shelf) {
		s.add(alice, g("a", 1))
		s.add(bob, g("a", 1))
		ok, err := s.SetSettings(s.t.Context(), alice, "a", graph.Settings{SensitiveActionSafeMode: true})
		require.NoError(s.t, err)
		require.True(s.t, ok)

		s.move(alice, "a", 2)
		require.Equal(s.t, "exact", s.has(alice, "a", 2))
		require.Equal(s.t, "some", s.has(alice, "a", 1))
		require.Equal(s.t, "exact", s.has(bob, "a", 1), "others stay where they are")
		settings, ok, err := s.settings(alice, "a")
		require.NoError(s.t, err)
		require.True(s.t, ok)
		require.Equal(s.t, graph.Settings{SensitiveActionSafeMode: true}, settings, "settings move along")

		s.move(alice, "a", 2)
		require.Equal(s.t, 2, s.rows())

		// A row is in the way at the version that another one moves to.
		s.add(alice, g("a", 3))
		s.move(alice, "a", 2)
		require.Equal(s.t, "exact", s.has(alice, "a", 2))
		require.Equal(s.t, 2, s.rows())

		s.move(alice, "new", 5)
		require.Equal(s.t, "exact", s.has(alice, "new", 5), "what is missing is added")
	})
}

func TestRemoved(t *testing.T) {
	each(t, func(s shelf) {
		s.add(alice, g("a", 1))
		s.add(alice, g("a", 2))
		s.add(alice, g("b", 1))
		s.add(bob, g("a", 1))
		s.tx(func(tx *gorm.DB) error { return s.Removed(tx, alice, "a") })
		require.Equal(s.t, "none", s.has(alice, "a", 1))
		require.Equal(s.t, "exact", s.has(alice, "b", 1))
		require.Equal(s.t, "exact", s.has(bob, "a", 1))
	})
}

func TestSettings(t *testing.T) {
	each(t, func(s shelf) {
		ctx := context.Background()
		get := func(userID string) (graph.Settings, bool) {
			settings, ok, err := s.settings(userID, "a")
			require.NoError(s.t, err)
			return settings, ok
		}
		set := func(userID string, settings graph.Settings) bool {
			ok, err := s.SetSettings(ctx, userID, "a", settings)
			require.NoError(s.t, err)
			return ok
		}
		_, ok := get(alice)
		require.False(s.t, ok)
		require.False(s.t, set(alice, graph.Settings{}))

		s.add(alice, g("a", 1))
		settings, ok := get(alice)
		require.True(s.t, ok)
		require.Equal(s.t, graph.Settings{HumanInTheLoopSafeMode: true}, settings)

		chosen := graph.Settings{SensitiveActionSafeMode: true}
		require.False(s.t, set(bob, chosen))
		require.True(s.t, set(alice, chosen))
		settings, _ = get(alice)
		require.Equal(s.t, chosen, settings)

		require.NoError(s.t, s.d.Write.Exec("UPDATE library_agents SET settings = NULL").Error)
		settings, ok = get(alice)
		require.True(s.t, ok)
		require.Equal(s.t, graph.DefaultSettings(), settings)

		s.mark("is_deleted", "a")
		_, ok = get(alice)
		require.False(s.t, ok)
		require.False(s.t, set(alice, chosen))
	})
}
