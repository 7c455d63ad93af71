package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestCreateGraph(t *testing.T) {
	engines(t, func(b *bed) {
		sent := agent("g",
			with(node("input_node", inputID, "name", "Load Test Input", "placeholder_values", map[string]any{}),
				"name", "ignored", "input_nodes", []any{}, "metadata", map[string]any{"position": map[string]any{"x": 100, "y": 100}}),
			node("output_node", outputID, "name", "Load Test Output", "value", "Test output value"),
			link("input_node.result", "output_node.value"))
		g := b.save(alice, with(sent, "webhook", nil, "input_schema", map[string]any{"junk": true}))

		nodes, links := g["nodes"].([]any), g["links"].([]any)
		first, second := nodes[0].(map[string]any), nodes[1].(map[string]any)
		l := links[0].(map[string]any)
		for _, id := range []any{g["id"], first["id"], second["id"], l["id"]} {
			require.NoError(b.t, uuid.Validate(id.(string)))
		}
		require.Equal(b.t, true, l["is_static"])
		require.Equal(b.t, []any{first["id"], second["id"]}, []any{l["source_id"], l["sink_id"]})
		require.Equal(b.t, []any{inputID, outputID}, []any{first["block_id"], second["block_id"]})
		require.Equal(b.t, map[string]any{"position": map[string]any{"x": 100.0, "y": 100.0}}, first["metadata"])
		require.Equal(b.t, []any{l}, first["output_links"])
		require.Equal(b.t, []any{l}, second["input_links"])
		require.Equal(b.t, []any{}, first["input_links"])
		for _, n := range nodes {
			require.Equal(b.t, g["id"], n.(map[string]any)["graph_id"])
			require.EqualValues(b.t, 1, n.(map[string]any)["graph_version"])
			require.Nil(b.t, n.(map[string]any)["webhook_id"])
		}
		require.JSONEq(b.t, `{"type":"object","required":["Load Test Input"],
			"properties":{"Load Test Input":{"advanced":false,"secret":false,"title":"Load Test Input"}}}`, encode(g["input_schema"]))
		require.JSONEq(b.t, `{"type":"object","required":[],
			"properties":{"Load Test Output":{"advanced":false,"secret":false,"title":"Load Test Output","default":"Test output value"}}}`, encode(g["output_schema"]))
		require.Equal(b.t, alice, g["user_id"])
		require.Equal(b.t, true, g["is_active"])
		require.EqualValues(b.t, 1, g["version"])
		require.Equal(b.t, g, b.object(alice, "GET", "/api/graphs/"+g["id"].(string), nil), "it is stored as it was answered")
	})
}

func TestEmptyGraph(t *testing.T) {
	b := newBed(t, "")
	g := b.save(alice, agent("empty"))
	g = b.object(alice, "GET", "/api/graphs/"+g["id"].(string), nil)
	for _, schema := range []string{"input_schema", "output_schema", "credentials_input_schema"} {
		require.JSONEq(t, `{"type":"object","properties":{},"required":[]}`, encode(g[schema]), schema)
	}
	require.Nil(t, g["trigger_setup_info"])
	for _, flag := range []string{"has_external_trigger", "has_human_in_the_loop", "has_sensitive_action"} {
		require.Equal(t, false, g[flag], flag)
	}
	for _, list := range []string{"nodes", "links", "sub_graphs"} {
		require.Equal(t, []any{}, g[list], list)
	}
}

func TestTriggerGraph(t *testing.T) {
	b := newBed(t, "")
	g := b.save(alice, agent("hook", node("h", hookID), node("s", sendID, "text", "x")))
	require.Equal(t, true, g["has_external_trigger"])
	info := g["trigger_setup_info"].(map[string]any)
	require.Equal(t, "acme", info["provider"])
	require.Nil(t, info["credentials_input_name"])
	require.Contains(t, info["config_schema"].(map[string]any)["properties"], "payload")
	credentials := g["credentials_input_schema"].(map[string]any)
	require.Equal(t, []any{"acme_api_key_credentials"}, credentials["required"])
	require.Contains(t, credentials["properties"], "acme_api_key_credentials")
}

