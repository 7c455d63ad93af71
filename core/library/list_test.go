package library_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/graph"
	"agentserver/core/library"
)

// shelve puts an agent of an owner into a user's library, changed some hours
// after the first day of 2025.
func (s shelf) shelve(userID, owner, id, name, description string, hours int) {
	s.t.Helper()
	at := db.At(time.Date(2025, 1, 1, hours, 0, 0, 0, time.UTC))
	require.NoError(s.t, s.d.Write.Exec(`INSERT INTO graphs (id, version, user_id, is_active, name, description, nodes, links, created_at)
		VALUES (?, 3, ?, true, ?, ?, '[]', '[]', ?) ON CONFLICT DO NOTHING`, "graph-"+id, owner, name, description, db.At(at.Add(-time.Hour))).Error)
	require.NoError(s.t, s.d.Write.Exec(`INSERT INTO library_agents (id, user_id, graph_id, graph_version, is_created_by_user,
		use_graph_is_active_version, is_archived, is_deleted, created_at, updated_at) VALUES (?, ?, ?, 3, true, true, false, false, ?, ?)`,
		id, userID, "graph-"+id, db.At(at.Add(-24*time.Hour)), at).Error)
}

func (s shelf) find(userID string, q library.Query) ([]string, int) {
	s.t.Helper()
	found, total, err := s.Find(s.t.Context(), userID, q)
	require.NoError(s.t, err)
	ids := []string{}
	for _, f := range found {
		ids = append(ids, f.ID)
	}
	return ids, total
}

func TestFind(t *testing.T) {
	each(t, func(s shelf) {
		s.shelve(alice, alice, "a", "Weather", "Tells the WEATHER of Oslo", 3)
		s.shelve(alice, alice, "b", "Mail", "sends 100% of them: a_b", 5)
		s.shelve(alice, bob, "c", "Ölpreis", "of the day", 4)
		s.shelve(alice, alice, "gone", "Weather gone", "", 6)
		s.shelve(alice, alice, "away", "Weather away", "", 7)
		s.shelve(bob, bob, "his", "Weather of bob", "", 8)
		s.mark("is_deleted", "graph-gone")
		s.mark("is_archived", "graph-away")
		for _, c := range []struct {
			q     library.Query
			want  []string
			total int
		}{
			{library.Query{Limit: 10}, []string{"b", "c", "a"}, 3},
			{library.Query{Limit: 2}, []string{"b", "c"}, 3},
			{library.Query{Limit: 2, Offset: 2}, []string{"a"}, 3},
			{library.Query{Limit: 2, Offset: 4}, []string{}, 3},
			{library.Query{Limit: 10, Term: "  "}, []string{"b", "c", "a"}, 3},
			{library.Query{Limit: 10, Term: " weather "}, []string{"a"}, 1},
			{library.Query{Limit: 10, Term: "OF"}, []string{"b", "c", "a"}, 3},
			{library.Query{Limit: 10, Term: "ölPREIS"}, []string{"c"}, 1},
			{library.Query{Limit: 10, Term: "0%"}, []string{"b"}, 1},
			{library.Query{Limit: 10, Term: "%"}, []string{"b"}, 1},
			{library.Query{Limit: 10, Term: "a_b"}, []string{"b"}, 1},
			{library.Query{Limit: 10, Term: "e_t"}, []string{}, 0},
			{library.Query{Limit: 10, Term: strings.Repeat("ö", 100)}, []string{}, 0},
		} {
			ids, total := s.find(alice, c.q)
			require.Equal(s.t, c.want, ids, "%+v", c.q)
			require.Equal(s.t, c.total, total, "%+v", c.q)
		}
		n, err := s.Count(s.t.Context(), alice)
		require.NoError(s.t, err)
		require.Equal(s.t, 3, n)
		_, _, err = s.Find(s.t.Context(), alice, library.Query{Limit: 10, Term: strings.Repeat("ö", 101)})
		require.EqualError(s.t, err, "Search term is too long")
		require.Equal(s.t, core.Invalid, core.KindOf(err))
	})
}

