package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const reviewID = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d"

// asked starts a run of a user that waits for a person, and gives the id of what
// it asks.
func (b *bed) asked(who string) string {
	b.t.Helper()
	_, question := b.ask(who)
	return question["node_exec_id"].(string)
}

// ask starts a run that asks, and gives its path and what it asks.
func (b *bed) ask(who string) (path string, question map[string]any) {
	b.t.Helper()
	graph := b.save(who, agent("asks",
		node("in", inputID, "name", "in"), node("ask", reviewID, "name", "the text of "+who),
		node("out", outputID, "name", "out"), link("in.result", "ask.data"), link("ask.approved_data", "out.value")))["id"].(string)
	run := b.object(who, "POST", "/api/graphs/"+graph+"/execute/1", map[string]any{"inputs": map[string]any{"in": "private of " + who}})
	id := run["id"].(string)
	path = "/api/graphs/" + graph + "/executions/" + id
	require.Eventually(b.t, func() bool { return b.object(who, "GET", path, nil)["status"] == "REVIEW" }, 20*time.Second, 5*time.Millisecond)
	list := b.ok(who, "GET", "/api/review/execution/"+id, nil).([]any)
	require.Len(b.t, list, 1)
	return path, list[0].(map[string]any)
}

func TestReviews(t *testing.T) {
	engines(t, func(b *bed) {
		path, q := b.ask(alice)
		require.Equal(b.t, "private of alice", q["payload"])
		require.Equal(b.t, "the text of alice", q["instructions"])
		require.Equal(b.t, "WAITING", q["status"])
		require.Equal(b.t, []any{q}, b.ok(alice, "GET", "/api/review/pending?page=1&page_size=100", nil))
		b.call(bob, "GET", "/api/review/pending", nil).is(200, "[]")
		b.call(bob, "GET", "/api/review/execution/"+q["graph_exec_id"].(string), nil).
			is(404, detail("Graph execution #"+q["graph_exec_id"].(string)+" not found"))

		decide := func(who string, item map[string]any) answer {
			return b.call(who, "POST", "/api/review/action", map[string]any{"reviews": []any{with(item, "node_exec_id", q["node_exec_id"])}})
		}
		decide(alice, map[string]any{}).has(422)
		empty := b.call(alice, "POST", "/api/review/action", map[string]any{"reviews": []any{}})
		empty.has(422)
		require.Contains(b.t, empty.json().(map[string]any)["detail"].([]any)[0].(map[string]any)["msg"], "At least one review must be provided")
		b.call(alice, "POST", "/api/review/action", map[string]any{}).has(422)
		decide(bob, map[string]any{"approved": true}).is(404, detail("Review(s) not found: "+q["node_exec_id"].(string)))
		decide(alice, map[string]any{"approved": true, "reviewed_data": "better", "message": nil, "auto_approve_future": false}).
			is(200, `{"approved_count":1,"rejected_count":0,"failed_count":0,"error":null}`)
		require.Eventually(b.t, func() bool { return b.object(alice, "GET", path, nil)["status"] == "COMPLETED" }, 20*time.Second, 5*time.Millisecond)
		require.Equal(b.t, map[string]any{"out": []any{"better"}}, b.object(alice, "GET", path, nil)["outputs"])
		decide(alice, map[string]any{"approved": true}).has(200)
		decide(alice, map[string]any{"approved": false}).has(400)
		b.call(alice, "GET", "/api/review/pending", nil).is(200, "[]")
	})
}