func TestRefusedGraphs(t *testing.T) {
	b := newBed(t, "")
	refuse := func(text string) string { return failure("POST", "/api/graphs", text) }
	for name, c := range map[string]struct {
		graph  map[string]any
		status int
		want   string // a whole body, or a part of one when it is no JSON
	}{
		"disabled block": {agent("x", node("a", disabledID)), 400, refuse("Block " + disabledID + " is disabled and cannot be used in graphs: Acme has closed")},
		"unknown block":  {agent("x", node("a", "nope")), 400, `"Invalid block nope for node #`},
		"dangling link":  {agent("x", node("a", storeID), link("a.output", "ghost.input")), 400, ", 'output') <-> ('ghost', 'input'), ghost is invalid node id, available nodes: "},
		"unknown output": {agent("x", node("a", storeID), node("b", storeID), link("a.result", "b.input")), 400, ", `result` invalid, Allowed fields: error, output"},
		"unknown input":  {agent("x", node("a", storeID), node("b", storeID), link("a.output", "b.value")), 400, ", `value` invalid, Allowed fields: input, data"},
		"nameless input": {agent("x", node("a", inputID)), 400, "This field is required"},
		"reserved input": {agent("x", node("a", inputID, "name", "my_credentials")), 400, "'my_credentials' is a reserved input name: 'credentials' and `*_credentials` are reserved"},
		"credentials that are gone": {
			agent("x", node("a", sendID, "text", "x", "credentials", map[string]any{"id": "gone", "provider": "acme", "type": "api_key"})),
			400, " input 'credentials' updated with non-existent credentials #gone",
		},
		"graph given twice": {with(agent("x"), "id", "a", "sub_graphs", []any{with(agent("y"), "id", "a")}), 400, refuse("graph #a is given twice")},
		"version too high":  {with(agent("x"), "version", 1<<40), 400, refuse("versions go up to 1073741824")},
		"no description":    {map[string]any{"name": "x"}, 422, invalid("POST", "/api/graphs", map[string]any{"type": "missing", "loc": []any{"body", "graph", "description"}, "msg": "Field required", "input": map[string]any{"name": "x"}})},
		"bad name":          {with(agent("x"), "name", 1), 422, invalid("POST", "/api/graphs", map[string]any{"type": "string_type", "loc": []any{"body", "graph", "name"}, "msg": "Input should be a valid string", "input": 1})},
	} {
		t.Run(name, func(t *testing.T) {
			a := b.on(t).call(alice, "POST", "/api/graphs", map[string]any{"graph": c.graph})
			if strings.HasPrefix(c.want, "{") {
				a.is(c.status, c.want)
				return
			}
			require.Equal(t, c.status, a.status)
			require.Contains(t, a.body, c.want)
			require.Contains(t, a.body, `"hint":"Adjust the request and retry."`)
		})
	}
	t.Run("source", func(t *testing.T) {
		b.on(t).call(alice, "POST", "/api/graphs", map[string]any{"graph": agent("x"), "source": "moon"}).
			is(422, invalid("POST", "/api/graphs", map[string]any{"type": "enum", "loc": []any{"body", "source"}, "msg": "Input should be 'builder' or 'upload'", "input": "moon"}))
	})
	require.Equal(t, []any{}, b.ok(alice, "GET", "/api/graphs", nil), "nothing was stored")
	for _, source := range []any{"builder", "upload", nil} {
		require.Equal(t, 200, b.call(alice, "POST", "/api/graphs", map[string]any{"graph": agent("x"), "source": source}).status)
	}
}

func TestMissingGraph(t *testing.T) {
	engines(t, func(b *bed) {
		foreign := b.save(bob, echoAgent("of bob"))["id"].(string)
		for _, id := range []string{"unknown", uuid.NewString(), foreign} {
			missing := detail("Graph #" + id + " not found.")
			b.call(alice, "GET", "/api/graphs/"+id, nil).is(404, missing)
			b.call(alice, "GET", "/api/graphs/"+id+"?version=1", nil).is(404, missing)
			b.call(alice, "GET", "/api/graphs/"+id+"/versions", nil).is(404, missing)
			b.call(alice, "GET", "/api/graphs/"+id+"/versions/1", nil).is(404, missing)
			b.call(alice, "PUT", "/api/graphs/"+id, with(agent("x"), "id", id)).is(404, missing)
			b.call(alice, "PUT", "/api/graphs/"+id+"/versions/active", `{"active_graph_version":1}`).is(404, detail("Graph #"+id+" v1 not found"))
			b.call(alice, "PATCH", "/api/graphs/"+id+"/settings", `{}`).is(404, detail("Graph #"+id+" not found in user's library"))
			b.call(alice, "DELETE", "/api/graphs/"+id, nil).is(200, `{"version_counts":0}`)
		}
		require.Equal(b.t, 200, b.call(bob, "GET", "/api/graphs/"+foreign, nil).status)
	})
}

