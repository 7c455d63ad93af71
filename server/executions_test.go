package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestExecute(t *testing.T) {
	engines(t, func(b *bed) {
		g := b.save(alice, agent("g",
			node("input_node", inputID, "name", "Load Test Input"),
			node("output_node", outputID, "name", "Load Test Output", "value", "Test output value"),
			link("input_node.result", "output_node.value")))
		id := g["id"].(string)
		inputs := map[string]any{"Load Test Input": map[string]any{"a": 1.0}}
		meta := b.object(alice, "POST", "/api/graphs/"+id+"/execute/1", map[string]any{
			"inputs": inputs, "credentials_inputs": map[string]any{}, "source": "builder",
		})
		runID := meta["id"].(string)
		require.NoError(b.t, uuid.Validate(runID))
		delete(meta, "id")
		require.JSONEq(b.t, fmt.Sprintf(`{"user_id":"alice","graph_id":%q,"graph_version":1,"inputs":{"Load Test Input":{"a":1}},
			"credential_inputs":{},"nodes_input_masks":null,"preset_id":null,"status":"QUEUED","started_at":null,"ended_at":null,
			"is_shared":false,"share_token":null,"is_dry_run":false,"stats":null}`, id), encode(meta))

		run := b.ended(alice, id, runID)
		require.Equal(b.t, "COMPLETED", run["status"])
		require.Equal(b.t, inputs, run["inputs"])
		require.Equal(b.t, map[string]any{"Load Test Output": []any{map[string]any{"a": 1.0}}}, run["outputs"])
		stats := run["stats"].(map[string]any)
		require.EqualValues(b.t, 2, stats["node_exec_count"])
		require.EqualValues(b.t, 0, stats["node_error_count"])
		require.Nil(b.t, stats["error"])
		for _, moment := range []string{"started_at", "ended_at"} {
			_, err := time.Parse("2006-01-02T15:04:05.999999Z", run[moment].(string))
			require.NoError(b.t, err, moment)
		}
		nodes := run["node_executions"].([]any)
		require.Len(b.t, nodes, 2)
		in, out := nodes[0].(map[string]any), nodes[1].(map[string]any)
		require.Equal(b.t, g["nodes"].([]any)[0].(map[string]any)["id"], in["node_id"])
		require.Equal(b.t, map[string]any{"result": []any{map[string]any{"a": 1.0}}}, in["output_data"])
		require.Equal(b.t, map[string]any{"name": "Load Test Output", "value": map[string]any{"a": 1.0}}, out["input_data"])
		require.Equal(b.t, map[string]any{"output": []any{map[string]any{"a": 1.0}}, "name": []any{"Load Test Output"}}, out["output_data"])
		for _, n := range []map[string]any{in, out} {
			require.Equal(b.t, []any{"COMPLETED", runID, id, alice}, []any{n["status"], n["graph_exec_id"], n["graph_id"], n["user_id"]})
		}
	})
}