func TestFindGivesBeginnings(t *testing.T) {
	each(t, func(s shelf) {
		s.shelve(alice, alice, "a", strings.Repeat("n", 20000), strings.Repeat("ö", 20000), 1)
		found, _, err := s.Find(s.t.Context(), alice, library.Query{Limit: 1})
		require.NoError(s.t, err)
		require.Equal(s.t, library.Found{ID: "a", Name: strings.Repeat("n", 2000), Description: strings.Repeat("ö", 2000), CreatorName: "Unknown"}, found[0])
	})
}

func TestAgents(t *testing.T) {
	each(t, func(s shelf) {
		s.shelve(alice, alice, "a", "Weather", "Tells it", 3)
		s.shelve(alice, bob, "b", "Of bob", "", 3)
		s.shelve(bob, bob, "his", "Weather of bob", "", 8)
		changed, err := s.SetSettings(s.t.Context(), alice, "graph-b", graph.Settings{SensitiveActionSafeMode: true})
		require.NoError(s.t, err)
		require.True(s.t, changed)
		agents, err := s.Agents(s.t.Context(), alice, []string{"a", "b", "his", "none"})
		require.NoError(s.t, err)
		require.Len(s.t, agents, 2)
		data, err := core.JSON(agents["a"])
		require.NoError(s.t, err)
		require.JSONEq(s.t, `{
			"id": "a", "graph_id": "graph-a", "graph_version": 3, "image_url": null, "creator_name": "Unknown", "creator_image_url": "",
			"status": "COMPLETED", "created_at": "2024-12-31T03:00:00.000Z", "updated_at": "2025-01-01T03:00:00.000Z",
			"name": "Weather", "description": "Tells it", "instructions": null,
			"input_schema": {"type":"object","properties":{},"required":[]}, "output_schema": {"type":"object","properties":{},"required":[]},
			"credentials_input_schema": null, "has_external_trigger": false, "has_human_in_the_loop": false, "has_sensitive_action": false,
			"trigger_setup_info": null, "new_output": false, "execution_count": 0, "success_rate": null, "avg_correctness_score": null,
			"recent_executions": [], "can_access_graph": true, "is_latest_version": true, "is_favorite": false, "folder_id": null,
			"folder_name": null, "recommended_schedule_cron": null,
			"settings": {"human_in_the_loop_safe_mode": true, "sensitive_action_safe_mode": false}, "marketplace_listing": null
		}`, string(data))
		require.False(s.t, agents["b"].CanAccessGraph)
		require.Equal(s.t, graph.Settings{SensitiveActionSafeMode: true}, agents["b"].Settings)
		require.Greater(s.t, agents["b"].UpdatedAt.Year(), 2025, "the settings were changed now")

		// A version that is newer than the row counts as its change.
		require.NoError(s.t, s.d.Write.Exec("UPDATE graphs SET created_at = ? WHERE id = 'graph-a'", db.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))).Error)
		agents, err = s.Agents(s.t.Context(), alice, []string{"a"})
		require.NoError(s.t, err)
		require.Equal(s.t, "2026-01-01T00:00:00.000Z", agents["a"].UpdatedAt.String())
	})
}

func TestManyAgents(t *testing.T) {
	each(t, func(s shelf) {
		ids := []string{}
		for i := range 1200 {
			ids = append(ids, fmt.Sprint("a", i))
		}
		s.shelve(alice, alice, ids[0], "First", "", 1)
		s.shelve(alice, alice, ids[1199], "Last", "", 1)
		agents, err := s.Agents(s.t.Context(), alice, ids)
		require.NoError(s.t, err)
		require.Len(s.t, agents, 2)
		agents, err = s.Agents(s.t.Context(), alice, nil)
		require.NoError(s.t, err)
		require.Empty(s.t, agents)
	})
}