func TestVersions(t *testing.T) {
	engines(t, func(b *bed) {
		v1 := b.save(alice, with(echoAgent("first"), "instructions", "do it"))
		id := v1["id"].(string)
		path := "/api/graphs/" + id
		v2 := b.object(alice, "PUT", path, with(echoAgent("second"), "id", id, "version", 1))
		require.EqualValues(b.t, 2, v2["version"])
		require.NotEqual(b.t, v1["nodes"].([]any)[0].(map[string]any)["id"], v2["nodes"].([]any)[0].(map[string]any)["id"])
		v3 := b.object(alice, "PUT", path, with(echoAgent("third"), "id", id, "is_active", false))
		require.EqualValues(b.t, 3, v3["version"])
		require.Equal(b.t, false, v3["is_active"])

		b.call(alice, "PUT", path, echoAgent("x")).is(400, detail("Graph ID does not match ID in URI"))
		b.call(alice, "PUT", path, with(echoAgent("x"), "id", "other")).is(400, detail("Graph ID does not match ID in URI"))
		a := b.call(alice, "PUT", path, with(agent("x", node("a", disabledID)), "id", id))
		a.is(400, failure("PUT", path, "Block "+disabledID+" is disabled and cannot be used in graphs: Acme has closed"))

		get := func(query string) map[string]any { return b.object(alice, "GET", path+query, nil) }
		require.Equal(b.t, "third", get("")["name"], "the highest, not the active one")
		require.Equal(b.t, "first", get("?version=1")["name"])
		require.Equal(b.t, "do it", get("?version=1")["instructions"])
		require.Equal(b.t, "second", get("/versions/2")["name"])
		b.call(alice, "GET", path+"?version=4", nil).is(404, detail("Graph #"+id+" not found."))
		b.call(alice, "GET", path+"/versions/4", nil).is(404, detail("Graph #"+id+" not found."))
		b.call(alice, "GET", path+"?version=0", nil).is(422, invalid("GET", path, map[string]any{
			"type": "greater_than_equal", "loc": []any{"query", "version"}, "msg": "Input should be greater than or equal to 1", "input": 0,
		}))
		require.Equal(b.t, 422, b.call(alice, "GET", path+"/versions/x", nil).status)
		require.Equal(b.t, 422, b.call(alice, "GET", path+"?for_export=perhaps", nil).status)

		actives := func() map[float64]bool {
			m := map[float64]bool{}
			last := 99.0
			for _, v := range b.ok(alice, "GET", path+"/versions", nil).([]any) {
				version := v.(map[string]any)["version"].(float64)
				require.Less(b.t, version, last, "newest first")
				last = version
				m[version] = v.(map[string]any)["is_active"].(bool)
			}
			return m
		}
		listed := func() any {
			list := b.ok(alice, "GET", "/api/graphs", nil).([]any)
			require.Len(b.t, list, 1)
			return list[0].(map[string]any)["version"]
		}
		require.Equal(b.t, map[float64]bool{1: false, 2: true, 3: false}, actives())
		require.EqualValues(b.t, 2, listed())

		b.call(alice, "PUT", path+"/versions/active", `{"active_graph_version":1}`).is(200, `null`)
		require.Equal(b.t, map[float64]bool{1: true, 2: false, 3: false}, actives())
		require.EqualValues(b.t, 1, listed())
		require.Equal(b.t, true, get("?version=1")["is_active"])
		require.Equal(b.t, false, get("?version=2")["is_active"])
		b.call(alice, "PUT", path+"/versions/active", `{"active_graph_version":4}`).is(404, detail("Graph #"+id+" v4 not found"))
		b.call(alice, "PUT", path+"/versions/active", `{"active_graph_version":0}`).is(404, detail("Graph #"+id+" v0 not found"))
		b.call(alice, "PUT", path+"/versions/active", `{}`).is(422, invalid("PUT", path+"/versions/active", map[string]any{
			"type": "missing", "loc": []any{"body", "active_graph_version"}, "msg": "Field required", "input": map[string]any{},
		}))
		require.EqualValues(b.t, 1, listed())

		b.call(alice, "DELETE", path, nil).is(200, `{"version_counts":3}`)
		b.call(alice, "DELETE", path, nil).is(200, `{"version_counts":0}`)
		require.Equal(b.t, 404, b.call(alice, "GET", path, nil).status)
		require.Equal(b.t, []any{}, b.ok(alice, "GET", "/api/graphs", nil))
		b.call(alice, "PATCH", path+"/settings", `{}`).is(404, detail("Graph #"+id+" not found in user's library"))
	})
}

