package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	stepID      = "f66a3543-28d3-4ab5-8945-9b336371e2ce"
	conditionID = "715696a0-e1da-45c8-b209-c2fa9c3b0be6"
	listItemID  = "262ca24c-1025-43cf-a578-534e23234e97"
	reverseID   = "422cb708-3109-4277-bfe3-bc2ae5812777"
	persistID   = "1d055e55-a2b9-4547-8311-907d05b0304d"
	retrieveID  = "d8710fc9-6e29-481e-a7d5-165eb16f8471"
)

func TestListBlocks(t *testing.T) {
	b := newBed(t, "")
	a := b.call(alice, "GET", "/api/blocks", nil)
	require.Equal(t, 200, a.status)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Empty(t, a.header.Get("Content-Encoding"))
	require.Empty(t, a.header.Get("Cache-Control"), "the list may be kept")
	etag := a.header.Get("ETag")
	require.NotEmpty(t, etag)

	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &list))
	byID := map[string]map[string]any{}
	for _, block := range list {
		for _, member := range []string{"id", "name", "inputSchema", "outputSchema", "costs", "description", "categories", "contributors", "staticOutput", "uiType"} {
			require.Contains(t, block, member)
		}
		require.NotContains(t, byID, block["id"])
		byID[block["id"].(string)] = block
	}
	require.Contains(t, byID, agentID)
	require.NotContains(t, byID, disabledID)
	store := byID[storeID]
	require.Equal(t, "StoreValueBlock", store["name"])
	require.Equal(t, true, store["staticOutput"])
	require.Equal(t, "Standard", store["uiType"])
	require.Equal(t, []any{}, store["costs"])
	require.Equal(t, []any{}, store["contributors"])
	require.Equal(t, "BASIC", store["categories"].([]any)[0].(map[string]any)["category"])
	require.Equal(t, []any{"output"}, store["outputSchema"].(map[string]any)["required"])
	require.Equal(t, "Input", byID[inputID]["uiType"])
	require.Equal(t, "Webhook (manual)", byID[hookID]["uiType"])

	t.Run("compressed", func(t *testing.T) {
		z := b.call(alice, "GET", "/api/blocks", nil, "Accept-Encoding", "br, gzip")
		require.Equal(t, "gzip", z.header.Get("Content-Encoding"))
		require.Equal(t, etag, z.header.Get("ETag"))
		r, err := gzip.NewReader(bytes.NewReader([]byte(z.body)))
		require.NoError(t, err)
		plain, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, a.body, string(plain))
	})
	t.Run("unchanged", func(t *testing.T) {
		for _, tag := range []string{etag, "W/" + etag, `"other", ` + etag} {
			again := b.call(alice, "GET", "/api/blocks", nil, "If-None-Match", tag)
			again.is(304, "")
			require.Equal(t, etag, again.header.Get("ETag"))
		}
		require.Equal(t, 200, b.call(alice, "GET", "/api/blocks", nil, "If-None-Match", `"other"`).status)
	})
	t.Run("caches tell the forms apart", func(t *testing.T) {
		for _, headers := range [][]string{
			{"Accept-Encoding", "gzip"}, {"Accept-Encoding", "identity"}, {"If-None-Match", etag},
		} {
			require.Equal(t, []string{"Accept-Encoding"}, b.call(alice, "GET", "/api/blocks", nil, headers...).header.Values("Vary"), headers)
		}
	})
	t.Run("for users only", func(t *testing.T) {
		b.call(nobody, "GET", "/api/blocks", nil).is(401, detail("Authorization header is missing"))
		b.call(nobody, "GET", "/api/blocks", nil, "If-None-Match", etag).is(401, detail("Authorization header is missing"))
	})
}

