package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/graph"
)

func TestInputSchema(t *testing.T) {
	b := sqliteBed(t)
	for name, c := range map[string]struct {
		nodes []graph.Node
		want  string
	}{
		"none": {nil, `{"type":"object","properties":{},"required":[]}`},
		"any":  {[]graph.Node{node("a", inputID, "name", "q")}, `{"type":"object","properties":{"q":{"advanced":false,"secret":false,"title":"q"}},"required":["q"]}`},
		"everything set": {
			[]graph.Node{node("a", inputID, "name", "q", "value", "x", "title", "T", "description", "D", "advanced", true, "secret", true)},
			`{"type":"object","properties":{"q":{"advanced":true,"secret":true,"title":"T","description":"D","default":"x"}},"required":[]}`,
		},
		"required is not advanced": {
			[]graph.Node{node("a", inputID, "name", "q", "advanced", true)},
			`{"type":"object","properties":{"q":{"advanced":false,"secret":false,"title":"q"}},"required":["q"]}`,
		},
		"two": {
			[]graph.Node{
				node("a", inputID, "name", "in_key_a", "title", "Key A", "value", "A", "advanced", true),
				node("b", inputID, "name", "in_key_b", "advanced", true),
			},
			`{"type":"object","properties":{"in_key_a":{"advanced":true,"default":"A","secret":false,"title":"Key A"},
				"in_key_b":{"advanced":false,"secret":false,"title":"in_key_b"}},"required":["in_key_b"]}`,
		},
		"drop-down": {
			[]graph.Node{node("a", dropdownID, "name", "d", "value", "a", "placeholder_values", []any{"a", "b"})},
			`{"type":"object","properties":{"d":{"advanced":false,"anyOf":[{"type":"string"},{"type":"null"}],"secret":false,"title":"d","enum":["a","b"],"default":"a"}},"required":[]}`,
		},
		"drop-down without options": {
			[]graph.Node{node("a", dropdownID, "name", "d", "placeholder_values", []any{})},
			`{"type":"object","properties":{"d":{"advanced":false,"anyOf":[{"type":"string"},{"type":"null"}],"secret":false,"title":"d"}},"required":["d"]}`,
		},
		"toggle": {
			[]graph.Node{node("a", toggleID, "name", "t")},
			`{"type":"object","properties":{"t":{"advanced":false,"secret":false,"title":"t","type":"boolean","default":false}},"required":[]}`,
		},
		"old options of a plain input": {
			[]graph.Node{node("a", inputID, "name", "url", "value", "", "placeholder_values", []any{"x"})},
			`{"type":"object","properties":{"url":{"advanced":false,"secret":false,"title":"url","default":""}},"required":[]}`,
		},
		"the last of two with one name wins": {
			[]graph.Node{node("a", inputID, "name", "q", "title", "one"), node("b", inputID, "name", "q", "title", "two")},
			`{"type":"object","properties":{"q":{"advanced":false,"secret":false,"title":"two"}},"required":["q","q"]}`,
		},
		"null is no value": {
			[]graph.Node{node("a", inputID, "name", "q", "value", nil, "title", nil, "description", nil)},
			`{"type":"object","properties":{"q":{"advanced":false,"secret":false,"title":"q"}},"required":["q"]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := b.create(graph.Graph{BaseGraph: graph.BaseGraph{Header: graph.Header{Name: "x"}, Nodes: c.nodes}})
			require.JSONEq(t, c.want, string(m.InputSchema))
			require.JSONEq(t, `{"type":"object","properties":{},"required":[]}`, string(m.OutputSchema))
		})
	}
}

func TestTableSchema(t *testing.T) {
	b := sqliteBed(t)
	for headers, columns := range map[string]string{
		"A,B": `{"A":{"type":"string"},"B":{"type":"string"}}`,
		"":    `{"Column 1":{"type":"string"},"Column 2":{"type":"string"},"Column 3":{"type":"string"}}`,
	} {
		n := node("a", tableID, "name", "tb")
		if headers != "" {
			n.InputDefault["column_headers"] = []any{"A", "B"}
		}
		s := object(t, b.create(agent("x", n)).InputSchema)
		require.Equal(t, []any{"tb"}, s["required"])
		p := s["properties"].(map[string]any)["tb"].(map[string]any)
		require.Equal(t, "array", p["type"])
		require.Equal(t, "table", p["format"])
		require.Contains(t, p, "anyOf")
		require.Equal(t, object(t, []byte(columns)), p["items"].(map[string]any)["properties"])
	}
}

func TestOutputSchema(t *testing.T) {
	m := sqliteBed(t).create(agent("x",
		node("a", outputID, "name", "out_key", "description", "what comes out"), node("b", outputID, "name", "set", "value", 1)))
	require.JSONEq(t, `{"type":"object","properties":{
		"out_key":{"advanced":false,"description":"what comes out","secret":false,"title":"out_key"},
		"set":{"advanced":false,"default":1,"secret":false,"title":"set"}},"required":["out_key"]}`, string(m.OutputSchema))
}

func TestFlags(t *testing.T) {
	b := sqliteBed(t)
	hook := node("h", hookID, "repo", "a/b")
	for name, c := range map[string]struct {
		graph                      graph.Graph
		trigger, review, sensitive bool
	}{
		"nothing":   {agent("x"), false, false, false},
		"trigger":   {agent("x", hook), true, false, false},
		"review":    {agent("x", node("a", reviewID)), false, true, false},
		"sensitive": {agent("x", node("a", sensitiveID)), false, false, true},
		"in a sub-graph only": {
			graph.Graph{
				BaseGraph: base("x", node("a", graph.AgentBlockID, "graph_id", "sub", "graph_version", 1, "input_schema", map[string]any{}, "output_schema", map[string]any{})),
				SubGraphs: []graph.BaseGraph{base("sub", hook, node("a", reviewID), node("b", sensitiveID))},
			}, false, false, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := b.create(c.graph)
			require.Equal(t, []bool{c.trigger, c.review, c.sensitive}, []bool{m.HasExternalTrigger, m.HasHumanInTheLoop, m.HasSensitiveAction})
			require.Equal(t, c.trigger, m.TriggerSetupInfo != nil)
			for _, sub := range m.SubGraphs {
				require.True(t, sub.HasExternalTrigger && sub.HasHumanInTheLoop && sub.HasSensitiveAction)
			}
		})
	}
}

func TestTriggerSetupInfo(t *testing.T) {
	info := sqliteBed(t).create(agent("x", node("h", hookID, "repo", "a/b"))).TriggerSetupInfo
	require.Equal(t, "acme", info.Provider)
	require.Equal(t, "credentials", *info.CredentialsInputName)
	schema := object(t, info.ConfigSchema)
	require.Equal(t, []any{"repo"}, schema["required"])
	require.Contains(t, schema["properties"], "repo")
	require.NotContains(t, schema["properties"], "credentials")
}