func TestRefusedRuns(t *testing.T) {
	engines(t, func(b *bed) {
		save := func(a map[string]any) string { return b.save(alice, a)["id"].(string) }
		echo := save(echoAgent("x"))
		cycle := save(agent("cycle", node("a", storeID), node("b", storeID), link("a.output", "b.input"), link("b.output", "a.input")))
		notes := save(agent("notes", node("n", noteID, "text", "hi")))
		hook := save(agent("hook", node("h", hookID)))
		foreign := b.save(bob, echoAgent("of bob"))["id"].(string)
		const noStart = "No starting nodes found for the graph, make sure an AgentInput or blocks with no inbound links are present as starting nodes."
		const triggered = "This agent is triggered by an external event (webhook) and cannot be executed directly. Please use the appropriate trigger to run this agent."
		for name, c := range map[string]struct {
			id, version, body string
			status            int
			want              string // the detail, or "" to look at the status only
		}{
			"unknown graph":    {"unknown", "1", `{}`, 400, "Graph #unknown not found."},
			"unknown version":  {echo, "7", `{}`, 400, "Graph #" + echo + " not found."},
			"huge version":     {echo, "99999999999", `{}`, 400, "Graph #" + echo + " not found."},
			"foreign graph":    {foreign, "1", `{}`, 403, "You do not have access to graph #" + foreign + " v1: it is not owned by you, not in your library, and not available in the Marketplace"},
			"cycle":            {cycle, "1", `{}`, 400, noStart},
			"only notes":       {notes, "1", `{}`, 400, noStart},
			"trigger":          {hook, "1", `{}`, 400, triggered},
			"version of words": {echo, "one", `{}`, 422, ""},
			"inputs as a list": {echo, "1", `{"inputs":[]}`, 422, ""},
			"source":           {echo, "1", `{"source":"moon"}`, 422, ""},
			"no body":          {echo, "1", ``, 422, ""},
		} {
			b.t.(*testing.T).Run(name, func(t *testing.T) {
				path := "/api/graphs/" + c.id + "/execute/" + c.version
				a := b.on(t).call(alice, "POST", path, c.body)
				require.Equal(t, c.status, a.status, a.body)
				if c.want != "" {
					a.is(c.status, failure("POST", path, c.want))
				}
			})
		}
		require.Equal(b.t, []any{}, b.ok(alice, "GET", "/api/executions", nil), "nothing was started")

		require.NoError(b.t, b.platform.DB.Write.Exec("DELETE FROM library_agents WHERE graph_id = ?", echo).Error)
		path := "/api/graphs/" + echo + "/execute/1"
		b.call(alice, "POST", path, `{}`).is(403, failure("POST", path, "Graph #"+echo+" is not in your library"))
	})
}

// Faults of nodes come in the form that the web client shows beside the nodes.
func TestRunValidation(t *testing.T) {
	b := newBed(t, "")
	for name, c := range map[string]struct {
		node, credentials map[string]any
		want              map[string]string
	}{
		"missing input and credentials": {node("a", sendID), nil, map[string]string{"text": "This field is required", "credentials": "These credentials are required"}},
		"unknown credentials": {
			node("a", sendID, "text", "x"),
			map[string]any{"id": "gone", "provider": "acme", "type": "api_key"},
			map[string]string{"credentials": "Unknown credentials #gone"},
		},
		"credentials of another provider": {
			node("a", sendID, "text", "x"),
			map[string]any{"id": acmeCredential, "provider": "other", "type": "api_key"},
			map[string]string{"credentials": "Invalid credentials: type/provider mismatch"},
		},
		"credentials of another type": {
			node("a", sendID, "text", "x"),
			map[string]any{"id": acmeCredential, "provider": "acme", "type": "oauth2"},
			map[string]string{"credentials": "Invalid credentials: type/provider mismatch"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.on(t)
			g := b.save(alice, agent("x", c.node))
			body := map[string]any{}
			if c.credentials != nil {
				body["credentials_inputs"] = map[string]any{"acme_api_key_credentials": c.credentials}
			}
			message := fmt.Sprintf("Graph validation failed: %d issues on 1 nodes", len(c.want))
			nodeID := g["nodes"].([]any)[0].(map[string]any)["id"].(string)
			b.call(alice, "POST", "/api/graphs/"+g["id"].(string)+"/execute/1", body).is(400, encode(map[string]any{
				"detail": map[string]any{"type": "validation_error", "message": message, "node_errors": map[string]any{nodeID: c.want}},
			}))
		})
	}
	t.Run("with credentials", func(t *testing.T) {
		b := b.on(t)
		id := b.save(alice, agent("x", node("a", sendID, "text", "hi"), node("o", outputID, "name", "o"), link("a.result", "o.value")))["id"].(string)
		started := b.object(alice, "POST", "/api/graphs/"+id+"/execute/1", map[string]any{"credentials_inputs": map[string]any{
			"acme_api_key_credentials": map[string]any{"id": acmeCredential, "provider": "acme", "type": "api_key"},
			"unknown_key":              map[string]any{"id": "x", "provider": "y", "type": "api_key"},
		}})
		run := b.ended(alice, id, started["id"].(string))
		require.Equal(t, map[string]any{"o": []any{"hi by Acme of the operator"}}, run["outputs"])
		require.NotContains(t, encode(run), "acme-secret-key")
	})
}

