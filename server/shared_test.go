package server_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestSharing(t *testing.T) {
	engines(t, func(b *bed) {
		id := b.save(alice, echoAgent("told"))["id"].(string)
		run := b.run(alice, id, map[string]any{"in": "open"})["id"].(string)
		path := "/api/graphs/" + id + "/executions/" + run

		share := func(body any) string {
			link := b.object(alice, "POST", path+"/share", body)
			token := link["share_token"].(string)
			require.NoError(b.t, uuid.Validate(token))
			require.Equal(b.t, map[string]any{"share_token": token, "share_url": "http://localhost:3000/share/" + token}, link)
			return token
		}
		first := share(nil)
		a := b.call(nobody, "GET", "/api/public/shared/"+first, nil)
		require.Equal(b.t, "noindex, nofollow", a.header.Get("X-Robots-Tag"))
		shown := a.json().(map[string]any)
		require.NotEmpty(b.t, shown["created_at"])
		delete(shown, "created_at")
		require.Equal(b.t, map[string]any{
			"id": run, "graph_name": "told", "graph_description": "about told", "status": "COMPLETED",
			"outputs": map[string]any{"out": []any{"open"}},
		}, shown)
		meta := b.object(alice, "GET", path, nil)
		require.Equal(b.t, []any{true, first}, []any{meta["is_shared"], meta["share_token"]})

		second := share(`{}`)
		require.NotEqual(b.t, first, second)
		gone := detail("Shared execution not found")
		b.call(nobody, "GET", "/api/public/shared/"+first, nil).is(404, gone)
		require.Equal(b.t, 200, b.call(nobody, "GET", "/api/public/shared/"+second, nil).status)

		b.call(bob, "DELETE", path+"/share", nil).is(404, detail("Execution not found"))
		require.Equal(b.t, 200, b.call(nobody, "GET", "/api/public/shared/"+second, nil).status)
		b.call(alice, "DELETE", path+"/share", nil).is(204, "")
		b.call(nobody, "GET", "/api/public/shared/"+second, nil).is(404, gone)
		meta = b.object(alice, "GET", path, nil)
		require.Equal(b.t, []any{false, nil}, []any{meta["is_shared"], meta["share_token"]})

		third := share(nil)
		b.call(alice, "DELETE", "/api/executions/"+run, nil).is(204, "")
		b.call(nobody, "GET", "/api/public/shared/"+third, nil).is(404, gone)
	})
}

// What a run has put out so far is not shown before its end.
func TestSharingUnfinishedRun(t *testing.T) {
	b := newBed(t, "")
	id := b.save(alice, agent("", node("h", holdID), node("o", outputID, "name", "early", "value", "secret so far")))["id"].(string)
	run := b.object(alice, "POST", "/api/graphs/"+id+"/execute/1", `{}`)["id"].(string)
	path := "/api/graphs/" + id + "/executions/" + run
	b.eventually("the output is there", func() bool {
		return len(b.object(alice, "GET", path, nil)["outputs"].(map[string]any)) == 1
	})
	token := b.object(alice, "POST", path+"/share", nil)["share_token"].(string)
	shown := b.object(nobody, "GET", "/api/public/shared/"+token, nil)
	require.Equal(t, map[string]any{}, shown["outputs"])
	require.Equal(t, "Untitled Agent", shown["graph_name"])
	b.ok(alice, "POST", path+"/stop", nil)
	require.Len(t, b.object(nobody, "GET", "/api/public/shared/"+token, nil)["outputs"], 1)
}

func TestShareTokens(t *testing.T) {
	b := newBed(t, "")
	b.call(nobody, "GET", "/api/public/shared/"+uuid.NewString(), nil).is(404, detail("Shared execution not found"))
	for _, token := range []string{"x", strings.ToUpper(uuid.NewString()), uuid.NewString() + "0", "%27%20or%201=1"} {
		a := b.call(nobody, "GET", "/api/public/shared/"+token, nil)
		require.Equal(t, 422, a.status, token)
		item := a.json().(map[string]any)["detail"].([]any)[0].(map[string]any)
		require.Equal(t, []any{"path", "share_token"}, item["loc"])
		require.Equal(t, "string_pattern_mismatch", item["type"])
	}
}