func TestListGraphs(t *testing.T) {
	engines(t, func(b *bed) {
		require.Equal(b.t, []any{}, b.ok(alice, "GET", "/api/graphs", nil))
		one := b.save(alice, echoAgent("one"))["id"].(string)
		b.object(alice, "PUT", "/api/graphs/"+one, with(echoAgent("one again"), "id", one))
		b.save(alice, echoAgent("two"))
		b.save(bob, echoAgent("of bob"))
		list := b.ok(alice, "GET", "/api/graphs", nil).([]any)
		require.Len(b.t, list, 2)
		require.Equal(b.t, "one again", list[0].(map[string]any)["name"], "by version")
		require.Equal(b.t, "two", list[1].(map[string]any)["name"])
		for _, member := range []string{"nodes", "links", "input_schema"} {
			require.NotContains(b.t, list[0], member)
		}
		require.Equal(b.t, alice, list[0].(map[string]any)["user_id"])
	})
}

// Saves at the same time each get a version of their own.
func TestConcurrentSaves(t *testing.T) {
	engines(t, func(b *bed) {
		id := b.save(alice, echoAgent("x"))["id"].(string)
		const saves = 8
		statuses := make([]int, saves)
		var wg sync.WaitGroup
		for i := range saves {
			wg.Go(func() {
				statuses[i] = b.call(alice, "PUT", "/api/graphs/"+id, with(echoAgent(fmt.Sprint(i)), "id", id)).status
			})
		}
		wg.Wait()
		for _, status := range statuses {
			require.Equal(b.t, http.StatusOK, status)
		}
		versions := b.ok(alice, "GET", "/api/graphs/"+id+"/versions", nil).([]any)
		require.Len(b.t, versions, saves+1)
		active := 0
		for i, v := range versions {
			require.EqualValues(b.t, saves+1-i, v.(map[string]any)["version"])
			if v.(map[string]any)["is_active"] == true {
				active++
			}
		}
		require.Equal(b.t, 1, active)
	})
}

func TestSettings(t *testing.T) {
	engines(t, func(b *bed) {
		id := b.save(alice, echoAgent("x"))["id"].(string)
		path := "/api/graphs/" + id + "/settings"
		for _, c := range [][2]string{
			{`{"human_in_the_loop_safe_mode":false,"sensitive_action_safe_mode":true}`, `{"human_in_the_loop_safe_mode":false,"sensitive_action_safe_mode":true}`},
			{`{"sensitive_action_safe_mode":true}`, `{"human_in_the_loop_safe_mode":true,"sensitive_action_safe_mode":true}`},
			{`{"human_in_the_loop_safe_mode":null}`, `{"human_in_the_loop_safe_mode":true,"sensitive_action_safe_mode":false}`},
			{`{}`, `{"human_in_the_loop_safe_mode":true,"sensitive_action_safe_mode":false}`},
		} {
			b.call(alice, "PATCH", path, c[0]).is(200, c[1])
			entry, err := b.platform.Library.Entry(b.t.Context(), alice, id, 1)
			require.NoError(b.t, err)
			require.JSONEq(b.t, c[1], encode(entry.Settings))
		}
		require.Equal(b.t, 422, b.call(alice, "PATCH", path, `{"human_in_the_loop_safe_mode":"maybe"}`).status)
		b.call(bob, "PATCH", path, `{}`).is(404, detail("Graph #"+id+" not found in user's library"))
	})
}

