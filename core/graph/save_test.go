package graph_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/graph"
)

// agentNode runs another agent; its pins are of no matter.
func agentNode(id, graphID string, version int) graph.Node {
	return node(id, graph.AgentBlockID, "graph_id", graphID, "graph_version", version, "user_id", "someone",
		"input_schema", map[string]any{}, "output_schema", map[string]any{})
}

func TestNewIDs(t *testing.T) {
	b := sqliteBed(t)
	m := b.create(graph.Graph{
		BaseGraph: base("main",
			node("a", storeID), node("b", storeID), node("", storeID),
			agentNode("sub", "sub", 3), agentNode("self", "main", 1), agentNode("other", "elsewhere", 2),
			link("a.output", "b.input")),
		SubGraphs: []graph.BaseGraph{base("sub", node("a", storeID), agentNode("up", "main", 1))},
	})
	ids := map[string]bool{}
	fresh := func(id string) {
		require.NoError(t, uuid.Validate(id))
		require.False(t, ids[id], "%s is used twice", id)
		ids[id] = true
	}
	fresh(m.ID)
	fresh(m.SubGraphs[0].ID)
	for _, n := range m.Nodes {
		fresh(n.ID)
	}
	for _, n := range m.SubGraphs[0].Nodes {
		fresh(n.ID)
	}
	require.Equal(t, []string{m.Nodes[0].ID, m.Nodes[1].ID}, []string{m.Links[0].SourceID, m.Links[0].SinkID})
	fresh(m.Links[0].ID)

	in := func(n graph.Node) core.Values { return n.InputDefault }
	require.Equal(t, m.SubGraphs[0].ID, in(m.Nodes[3].Node)["graph_id"])
	require.Equal(t, 3, in(m.Nodes[3].Node)["graph_version"], "the version stays")
	require.Equal(t, m.ID, in(m.Nodes[4].Node)["graph_id"])
	require.Equal(t, "elsewhere", in(m.Nodes[5].Node)["graph_id"])
	require.Equal(t, m.ID, in(m.SubGraphs[0].Nodes[1])["graph_id"])
	for _, n := range []graph.Node{m.Nodes[3].Node, m.SubGraphs[0].Nodes[1]} {
		require.Equal(t, alice, in(n)["user_id"])
		require.Equal(t, map[string]any{}, in(n)["inputs"])
	}
}

// Graphs without ids are no one's reference.
func TestMissingIDsAreNotMapped(t *testing.T) {
	b := sqliteBed(t)
	g := graph.Graph{BaseGraph: base("", agentNode("call", "", 1)), SubGraphs: []graph.BaseGraph{base(""), base("")}}
	m := b.create(g)
	require.Equal(t, "", m.Nodes[0].InputDefault["graph_id"])
	require.NotEqual(t, m.SubGraphs[0].ID, m.SubGraphs[1].ID)
}

func TestUpdateWithSubGraphs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBed(t, d)
		first := b.create(graph.Graph{BaseGraph: base("main", agentNode("call", "sub", 1)), SubGraphs: []graph.BaseGraph{base("sub", node("a", storeID))}})
		subID := first.SubGraphs[0].ID
		foreign, err := b.Create(t.Context(), bob, agent("of bob"))
		require.NoError(t, err)

		send := func(subs ...graph.BaseGraph) *graph.Model {
			g := graph.Graph{BaseGraph: base("main"), SubGraphs: subs}
			g.ID = first.ID
			for i := range subs {
				g.Nodes = append(g.Nodes, agentNode("call", subs[i].ID, 1))
			}
			m, err := b.Update(t.Context(), alice, first.ID, g)
			require.NoError(t, err)
			return m
		}
		sub := func(id, name string) graph.BaseGraph {
			s := base(name, node("a", storeID))
			s.ID = id
			return s
		}
		second := send(sub(subID, "again"))
		require.Equal(t, 2, second.Version)
		require.Equal(t, []any{subID, 2}, []any{second.SubGraphs[0].ID, second.SubGraphs[0].Version})
		require.Equal(t, 2, second.Nodes[0].InputDefault["graph_version"], "the agent node runs what was saved with it")

		third := send(sub(foreign.ID, "taken"), sub("unheard-of", "new"))
		require.NotEqual(t, foreign.ID, third.SubGraphs[0].ID, "someone else's id is replaced")
		require.Equal(t, third.SubGraphs[0].ID, third.Nodes[0].InputDefault["graph_id"])
		require.Equal(t, 1, third.SubGraphs[0].Version)
		require.Equal(t, "unheard-of", third.SubGraphs[1].ID)
		versions, err := b.Versions(t.Context(), bob, foreign.ID)
		require.NoError(t, err)
		require.Len(t, versions, 1)

		old, err := b.Get(t.Context(), alice, first.ID, 1, false)
		require.NoError(t, err)
		require.Equal(t, 1, old.SubGraphs[0].Version, "an older version keeps its sub-graphs")
	})
}

