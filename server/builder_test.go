package server_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rawList gives the raw members of a list of an answer.
func rawList(t testing.TB, body, member string) []string {
	t.Helper()
	data := []byte(body)
	if member != "" {
		var answer map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &answer))
		data = answer[member]
	}
	var list []json.RawMessage
	require.NoError(t, json.Unmarshal(data, &list))
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = string(list[i])
	}
	return texts
}

// Blocks are the same everywhere, to the byte.
func TestBuilderBlocksAreThoseOfTheList(t *testing.T) {
	b := newBed(t, "")
	all := map[string]string{}
	order := []string{}
	for _, text := range rawList(t, b.call(alice, "GET", "/api/blocks", nil).body, "") {
		var info struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(text), &info))
		all[info.ID] = text
		if info.ID != agentID {
			order = append(order, text)
		}
	}
	page := b.call(alice, "GET", "/api/builder/blocks?page_size=500", nil)
	require.Equal(t, order, rawList(t, page.body, "blocks"))
	batch := b.call(alice, "GET", "/api/builder/blocks/batch?block_ids="+agentID+"&block_ids=unknown&block_ids="+storeID+"&block_ids="+storeID+"&block_ids="+disabledID, nil)
	got := rawList(t, batch.body, "")
	require.Equal(t, []string{all[agentID], all[storeID], all[storeID]}, got[:3])
	require.Len(t, got, 4)
	require.Contains(t, got[3], disabledID, "also disabled ones")
	found := b.call(alice, "GET", "/api/builder/search?search_query=store+value&page_size=1", nil)
	require.Equal(t, []string{all[storeID]}, rawList(t, found.body, "items"))

	var members []string
	d := json.NewDecoder(strings.NewReader(got[0]))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err)
		members = append(members, key.(string))
		var value json.RawMessage
		require.NoError(t, d.Decode(&value))
	}
	require.Equal(t, []string{
		"id", "name", "inputSchema", "outputSchema", "costs", "description", "categories", "contributors", "staticOutput", "uiType",
	}, members)
}

func TestBuilderRequests(t *testing.T) {
	b := newBed(t, "")
	const base = "/api/builder/"
	field := func(path, kind, name, msg, input string, ctx any) string {
		item := map[string]any{"type": kind, "loc": []any{"query", name}, "msg": msg, "input": input}
		if ctx != nil {
			item["ctx"] = ctx
		}
		return invalid("GET", base+path, item)
	}
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"blocks?category=ai&type=input", 400, detail("Only one of category, type, or provider can be specified")},
		{"blocks?type=all&provider=acme", 400, detail("Only one of category, type, or provider can be specified")},
		{"search?filter=foo,blocks", 400, detail("Invalid filter value(s): foo. Valid values are: blocks, integrations, marketplace_agents, my_agents")},
		{"search?filter=+foo+,,bar", 400, detail("Invalid filter value(s): foo, bar. Valid values are: blocks, integrations, marketplace_agents, my_agents")},
		{"blocks?type=trigger", 422, field("blocks", "enum", "type", "Input should be 'all', 'input', 'action' or 'output'", "trigger", nil)},
		{"blocks/batch", 422, field("blocks/batch", "missing", "block_ids", "Field required", "", nil)},
		{"blocks?category=x", 200, `{"blocks":[],"pagination":{"total_items":0,"total_pages":0,"current_page":1,"page_size":50}}`},
		{"blocks?type=input&page=3&page_size=5", 200, ""},
		{"blocks?page=9223372036854775807&page_size=500", 200, ""},
		{"blocks/batch?block_ids=x", 200, `[]`},
		{"blocks/batch?" + strings.Repeat("block_ids=x&", 1000), 200, `[]`},
		{"blocks/batch?" + strings.Repeat("block_ids=x&", 1001), 422, ""},
		{"categories?blocks_per_category=0", 200, ""},
		{"categories?blocks_per_category=-1", 422, ""},
		{"providers?page_size=500", 200, ""},
		{"search?search_query=a&filter=blocks,integrations&by_creator=a,b&page=1&page_size=8", 200, ""},
		{"search?filter=", 200, ""},
		{"search?search_query=" + strings.Repeat("long", 1000), 200, ""},
		{"search?filter=" + strings.Repeat("blocks,", 100), 422, ""},
		{"search?by_creator=" + strings.Repeat("a,", 100), 200, ""},
		{"search?search_query=%ff", 400, ""},
	} {
		a := b.call(alice, "GET", base+c.path, nil)
		require.Equal(t, c.status, a.status, "%s: %.300s", c.path, a.body)
		if c.want != "" {
			require.JSONEq(t, c.want, a.body, c.path)
		}
	}
	for _, path := range []string{"blocks", "providers", "search"} {
		for _, wrong := range []string{"page=0", "page=-1", "page=x", "page_size=0", "page_size=501", "page=99999999999999999999"} {
			a := b.call(alice, "GET", base+path+"?"+wrong, nil)
			require.Equal(t, 422, a.status, "%s?%s: %.300s", path, wrong, a.body)
			name, _, _ := strings.Cut(wrong, "=")
			require.Equal(t, []any{"query", name}, a.json().(map[string]any)["detail"].([]any)[0].(map[string]any)["loc"])
		}
	}
	inputs := b.object(alice, "GET", base+"blocks?type=input", nil)
	require.Len(t, inputs["blocks"], 11)
	require.Equal(t, map[string]any{"total_items": 11.0, "total_pages": 1.0, "current_page": 1.0, "page_size": 50.0}, inputs["pagination"])
}