func TestExport(t *testing.T) {
	b := newBed(t, "")
	g := b.save(alice, agent("x",
		node("a", storeID, "input", map[string]any{"headers": map[string]any{"api_key": "k", "max_tokens": 5}}, "control_test_input", "c",
			"api_key", "1", "password", "2", "token", "3", "credentials", "4", "anthropic_credentials", "5"),
		node("b", storeID), link("a.output", "b.input"), link("a.output", "b.input")))
	path := "/api/graphs/" + g["id"].(string)
	require.Len(t, b.object(alice, "GET", path, nil)["links"], 2)
	for _, query := range []string{"?for_export=true", "?for_export=true&version=1", "/versions/1?for_export=true"} {
		e := b.object(alice, "GET", path+query, nil)
		require.Equal(t, "", e["user_id"])
		require.Len(t, e["links"], 1)
		require.Equal(t, map[string]any{
			"input": map[string]any{"headers": map[string]any{"max_tokens": 5.0}}, "control_test_input": "c",
		}, e["nodes"].([]any)[0].(map[string]any)["input_default"])
	}
	again := b.save(bob, b.object(alice, "GET", path+"?for_export=true", nil))
	require.NotEqual(t, g["id"], again["id"])
	require.Equal(t, bob, again["user_id"])
}

// A nested agent follows its parent through saves, and only its owner's agents
// are ever shown or run.
func TestSubGraphs(t *testing.T) {
	engines(t, func(b *bed) {
		call := func(id string, version int) map[string]any {
			return node("call", agentID, "graph_id", id, "graph_version", version, "user_id", "someone",
				"input_schema", map[string]any{"properties": map[string]any{"in": map[string]any{}}, "required": []any{"in"}},
				"output_schema", map[string]any{"properties": map[string]any{"out": map[string]any{}}})
		}
		parent := func(id string, version int) map[string]any {
			return agent("parent", node("i", inputID, "name", "x"), call(id, version), node("o", outputID, "name", "y"),
				link("i.result", "call.in"), link("call.out", "o.value"))
		}
		g := b.save(alice, with(parent("child", 1), "id", "parent", "sub_graphs", []any{with(echoAgent("child"), "id", "child")}))
		sub := g["sub_graphs"].([]any)[0].(map[string]any)
		defaults := g["nodes"].([]any)[1].(map[string]any)["input_default"].(map[string]any)
		require.NotEqual(b.t, "child", sub["id"])
		require.Equal(b.t, sub["id"], defaults["graph_id"])
		require.Equal(b.t, alice, defaults["user_id"])
		require.Equal(b.t, map[string]any{}, defaults["inputs"])
		require.Contains(b.t, sub, "input_schema")
		require.NotContains(b.t, sub, "user_id")

		id, childID := g["id"].(string), sub["id"].(string)
		require.Equal(b.t, map[string]any{"y": []any{"deep"}}, b.run(alice, id, map[string]any{"x": "deep"})["outputs"])

		v2 := b.object(alice, "PUT", "/api/graphs/"+id, with(parent(childID, 1), "id", id, "sub_graphs", []any{with(echoAgent("child again"), "id", childID)}))
		sub = v2["sub_graphs"].([]any)[0].(map[string]any)
		require.Equal(b.t, childID, sub["id"])
		require.EqualValues(b.t, 2, sub["version"])
		require.Equal(b.t, "child again", sub["name"])
		require.EqualValues(b.t, 2, v2["nodes"].([]any)[1].(map[string]any)["input_default"].(map[string]any)["graph_version"])

		// Bob sends alice's child as his own: he gets a copy under another id.
		mine := b.save(bob, echoAgent("of bob"))["id"].(string)
		taken := b.object(bob, "PUT", "/api/graphs/"+mine, with(parent(childID, 2), "id", mine, "sub_graphs", []any{with(echoAgent("evil"), "id", childID)}))
		require.NotEqual(b.t, childID, taken["sub_graphs"].([]any)[0].(map[string]any)["id"])
		require.Len(b.t, b.ok(alice, "GET", "/api/graphs/"+childID+"/versions", nil), 2)

		// Bob's agent points at alice's: it is neither shown nor run.
		spy := b.save(bob, parent(childID, 1))
		require.Equal(b.t, []any{}, spy["sub_graphs"])
		spyID := spy["id"].(string)
		require.Equal(b.t, []any{}, b.object(bob, "GET", "/api/graphs/"+spyID, nil)["sub_graphs"])
		run := b.run(bob, spyID, map[string]any{"x": "secret"})
		require.Equal(b.t, map[string]any{}, run["outputs"])
		require.NotContains(b.t, encode(run), "child again")
	})
}
