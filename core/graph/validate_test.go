package graph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/graph"
)

func TestStructure(t *testing.T) {
	b := sqliteBed(t)
	v := b.Validator()
	call := node("call", graph.AgentBlockID, "input_schema", map[string]any{"properties": map[string]any{"Business Info": map[string]any{}}},
		"output_schema", map[string]any{"properties": map[string]any{"Results!": map[string]any{}}})
	nodes := []graph.Node{node("a", storeID), node("b", storeID), node("old", removedID), node("fill", fillID), call}
	const ids = "a, b, old, fill, call"
	for name, c := range map[string]struct {
		nodes []graph.Node
		link  graph.Link
		want  string
	}{
		"fine":                  {nodes[:2], link("a.output", "b.input"), ""},
		"unknown source":        {nodes[:2], link("ghost.output", "b.input"), "Link ('ghost', 'output') <-> ('b', 'input'), ghost is invalid node id, available nodes: a, b"},
		"unknown sink":          {nodes, link("a.output", "ghost.input"), "Link ('a', 'output') <-> ('ghost', 'input'), ghost is invalid node id, available nodes: " + ids},
		"unknown source block":  {nodes, link("old.output", "a.input"), "Link ('old', 'output') <-> ('a', 'input'), " + removedID + " is invalid block id: no such block"},
		"unknown sink block":    {nodes, link("a.output", "old.input"), "Link ('a', 'output') <-> ('old', 'input'), " + removedID + " is invalid block id: no such block"},
		"unknown output":        {nodes, link("a.result", "b.input"), "Link ('a', 'result') <-> ('b', 'input'), `result` invalid, Allowed fields: error, output"},
		"unknown input":         {nodes, link("a.output", "b.value"), "Link ('a', 'output') <-> ('b', 'value'), `value` invalid, Allowed fields: input, data"},
		"error is an output":    {nodes[:2], link("a.error", "b.input"), ""},
		"to itself":             {nodes[:2], link("a.output", "a.input"), ""},
		"paths of pins":         {[]graph.Node{nodes[0], nodes[3]}, link("a.output_#_k_$_0", "fill.values_#_name"), ""},
		"path of no pin":        {nodes, link("a.result_#_k", "b.input"), "Link ('a', 'result_#_k') <-> ('b', 'input'), `result_#_k` invalid, Allowed fields: error, output"},
		"tool pin":              {nodes[:2], link("a.tools_^_search_~_q", "b.input"), ""},
		"toolset is no tool":    {nodes, link("a.toolset", "b.input"), "Link ('a', 'toolset') <-> ('b', 'input'), `toolset` invalid, Allowed fields: error, output"},
		"agent pins":            {[]graph.Node{nodes[0], call}, link("a.output", "call.Business Info"), ""},
		"agent output":          {[]graph.Node{nodes[0], call}, link("call.Results!", "a.input"), ""},
		"unknown agent pin":     {nodes, link("a.output", "call.graph_id"), "Link ('a', 'output') <-> ('call', 'graph_id'), `graph_id` invalid, Allowed fields: Business Info"},
		"disabled":              {[]graph.Node{nodes[0], nodes[1], node("d", disabledID)}, link("a.output", "b.input"), "Block " + disabledID + " is disabled and cannot be used in graphs: Acme has closed"},
		"unknown block, linked": {nodes[:3], link("a.output", "b.input"), "Invalid block " + removedID + " for node #old: no such block"},
		"one id twice":          {[]graph.Node{nodes[0], nodes[0]}, link("a.output", "a.input"), "node id a is used twice"},
	} {
		t.Run(name, func(t *testing.T) {
			err := v.Structure(c.nodes, []graph.Link{c.link})
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			require.Equal(t, core.Invalid, core.KindOf(err))
		})
	}
}