func TestBuilderSearch(t *testing.T) {
	engines(t, func(b *bed) {
		search := func(who string, query url.Values) map[string]any {
			return b.object(who, "GET", "/api/builder/search?"+query.Encode(), nil)
		}
		graph := b.save(alice, echoAgent("it's a 100% Zebra_agent"))["id"].(string)
		b.save(bob, echoAgent("Zebra of bob"))
		const typed = "  it's a 100% zebra_  "
		first := search(alice, url.Values{"search_query": {typed}, "by_creator": {"a,b", "c"}, "filter": {"my_agents, blocks"}})
		require.Equal(b.t, 1.0, first["total_items"].(map[string]any)["my_agents"])
		agent := first["items"].([]any)[0].(map[string]any)
		require.Equal(b.t, []any{graph, 1.0, "Unknown"}, []any{agent["graph_id"], agent["graph_version"], agent["creator_name"]})
		require.NotContains(b.t, encode(first), "of bob")

		suggestions := b.object(alice, "GET", "/api/builder/suggestions", nil)
		require.Equal(b.t, []any{map[string]any{
			"search_query": strings.TrimSpace(typed), "filter": []any{"my_agents", "blocks"}, "by_creator": []any{"a", "b", "c"}, "search_id": first["search_id"],
		}}, suggestions["recent_searches"])
		require.Len(b.t, suggestions["top_blocks"], 5)
		require.Equal(b.t, []any{"twitter", "github", "notion", "google", "discord", "google_maps"}, suggestions["providers"])

		// An id of somebody else's search changes nothing of theirs.
		id := first["search_id"].(string)
		his := search(bob, url.Values{"search_query": {"his"}, "search_id": {id}})
		require.NotEqual(b.t, id, his["search_id"])
		require.Equal(b.t, suggestions["recent_searches"], b.object(alice, "GET", "/api/builder/suggestions", nil)["recent_searches"])
		require.Len(b.t, b.object(bob, "GET", "/api/builder/suggestions", nil)["recent_searches"], 1)
		hers := search(alice, url.Values{"search_query": {"hers"}, "search_id": {id}})
		require.Equal(b.t, id, hers["search_id"])

		counts := b.object(alice, "GET", "/api/builder/counts", nil)
		require.Equal(b.t, []any{1.0, 0.0, 11.0}, []any{counts["my_agents"], counts["marketplace_agents"], counts["input_blocks"]})
		require.Equal(b.t, counts["all_blocks"], counts["input_blocks"].(float64)+counts["output_blocks"].(float64)+counts["action_blocks"].(float64))
	})
}

// What agents are made of shows in what is suggested.
func TestBuilderSuggestsWhatRuns(t *testing.T) {
	engines(t, func(b *bed) {
		graph := b.save(alice, agent("g", node("in", inputID, "name", "in"), node("store", storeID), node("out", outputID, "name", "out"),
			link("in.result", "store.input"), link("store.output", "out.value")))["id"].(string)
		b.run(alice, graph, map[string]any{"in": "x"})
		top := b.object(bob, "GET", "/api/builder/suggestions", nil)["top_blocks"].([]any)
		require.Equal(b.t, storeID, top[0].(map[string]any)["id"])
	})
}
