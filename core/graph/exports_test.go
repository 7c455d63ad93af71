package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/graph"
)

func TestSecretsStayBehind(t *testing.T) {
	b := sqliteBed(t)
	for name, c := range map[string]struct{ node, want graph.Node }{
		"names that tell": {
			node("a", storeID, "input", "i", "control_test_input", "c", "api_key", "1", "password", "2", "token", "3",
				"credentials", "4", "anthropic_credentials", "5", "Client_Secret", "6", "ApiKey", "7", "authorization", "8"),
			node("a", storeID, "input", "i", "control_test_input", "c"),
		},
		"deep inside objects and lists": {
			node("a", storeID, "input", map[string]any{"headers": []any{map[string]any{"api_key": "1", "kind": "json"}}, "x": map[string]any{"password": "2"}}),
			node("a", storeID, "input", map[string]any{"headers": []any{map[string]any{"kind": "json"}}, "x": map[string]any{}}),
		},
		"harmless names": {
			node("a", storeID, "max_tokens", 5, "chunk_max_tokens", 6, "max_output_tokens", 7, "tokens_num", 8, "return_tokens", true, "input", map[string]any{"max_tokens": 9}),
			node("a", storeID, "max_tokens", 5, "chunk_max_tokens", 6, "max_output_tokens", 7, "tokens_num", 8, "return_tokens", true, "input", map[string]any{"max_tokens": 9}),
		},
		"flags are no secrets":     {node("a", storeID, "use_token", true, "secret", false), node("a", storeID, "use_token", true, "secret", false)},
		"inputs that hide":         {node("a", secretID, "author", "me", "text", "t"), node("a", secretID, "text", "t")},
		"secret input of an agent": {node("a", inputID, "name", "q", "secret", true, "value", "hush"), node("a", inputID, "name", "q", "secret", true)},
		"open input of an agent":   {node("a", inputID, "name", "q", "value", "said"), node("a", inputID, "name", "q", "value", "said")},
		"owner of nested agents": {agentNode("a", "other", 1), func() graph.Node {
			n := agentNode("a", "other", 1)
			n.InputDefault["user_id"] = ""
			n.InputDefault["inputs"] = map[string]any{}
			return n
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			c.node.Metadata = core.Values{"api_key": "metadata is left alone"}
			m := b.create(agent("x", c.node))
			exported, err := b.Get(t.Context(), alice, m.ID, 0, true)
			require.NoError(t, err)
			require.Equal(t, c.want.InputDefault, exported.Nodes[0].InputDefault)
			require.Equal(t, c.node.Metadata, exported.Nodes[0].Metadata)
			require.Empty(t, exported.UserID)
			again, err := b.Get(t.Context(), alice, m.ID, 0, false)
			require.NoError(t, err)
			require.Equal(t, m.Nodes[0].InputDefault, again.Nodes[0].InputDefault, "what is stored stays")
		})
	}
}

// A secret value must not leave as the default in the schema of the inputs.
func TestSchemasOfExports(t *testing.T) {
	b := sqliteBed(t)
	secret := node("a", inputID, "name", "q", "secret", true, "value", "hush")
	m := b.create(graph.Graph{BaseGraph: base("x", secret, agentNode("call", "sub", 1)), SubGraphs: []graph.BaseGraph{base("sub", secret)}})
	require.Contains(t, string(m.InputSchema), "hush")
	exported, err := b.Get(t.Context(), alice, m.ID, 0, true)
	require.NoError(t, err)
	data, err := core.JSON(exported)
	require.NoError(t, err)
	require.NotContains(t, string(data), "hush")
	require.NotContains(t, string(data), alice)
	require.JSONEq(t, `{"type":"object","properties":{"q":{"advanced":false,"secret":true,"title":"q"}},"required":["q"]}`, string(exported.InputSchema))
}

// A nested agent's secrets are also in the node that runs it.
func TestSecretsOfNestedAgents(t *testing.T) {
	b := sqliteBed(t)
	n := agentNode("call", "other", 1)
	n.InputDefault["inputs"] = map[string]any{"q": "hush", "open": "said"}
	n.InputDefault["q"] = "hush"
	n.InputDefault["input_schema"] = map[string]any{"properties": map[string]any{
		"q": map[string]any{"secret": true, "default": "hush"}, "open": map[string]any{"secret": false, "default": "said"},
		"api_key": map[string]any{"title": "Key", "default": "hush"},
	}}
	n.InputDefault["output_schema"] = map[string]any{"properties": map[string]any{"token": map[string]any{}}}
	m := b.create(agent("x", n))
	exported, err := b.Get(t.Context(), alice, m.ID, 0, true)
	require.NoError(t, err)
	require.Equal(t, core.Values{
		"user_id": "", "graph_id": "other", "graph_version": 1, "inputs": map[string]any{"open": "said"},
		"output_schema": map[string]any{"properties": map[string]any{"token": map[string]any{}}},
		"input_schema": map[string]any{"properties": map[string]any{
			"q": map[string]any{"secret": true}, "open": map[string]any{"secret": false, "default": "said"},
			"api_key": map[string]any{"title": "Key"},
		}},
	}, exported.Nodes[0].InputDefault)
	again, err := b.Get(t.Context(), alice, m.ID, 0, false)
	require.NoError(t, err)
	require.Equal(t, m.Nodes[0].InputDefault, again.Nodes[0].InputDefault)
}

func TestExportedLinks(t *testing.T) {
	b := sqliteBed(t)
	m := b.create(agent("x", node("a", storeID), node("b", storeID),
		link("a.output", "b.input"), link("a.output", "b.input"), link("a.output", "b.data"), link("b.output", "a.input")))
	require.Len(t, m.Links, 4)
	exported, err := b.Get(t.Context(), alice, m.ID, 0, true)
	require.NoError(t, err)
	require.Len(t, exported.Links, 3)
	require.Len(t, exported.Nodes[1].InputLinks, 2)
	require.Len(t, exported.Nodes[0].InputLinks, 1)
}