func TestStaticLinks(t *testing.T) {
	v := sqliteBed(t).Validator()
	nodes := []graph.Node{node("static", storeID), node("other", reverseID)}
	sent := link("other.reversed_list", "static.input")
	sent.IsStatic = true
	links := []graph.Link{link("static.output", "other.input_list"), link("other.reversed_list", "static.input"), sent}
	require.NoError(t, v.Structure(nodes, links))
	require.Equal(t, []bool{true, false, true}, []bool{links[0].IsStatic, links[1].IsStatic, links[2].IsStatic})
}

// faults runs the checks of nodes on a saved agent, by the ids as sent.
func (b *bed) faults(nodes []graph.Node, links []graph.Link, run bool, masks map[string]core.Values) graph.NodeErrors {
	b.t.Helper()
	v := &graph.Version{Nodes: nodes, Links: links}
	return b.Validator().Nodes(v.Indexed(), run, masks)
}

func TestNodeFaults(t *testing.T) {
	b := sqliteBed(t)
	const required = "This field is required"
	const reserved = "is a reserved input name: 'credentials' and `*_credentials` are reserved"
	call := func(defaults ...any) graph.Node {
		n := node("n", graph.AgentBlockID, "user_id", "u", "graph_id", "g", "graph_version", 1, "output_schema", map[string]any{}, "inputs", map[string]any{},
			"input_schema", map[string]any{"properties": map[string]any{"need": map[string]any{}, "api_credentials": map[string]any{}}, "required": []any{"need", "api_credentials"}})
		for i := 0; i+1 < len(defaults); i += 2 {
			n.InputDefault[defaults[i].(string)] = defaults[i+1]
		}
		return n
	}
	source := node("source", storeID, "input", "x")
	for name, c := range map[string]struct {
		node      graph.Node
		sink      string // an input of the node that is linked
		mask      core.Values
		save, run map[string]string
	}{
		"given":                        {node("n", reverseID, "input_list", []any{}), "", nil, nil, nil},
		"missing":                      {node("n", reverseID), "", nil, nil, map[string]string{"input_list": required}},
		"linked":                       {node("n", reverseID), "input_list", nil, nil, nil},
		"linked by a path":             {node("n", reverseID), "input_list_$_0", nil, nil, nil},
		"given by a path":              {node("n", reverseID, "input_list_$_0", 1), "", nil, nil, nil},
		"null counts as given":         {node("n", reverseID, "input_list", nil), "", nil, nil, nil},
		"masked":                       {node("n", reverseID), "", core.Values{"input_list": []any{}}, map[string]string{}, nil},
		"nameless input":               {node("n", inputID), "", nil, map[string]string{"name": required}, map[string]string{"name": required}},
		"nameless output":              {node("n", outputID, "value", 1), "", nil, map[string]string{"name": required}, map[string]string{"name": required}},
		"reserved name":                {node("n", inputID, "name", "credentials"), "", nil, map[string]string{"name": "'credentials' " + reserved}, map[string]string{"name": "'credentials' " + reserved}},
		"reserved ending":              {node("n", inputID, "name", "x_credentials"), "", nil, map[string]string{"name": "'x_credentials' " + reserved}, map[string]string{"name": "'x_credentials' " + reserved}},
		"harmless name":                {node("n", inputID, "name", "credentials_x"), "", nil, nil, nil},
		"outputs may be named so":      {node("n", outputID, "name", "credentials", "value", 1), "", nil, nil, nil},
		"credentials are not inputs":   {node("n", sendID, "text", "x"), "", nil, nil, nil},
		"agent without its input":      {call(), "", nil, nil, map[string]string{"need": required}},
		"agent with its input":         {call("inputs", map[string]any{"need": 1}), "", nil, nil, nil},
		"agent with its input outside": {call("need", 1), "", nil, nil, nil},
		"agent with its input linked":  {call(), "need", nil, nil, nil},
		"agent without a graph": {
			node("n", graph.AgentBlockID, "input_schema", map[string]any{}, "output_schema", map[string]any{}, "user_id", "u", "inputs", map[string]any{}),
			"", nil,
			map[string]string{"graph_id": required, "graph_version": required},
			map[string]string{"graph_id": required, "graph_version": required},
		},
		"dependencies missing":       {node("n", dependsID, "amount", 1), "", nil, nil, map[string]string{"amount": "Requires place, unit to be set"}},
		"one dependency missing":     {node("n", dependsID, "amount", 1, "unit", "m"), "", nil, nil, map[string]string{"amount": "Requires place to be set"}},
		"blank is missing":           {node("n", dependsID, "amount", 1, "unit", "m", "place", "  "), "", nil, nil, map[string]string{"amount": "Requires place to be set"}},
		"dependencies given":         {node("n", dependsID, "amount", 1, "unit", "m", "place", "p"), "", nil, nil, nil},
		"dependencies not needed":    {node("n", dependsID), "", nil, nil, nil},
		"dependencies masked":        {node("n", dependsID, "amount", 1), "", core.Values{"unit": "m", "place": "p"}, map[string]string{}, nil},
		"dependency linked":          {node("n", dependsID, "amount", 1, "unit", "m"), "place", nil, nil, nil},
		"masked value needs them":    {node("n", dependsID, "unit", "m"), "", core.Values{"amount": 1}, nil, map[string]string{"amount": "Requires place to be set"}},
		"discriminator is an input":  {node("n", fetchID, "credentials", map[string]any{"id": "x"}), "", nil, nil, map[string]string{"url": required}},
		"discriminator with default": {node("n", aiTextID, "prompt", "x"), "", nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var links []graph.Link
			if c.sink != "" {
				links = append(links, graph.Link{SourceID: "source", SourceName: "output", SinkID: "n", SinkName: c.sink})
			}
			masks := map[string]core.Values{"n": c.mask}
			for _, mode := range []struct {
				run  bool
				want map[string]string
			}{{false, c.save}, {true, c.run}} {
				want := graph.NodeErrors{}
				if len(mode.want) > 0 {
					want["n"] = mode.want
				}
				require.Equal(t, want, b.faults([]graph.Node{source, c.node}, links, mode.run, masks), "run: %v", mode.run)
			}
		})
	}
}