func TestRefusedSaves(t *testing.T) {
	b := sqliteBed(t)
	tooHigh, negative := 1<<31, -1
	change := func(f func(*graph.Graph)) graph.Graph {
		g := agent("x")
		f(&g)
		return g
	}
	for name, g := range map[string]graph.Graph{
		"version":          change(func(g *graph.Graph) { g.Version = tooHigh }),
		"version of a sub": change(func(g *graph.Graph) { s := base("s"); s.Version = tooHigh; g.SubGraphs = append(g.SubGraphs, s) }),
		"forked version":   change(func(g *graph.Graph) { g.ForkedFromVersion = &tooHigh }),
		"negative fork":    change(func(g *graph.Graph) { g.ForkedFromVersion = &negative }),
		"own id in a sub":  change(func(g *graph.Graph) { g.SubGraphs = append(g.SubGraphs, base("x")) }),
		"sub twice":        change(func(g *graph.Graph) { g.SubGraphs = append(g.SubGraphs, base("s"), base("s")) }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Create(t.Context(), alice, g)
			require.Equal(t, core.Invalid, core.KindOf(err), "%v", err)
			saved := b.create(agent("y"))
			if g.ID == "x" {
				for i := range g.SubGraphs {
					if g.SubGraphs[i].ID == "x" {
						g.SubGraphs[i].ID = saved.ID
					}
				}
			}
			g.ID = saved.ID
			_, err = b.Update(t.Context(), alice, saved.ID, g)
			require.Equal(t, core.Invalid, core.KindOf(err), "%v", err)
			versions, err := b.Versions(t.Context(), alice, saved.ID)
			require.NoError(t, err)
			require.Len(t, versions, 1)
		})
	}
}

// What is stored is text that every database takes, and it comes back so.
func TestControlCharactersGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBed(t, d)
		text := "in\x00struct"
		g := agent("a\x00b")
		g.Description, g.Instructions = "d\x01\n", &text
		m := b.create(g)
		got, err := b.Get(t.Context(), alice, m.ID, 0, false)
		require.NoError(t, err)
		require.Equal(t, []string{"ab", "d\n", "instruct"}, []string{got.Name, got.Description, *got.Instructions})
		require.Equal(t, got.Header, m.Header)
		for _, id := range []string{"\x00", "\xff"} {
			_, err := b.Get(t.Context(), alice, id, 0, false)
			require.Equal(t, core.NotFound, core.KindOf(err), "%v", err)
		}
		_, err = b.Get(t.Context(), alice, m.ID, 1<<40, false)
		require.Equal(t, core.NotFound, core.KindOf(err), "%v", err)
	})
}

func TestStoredCredentials(t *testing.T) {
	b := sqliteBed(t)
	b.owned["mine"] = true
	ref := func(id string) map[string]any { return map[string]any{"id": id, "provider": "acme", "type": "api_key"} }
	m := b.create(agent("x", node("a", sendID, "text", "x", "credentials", ref("mine"))))
	require.Equal(t, ref("mine"), m.Nodes[0].InputDefault["credentials"])

	_, err := b.Create(t.Context(), alice, agent("x", node("a", sendID, "text", "x", "credentials", ref("gone"))))
	require.ErrorContains(t, err, " input 'credentials' updated with non-existent credentials #gone")
	require.Equal(t, core.Invalid, core.KindOf(err))

	for _, n := range []graph.Node{
		optional(node("a", sendID, "text", "x", "credentials", ref("gone"))), node("a", maybeID, "credentials", ref("gone")),
	} {
		m := b.create(agent("x", n))
		require.Equal(t, map[string]any{}, m.Nodes[0].InputDefault["credentials"], "what may be left out is dropped")
	}
	for _, harmless := range []any{nil, map[string]any{}, map[string]any{"id": ""}, "text"} {
		b.create(agent("x", node("a", sendID, "text", "x", "credentials", harmless)))
	}
}

// Making a version active does not change it, even when its credentials went.
func TestActivatingKeepsVersions(t *testing.T) {
	b := sqliteBed(t)
	b.owned["mine"] = true
	ref := map[string]any{"id": "mine", "provider": "acme", "type": "api_key"}
	m := b.create(agent("x", optional(node("a", sendID, "text", "x", "credentials", ref))))
	required := b.create(agent("y", node("a", sendID, "text", "x", "credentials", ref)))
	loaded := b.load(m)
	delete(b.owned, "mine")

	require.NoError(t, b.SetActive(t.Context(), alice, m.ID, 1))
	require.Equal(t, ref, loaded.Nodes[0].InputDefault["credentials"])
	require.Equal(t, ref, b.load(m).Nodes[0].InputDefault["credentials"])
	require.ErrorContains(t, b.SetActive(t.Context(), alice, required.ID, 1), "updated with non-existent credentials #mine")
}

func TestDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBed(t, d)
		m := b.create(agent("x"))
		g := agent("x")
		g.ID = m.ID
		_, err := b.Update(t.Context(), alice, m.ID, g)
		require.NoError(t, err)
		var asked []string
		b.BeforeDelete = func(_ context.Context, userID, graphID string) error {
			asked = append(asked, userID+" "+graphID)
			return nil
		}
		n, err := b.Delete(t.Context(), bob, m.ID)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = b.Delete(t.Context(), alice, m.ID)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, []string{bob + " " + m.ID, alice + " " + m.ID}, asked)
		loaded, err := b.Load(t.Context(), m.ID, 1)
		require.NoError(t, err)
		require.Nil(t, loaded)

		kept := b.create(agent("kept"))
		b.BeforeDelete = func(context.Context, string, string) error { return core.Errorf(core.Internal, "it will not stop") }
		_, err = b.Delete(t.Context(), alice, kept.ID)
		require.ErrorContains(t, err, "it will not stop")
		b.load(kept)
	})
}

// Agents that refer to each other, or to themselves, are loaded once each.
func TestCircularAgents(t *testing.T) {
	b := sqliteBed(t)
	m := b.create(graph.Graph{
		BaseGraph: base("main", agentNode("sub", "sub", 1), agentNode("again", "sub", 1), agentNode("self", "main", 1)),
		SubGraphs: []graph.BaseGraph{base("sub", agentNode("up", "main", 1), agentNode("self", "sub", 1))},
	})
	got, err := b.Get(t.Context(), alice, m.ID, 0, false)
	require.NoError(t, err)
	require.Len(t, got.SubGraphs, 1)
}