func TestExecuteBlock(t *testing.T) {
	path := func(id string) string { return "/api/blocks/" + id + "/execute" }
	raised := func(name, message, id string) string {
		return failure("POST", path(id), "raised by "+name+" with message: "+message+". block_id: "+id)
	}
	const bad = "Unable to execute block with invalid input data: "
	engines(t, func(b *bed) {
		for _, c := range []struct {
			name, id, body string
			status         int
			want           string
		}{
			{"unknown", "nonexistent-block", `{}`, 404, detail("Block #nonexistent-block not found.")},
			{"disabled", disabledID, `{}`, 403, detail("Block #" + disabledID + " is disabled.")},
			{"store", storeID, `{"input":"a"}`, 200, `{"output":["a"]}`},
			{"several values in order", stepID, `{"items":[1,2]}`, 200, `{"item":[1,2],"key":[0,1]}`},
			{
				"condition", conditionID, `{"value1":10,"operator":">","value2":5,"yes_value":"Greater","no_value":"Not greater"}`, 200,
				`{"result":[true],"yes_output":["Greater"]}`,
			},
			{"handled error", listItemID, `{"list":[1],"index":5}`, 400, raised("GetListItemBlock", "Index out of range", listItemID)},
			{"null is missing", storeID, `{"input":null}`, 400, raised("StoreValueBlock", bad+"'input' is a required property", storeID)},
			{"no coercion", reverseID, `{"input_list":"abc"}`, 400, raised("ReverseListOrderBlock", bad+"'abc' is not of type 'array'", reverseID)},
			{"nothing to say", inputID, `{"name":"a"}`, 200, `{}`},
			{"unknown inputs are ignored", storeID, `{"input":1,"more":2}`, 200, `{"output":[1]}`},
			{
				"with the operator's credentials", sendID, `{"text":"hi","credentials":{"id":"` + acmeCredential + `","provider":"acme","type":"api_key"}}`, 200,
				`{"result":["hi by Acme of the operator"]}`,
			},
			{
				"unknown credentials", sendID, `{"text":"hi","credentials":{"id":"x","provider":"acme","type":"api_key"}}`, 400,
				raised("AcmeSendBlock", "Unknown credentials #x", sendID),
			},
			{"list instead of inputs", storeID, `[]`, 422, invalid("POST", path(storeID),
				map[string]any{"type": "dict_type", "loc": []any{"body"}, "msg": "Input should be a valid dictionary", "input": []any{}})},
			{"no inputs", storeID, ``, 422, invalid("POST", path(storeID),
				map[string]any{"type": "missing", "loc": []any{"body"}, "msg": "Field required", "input": nil})},
		} {
			b.t.(*testing.T).Run(c.name, func(t *testing.T) {
				b.on(t).call(alice, "POST", path(c.id), c.body).is(c.status, c.want)
			})
		}
	})
}

// Beyond 2^53, a number that went through a float is another one.
func TestBlocksKeepWholeNumbers(t *testing.T) {
	a := newBed(t, "").call(alice, "POST", "/api/blocks/"+storeID+"/execute", `{"input":9007199254740993}`)
	require.Equal(t, `{"output":[9007199254740993]}`, a.body)
}

func TestBlockThatCrashes(t *testing.T) {
	b := newBed(t, "")
	a := b.call(alice, "POST", "/api/blocks/"+crashID+"/execute", `{}`)
	require.Equal(t, 500, a.status)
	require.Equal(t, "Check server logs and dependent services.", a.json().(map[string]any)["hint"])
	require.Contains(t, a.json().(map[string]any)["detail"], "raised by AcmeCrashBlock with message: ")
	require.NotContains(t, a.body, "goroutine")
	require.Contains(t, b.log.String(), "acme_test.go", "the log has the stack")
	require.Equal(t, 200, b.call(nobody, "GET", "/health", nil).status)
}

// Values that a block keeps are kept per user.
func TestStoredValuesAreTheUsers(t *testing.T) {
	engines(t, func(b *bed) {
		keep := `{"key":"k","value":"of alice","scope":"across_agents"}`
		require.Equal(b.t, 200, b.call(alice, "POST", "/api/blocks/"+persistID+"/execute", keep).status)
		get := `{"key":"k","scope":"across_agents","default_value":"none"}`
		b.call(alice, "POST", "/api/blocks/"+retrieveID+"/execute", get).is(200, `{"value":["of alice"]}`)
		b.call(bob, "POST", "/api/blocks/"+retrieveID+"/execute", get).is(200, `{"value":["none"]}`)
	})
}