// The error of a run carries all faults in the form that the web client reads.
func TestRunError(t *testing.T) {
	b := sqliteBed(t)
	require.NoError(t, graph.NodeErrors{}.Err())
	faults := b.faults([]graph.Node{node("a", reverseID), node("b", inputID), node("c", dependsID, "amount", 1)}, nil, true, nil)
	more := graph.NodeErrors{}
	more.Add("a", "input_list", "another text")
	more.Add("d", "x", "of a sub-graph")
	faults.Merge(more)
	err := faults.Err()
	const message = "Graph validation failed: 4 issues on 4 nodes"
	require.EqualError(t, err, message)
	var known *core.Error
	require.ErrorAs(t, err, &known)
	require.True(t, known.Plain)
	require.Equal(t, map[string]any{"type": "validation_error", "message": message, "node_errors": graph.NodeErrors{
		"a": {"input_list": "This field is required"}, "b": {"name": "This field is required"},
		"c": {"amount": "Requires place, unit to be set"}, "d": {"x": "of a sub-graph"},
	}}, known.Detail)
}

// Sub-graphs are checked like the agent itself when it is saved.
func TestSubGraphsAreChecked(t *testing.T) {
	b := sqliteBed(t)
	for want, bad := range map[string]graph.BaseGraph{
		"is a reserved input name":                 base("sub", node("a", inputID, "name", "credentials")),
		"is invalid node id":                       base("sub", node("a", storeID), link("a.output", "b.input")),
		"is disabled and cannot be used in graphs": base("sub", node("a", disabledID)),
	} {
		_, err := b.Create(t.Context(), alice, graph.Graph{BaseGraph: base("x"), SubGraphs: []graph.BaseGraph{bad}})
		require.ErrorContains(t, err, want)
		require.False(t, strings.Contains(err.Error(), "saving graph"))
	}
	list, err := b.List(t.Context(), alice)
	require.NoError(t, err)
	require.Empty(t, list)
}