func TestListRuns(t *testing.T) {
	engines(t, func(b *bed) {
		one, two := b.save(alice, echoAgent("one"))["id"].(string), b.save(alice, echoAgent("two"))["id"].(string)
		b.call(alice, "GET", "/api/executions", nil).is(200, `[]`)
		path := "/api/graphs/" + one + "/executions"
		b.call(alice, "GET", path, nil).is(200, `{"executions":[],"pagination":{"total_items":0,"total_pages":0,"current_page":1,"page_size":25}}`)
		var ids []string
		for i := range 5 {
			ids = append([]string{b.run(alice, one, map[string]any{"in": i})["id"].(string)}, ids...)
		}
		b.run(alice, two, nil)

		all := b.ok(alice, "GET", "/api/executions", nil).([]any)
		require.Len(b.t, all, 6)
		require.Equal(b.t, two, all[0].(map[string]any)["graph_id"], "newest first")
		require.NotContains(b.t, all[0], "outputs")

		var seen []string
		for page := 1; page <= 4; page++ {
			p := b.object(alice, "GET", fmt.Sprintf("%s?page=%d&page_size=2", path, page), nil)
			require.JSONEq(b.t, fmt.Sprintf(`{"total_items":5,"total_pages":3,"current_page":%d,"page_size":2}`, page), encode(p["pagination"]))
			for _, r := range p["executions"].([]any) {
				seen = append(seen, r.(map[string]any)["id"].(string))
			}
		}
		require.Equal(b.t, ids, seen)

		for query, item := range map[string]map[string]any{
			"page=0":        {"type": "greater_than_equal", "loc": []any{"query", "page"}, "msg": "Input should be greater than or equal to 1", "input": 0},
			"page_size=0":   {"type": "greater_than_equal", "loc": []any{"query", "page_size"}, "msg": "Input should be greater than or equal to 1", "input": 0},
			"page_size=101": {"type": "less_than_equal", "loc": []any{"query", "page_size"}, "msg": "Input should be less than or equal to 100", "input": 101},
			"page=x":        {"type": "int_parsing", "loc": []any{"query", "page"}, "msg": "Input should be a valid integer, unable to parse string as an integer", "input": "x"},
		} {
			b.call(alice, "GET", path+"?"+query, nil).is(422, invalid("GET", path, item))
		}
		b.call(bob, "GET", "/api/executions", nil).is(200, `[]`)
		require.Equal(b.t, []any{}, b.object(bob, "GET", path, nil)["executions"])

		b.call(alice, "DELETE", "/api/executions/"+ids[0], nil).is(204, "")
		require.EqualValues(b.t, 4, b.object(alice, "GET", path, nil)["pagination"].(map[string]any)["total_items"])
		require.Len(b.t, b.ok(alice, "GET", "/api/executions", nil), 5)
		b.call(alice, "DELETE", "/api/executions/"+ids[0], nil).is(204, "")
		b.call(alice, "DELETE", "/api/executions/unknown", nil).is(404, detail("Graph execution #unknown not found."))
		b.call(bob, "DELETE", "/api/executions/"+ids[1], nil).is(404, detail("Graph execution #"+ids[1]+" not found."))
		require.Equal(b.t, 200, b.call(alice, "GET", path+"/"+ids[1], nil).status)
	})
}

func TestMissingRun(t *testing.T) {
	engines(t, func(b *bed) {
		id := b.save(alice, echoAgent("x"))["id"].(string)
		other := b.save(alice, echoAgent("y"))["id"].(string)
		run := b.run(alice, id, nil)["id"].(string)
		missing := func(who, graphID, runID string) {
			b.call(who, "GET", "/api/graphs/"+graphID+"/executions/"+runID, nil).is(404, detail("Graph execution #"+runID+" not found."))
			b.call(who, "POST", "/api/graphs/"+graphID+"/executions/"+runID+"/stop", nil).is(200, `null`)
			b.call(who, "POST", "/api/graphs/"+graphID+"/executions/"+runID+"/share", nil).is(404, detail("Execution not found"))
			b.call(who, "DELETE", "/api/graphs/"+graphID+"/executions/"+runID+"/share", nil).is(404, detail("Execution not found"))
		}
		missing(alice, id, "unknown")
		missing(alice, id, uuid.NewString())
		missing(alice, other, run)
		missing(bob, id, run)
		b.call(alice, "POST", "/api/graphs/"+id+"/executions/"+run+"/stop", nil).is(200, `null`)
	})
}

func TestStop(t *testing.T) {
	engines(t, func(b *bed) {
		id := b.save(alice, agent("hold", node("h", holdID), node("s", storeID), link("h.result", "s.input")))["id"].(string)
		run := b.object(alice, "POST", "/api/graphs/"+id+"/execute/1", `{}`)["id"].(string)
		path := "/api/graphs/" + id + "/executions/" + run
		b.eventually("the node runs", func() bool {
			nodes := b.object(alice, "GET", path, nil)["node_executions"].([]any)
			return len(nodes) == 1 && nodes[0].(map[string]any)["status"] == "RUNNING"
		})
		b.call(bob, "POST", path+"/stop", nil).is(200, `null`)
		require.Equal(b.t, "RUNNING", b.object(alice, "GET", path, nil)["status"])

		require.Equal(b.t, run, b.object(alice, "POST", path+"/stop", nil)["id"])
		ended := b.ended(alice, id, run)
		require.Equal(b.t, "TERMINATED", ended["status"])
		require.NotNil(b.t, ended["ended_at"])
		require.Equal(b.t, "TERMINATED", ended["node_executions"].([]any)[0].(map[string]any)["status"])
		b.call(alice, "POST", path+"/stop", nil).is(200, `null`)
	})
}

// Deleting an agent ends what runs on it.
func TestDeleteStopsRuns(t *testing.T) {
	b := newBed(t, "")
	id := b.save(alice, agent("hold", node("h", holdID)))["id"].(string)
	run := b.object(alice, "POST", "/api/graphs/"+id+"/execute/1", `{}`)["id"].(string)
	b.call(alice, "DELETE", "/api/graphs/"+id, nil).is(200, `{"version_counts":1}`)
	b.eventually("the run ends", func() bool {
		for _, r := range b.ok(alice, "GET", "/api/executions", nil).([]any) {
			if m := r.(map[string]any); m["id"] == run {
				return m["status"] == "TERMINATED"
			}
		}
		return false
	})
	path := "/api/graphs/" + id + "/execute/1"
	b.call(alice, "POST", path, `{}`).is(400, failure("POST", path, "Graph #"+id+" not found."))
}

// A node that fails is told on its error pin, and the run goes on.
func TestFailingNode(t *testing.T) {
	b := newBed(t, "")
	id := b.save(alice, agent("x", node("c", crashID), node("o", outputID, "name", "error"), link("c.error", "o.value")))["id"].(string)
	run := b.run(alice, id, nil)
	require.Equal(t, "COMPLETED", run["status"])
	require.EqualValues(t, 1, run["stats"].(map[string]any)["node_error_count"])
	told := run["outputs"].(map[string]any)["error"].([]any)[0].(string)
	require.True(t, strings.HasPrefix(told, "raised by AcmeCrashBlock with message: "), told)
	require.NotContains(t, told, "goroutine")
}
