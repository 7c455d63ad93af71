package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// nested is a list in a list, so many deep.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

// storing is the body that saves an agent with one node, which holds a value.
func storing(value string) string {
	return `{"graph":{"name":"x","description":"d","nodes":[{"id":"a","block_id":"` + storeID + `","input_default":{"input":` + value + `}}]}}`
}

// count gives how many agents are stored.
func (b *bed) count() int {
	b.t.Helper()
	var n int64
	require.NoError(b.t, b.platform.DB.Read.Table("graphs").Count(&n).Error)
	return int(n)
}

// unharmed checks that the server works and that nothing was its fault.
func (b *bed) unharmed() {
	b.t.Helper()
	require.Equal(b.t, 200, b.call(nobody, "GET", "/health", nil).status)
	log := b.log.String()
	require.NotContains(b.t, log, "panic")
	require.NotContains(b.t, log, "level=ERROR")
}

func TestHostileBodies(t *testing.T) {
	const (
		bad      = "JSON decode error"
		notText  = `{"detail":"There was an error parsing the body"}`
		tooLarge = `{"detail":"Request body exceeds the maximum allowed size of 8MB"}`
	)
	engines(t, func(b *bed) {
		for name, c := range map[string]struct {
			body    string
			status  int
			want    string // what the body holds
			headers []string
		}{
			"nothing":                  {``, 422, `"Field required"`, nil},
			"half":                     {`{"graph":{`, 422, bad, nil},
			"no JSON":                  {`name=x`, 422, bad, nil},
			"two values":               {`{"graph":{"name":"x","description":"d"}} {`, 422, bad, nil},
			"a list":                   {`[]`, 422, "Input should be a valid dictionary", nil},
			"null":                     {`null`, 422, "Input should be a valid dictionary", nil},
			"text":                     {`"x"`, 422, "Input should be a valid dictionary", nil},
			"no graph":                 {`{}`, 422, `"loc":["body","graph"]`, nil},
			"graph null":               {`{"graph":null}`, 422, "Input should be a valid dictionary", nil},
			"nodes as an object":       {`{"graph":{"name":"x","description":"d","nodes":{}}}`, 422, "Input should be a valid list", nil},
			"node null":                {`{"graph":{"name":"x","description":"d","nodes":[null]}}`, 422, `"loc":["body","graph","nodes",0]`, nil},
			"node without block":       {`{"graph":{"name":"x","description":"d","nodes":[{}]}}`, 422, `"loc":["body","graph","nodes",0,"block_id"]`, nil},
			"inputs as a list":         {`{"graph":{"name":"x","description":"d","nodes":[{"block_id":"x","input_default":[]}]}}`, 422, `"loc":["body","graph","nodes",0,"input_default"]`, nil},
			"link without ends":        {`{"graph":{"name":"x","description":"d","links":[{}]}}`, 422, `"source_id"`, nil},
			"version of words":         {`{"graph":{"name":"x","description":"d","version":"one"}}`, 422, "Input should be a valid integer", nil},
			"version of a fraction":    {`{"graph":{"name":"x","description":"d","version":1.5}}`, 422, "Input should be a valid integer", nil},
			"version too big to count": {`{"graph":{"name":"x","description":"d","version":1e30}}`, 422, "The number 1e30 is out of range", nil},
			"version too big":          {`{"graph":{"name":"x","description":"d","version":3000000000}}`, 400, "versions go up to", nil},
			"number too big":           {storing(`1e400`), 422, "The number 1e400 is out of range", nil},
			"bytes that are no text":   {"{\"graph\":{\"name\":\"a\xff\",\"description\":\"d\"}}", 400, notText, nil},
			"a text cut in a rune":     {"{\"graph\":{\"name\":\"a\xe2\x82\",\"description\":\"d\"}}", 400, notText, nil},
			"UTF-16":                   {"\xff\xfe{\x00}\x00", 400, notText, nil},
			"bare NUL":                 {"{\"graph\":{\"name\":\"a\x00\",\"description\":\"d\"}}", 422, bad, nil},
			"deep":                     {nested(100_000), 422, bad, nil},
			"deep inside":              {storing(nested(100_000)), 422, bad, nil},
			"a bit too deep":           {storing(nested(996)), 422, bad, nil},
			"deep objects":             {strings.Repeat(`{"graph":`, 100_000), 422, bad, nil},
			"9 MB":                     {strings.Repeat("x", 9<<20), 413, tooLarge, nil},
			"9 MB of a graph":          {storing(`"` + strings.Repeat("x", 9<<20) + `"`), 413, tooLarge, nil},
			"a form":                   {`graph=x`, 422, "content type", []string{"Content-Type", "application/x-www-form-urlencoded"}},
			"other type":               {storing(`1`), 422, "content type", []string{"Content-Type", "text/plain"}},
			"unknown block":            {`{"graph":{"name":"x","description":"d","nodes":[{"block_id":"'; DROP TABLE graphs; --"}]}}`, 400, "Invalid block '; DROP TABLE graphs; --", nil},
			"dangling link":            {`{"graph":{"name":"x","description":"d","links":[{"source_id":"a","source_name":"b","sink_id":"c","sink_name":"d"}]}}`, 400, "a is invalid node id, available nodes: ", nil},
			"pins of no sense": {`{"graph":{"name":"x","description":"d","nodes":[{"id":"a","block_id":"` + storeID + `"}],
				"links":[{"source_id":"a","source_name":"_#__$__@_","sink_id":"a","sink_name":"_$_"}]}}`, 400, "Allowed fields: error, output", nil},
		} {
			b.t.(*testing.T).Run(name, func(t *testing.T) {
				b := b.on(t)
				a := b.call(alice, "POST", "/api/graphs", c.body, c.headers...)
				require.Equal(t, c.status, a.status, "%.500s", a.body)
				require.Contains(t, a.body, c.want)
				require.NotContains(t, a.body, "Go value", "the answer is worded for clients")
				require.Less(t, len(a.body), 2000, "the body is not sent back")
				require.Zero(t, b.count(), "nothing is stored")
			})
		}
		b.unharmed()
	})
}

// Odd but sound requests are served.
func TestOddBodies(t *testing.T) {
	engines(t, func(b *bed) {
		long := strings.Repeat("long name ", 50_000)
		for name, c := range map[string]struct {
			body  string
			check func(g map[string]any)
		}{
			"escaped NUL": {`{"graph":{"name":"a\u0000b","description":"\u0000"}}`, func(g map[string]any) {
				require.Equal(b.t, []any{"ab", ""}, []any{g["name"], g["description"]})
			}},
			"half a surrogate": {`{"graph":{"name":"a\ud800b","description":"d"}}`, func(g map[string]any) {
				require.Equal(b.t, "a\ufffdb", g["name"])
			}},
			"the last of two members": {`{"graph":{"name":"a","name":"b","description":"d"}}`, func(g map[string]any) {
				require.Equal(b.t, "b", g["name"])
			}},
			"nulls": {`{"graph":{"name":"a","description":"d","instructions":null,"nodes":null,"links":null,"sub_graphs":null}}`, func(g map[string]any) {
				require.Equal(b.t, []any{}, g["nodes"])
			}},
			"null ids":         {`{"graph":{"name":"a","description":"d","nodes":[{"id":null,"block_id":"` + storeID + `","input_default":null,"metadata":null}]}}`, nil},
			"unknown members":  {`{"graph":{"name":"a","description":"d","webhook":{},"is_template":false},"more":[1]}`, nil},
			"negative version": {`{"graph":{"name":"a","description":"d","version":-5}}`, func(g map[string]any) { require.EqualValues(b.t, 1, g["version"]) }},
			"deep enough":      {storing(nested(995)), nil},
			"big whole number": {storing(`9007199254740993`), nil},
			"very long name": {`{"graph":{"name":"` + long + `","description":"d"}}`, func(g map[string]any) {
				require.Equal(b.t, long, g["name"])
			}},
		} {
			b.t.(*testing.T).Run(name, func(t *testing.T) {
				b := b.on(t)
				g := b.object(alice, "POST", "/api/graphs", c.body)
				path := "/api/graphs/" + g["id"].(string)
				again := b.object(alice, "GET", path, nil)
				require.Equal(t, g["name"], again["name"])
				if c.check != nil {
					c.check(again)
				}
			})
		}
		b.unharmed()
	})
}

// Ids that are no ids find nothing, wherever they stand.
func TestHostileIDs(t *testing.T) {
	ids := []string{
		"..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%2Fb", "%00", "a%00b", "%0a", "%ff", "%c0%ae", "%22", "'", "%27%20OR%201=1--",
		"';DROP%20TABLE%20graphs;--", "%25", "%7Bgraph_id%7D", "%E2%80%AE", "*", ":graph_id", "null", "-1", "99999999999999999999", strings.Repeat("a", 4000),
	}
	engines(t, func(b *bed) {
		g := b.save(alice, echoAgent("x"))
		hers := b.rowsOf(alice)
		for path, methods := range b.openAPI().Paths {
			if !strings.Contains(path, "{") {
				continue
			}
			for method, op := range methods {
				for _, id := range ids {
					target := pathParameter.ReplaceAllString(path, strings.ReplaceAll(id, "$", "$$"))
					var body any
					if op.RequestBody != nil {
						body = strings.ReplaceAll(matrixBodies[op.OperationID], "{graph_id}", id)
					}
					a := b.call(alice, strings.ToUpper(method), target, body)
					require.Less(b.t, a.status, 500, "%s %s: %s", method, target, a.body)
					if ownThings[op.OperationID] && a.body == "[]" {
						continue // a provider that nobody has credentials for
					}
					if want, ok := harmless[op.OperationID]; ok && a.status == 200 {
						a.is(200, want)
						continue
					}
					require.GreaterOrEqual(b.t, a.status, 400, "%s %s: %s", method, target, a.body)
				}
			}
		}
		require.Equal(b.t, hers, b.rowsOf(alice))
		require.Equal(b.t, g["name"], b.object(alice, "GET", "/api/graphs/"+g["id"].(string), nil)["name"])
		b.unharmed()
	})
}

// What stands in a path is decoded before it is looked up.
func TestEscapedIDs(t *testing.T) {
	b := newBed(t, "")
	b.call(alice, "GET", "/api/graphs/a%2Fb%20c", nil).is(404, detail("Graph #a/b c not found."))
	b.call(alice, "GET", "/api/graphs/%00", nil).is(404, detail("Not Found"))
	b.call(alice, "GET", "/api/graphs?x=%00", nil).is(400, detail("The query is not valid text"))
	b.call(alice, "GET", "/api/graphs?%ff=1", nil).is(400, detail("The query is not valid text"))
	require.Equal(t, 200, b.call(alice, "GET", "/api/graphs?x=%C3%A4+%20", nil).status)
	id := b.save(alice, echoAgent("x"))["id"].(string)
	require.Equal(t, 200, b.call(alice, "GET", "/api/graphs/"+strings.ReplaceAll(id, "-", "%2D"), nil).status)
}

func TestHostileRuns(t *testing.T) {
	engines(t, func(b *bed) {
		id := b.save(alice, echoAgent("x"))["id"].(string)
		path := "/api/graphs/" + id + "/execute/"
		for name, c := range map[string]struct {
			path, body string
			status     int
		}{
			"inputs of the wrong type":      {path + "1", `{"inputs":"x"}`, 422},
			"credentials of the wrong type": {path + "1", `{"credentials_inputs":[]}`, 422},
			"credential of the wrong type":  {path + "1", `{"credentials_inputs":{"a":"x"}}`, 422},
			"deep":                          {path + "1", `{"inputs":{"in":` + nested(100_000) + `}}`, 422},
			"too big a number":              {path + "1", `{"inputs":{"in":1e999}}`, 422},
			"9 MB":                          {path + "1", `{"inputs":{"in":"` + strings.Repeat("x", 9<<20) + `"}}`, 413},
			"preset of no text":             {path + "1?preset_id=%00", `{}`, 400},
			"negative version":              {path + "-1", `{}`, 422},
			"version beyond counting":       {path + "99999999999999999999", `{}`, 422},
			"version beyond storing":        {path + "4294967297", `{}`, 400},
		} {
			b.t.(*testing.T).Run(name, func(t *testing.T) {
				a := b.on(t).call(alice, "POST", c.path, c.body)
				require.Equal(t, c.status, a.status, "%.500s", a.body)
			})
		}
		require.Equal(b.t, []any{}, b.ok(alice, "GET", "/api/executions", nil), "nothing is started")
		b.unharmed()
	})
}

// Inputs come out as they went in, however odd.
func TestOddInputs(t *testing.T) {
	engines(t, func(b *bed) {
		id := b.save(alice, echoAgent("x"))["id"].(string)
		for name, c := range map[string][2]string{
			"NUL is dropped":   {`"a\u0000b"`, `"ab"`},
			"big whole number": {`9007199254740993`, `9007199254740993`},
			"brackets in text": {`"[[[\"[[["`, `"[[[\"[[["`},
			"markup":           {`"</script>&\u2028"`, `"</script>&\u2028"`},
			"odd keys":         {`{"":1,"a_#_b":2,"a_$_0":3}`, `{"":1,"a_#_b":2,"a_$_0":3}`},
			"deep":             {nested(998), nested(998)},
		} {
			b.t.(*testing.T).Run(name, func(t *testing.T) {
				b := b.on(t)
				run := b.object(alice, "POST", "/api/graphs/"+id+"/execute/1", `{"inputs":{"in":`+c[0]+`}}`)["id"].(string)
				require.Equal(t, "COMPLETED", b.ended(alice, id, run)["status"])
				a := b.call(alice, "GET", "/api/graphs/"+id+"/executions/"+run, nil)
				require.Contains(t, a.body, `"outputs":{"out":[`+c[1]+`]}`)
			})
		}
		b.unharmed()
	})
}

// Agents that are drawn to do harm come to an end.
func TestHostileAgents(t *testing.T) {
	const reversed = "reversed_list"
	list := func(defaults ...any) map[string]any { return node("list", reverseID, defaults...) }
	in, out := node("in", inputID, "name", "in"), node("out", outputID, "name", "out")
	const noStart = "No starting nodes found for the graph, make sure an AgentInput or blocks with no inbound links are present as starting nodes."
	const mismatch = "Input data missing or mismatch for `ReverseListOrderBlock`: "
	engines(t, func(b *bed) {
		for name, c := range map[string]struct {
			agent map[string]any
			want  string // the detail of the refusal, or "" for a run that ends
		}{
			"link to itself":             {agent("x", list(), link("list."+reversed, "list.input_list")), noStart},
			"cycle":                      {agent("x", node("a", storeID), node("b", storeID), link("a.output", "b.input"), link("b.output", "a.input")), noStart},
			"nothing":                    {agent("x"), noStart},
			"huge list index":            {agent("x", list("input_list_$_999999999", 1)), mismatch + "index 999999999 is out of range"},
			"index beyond counting":      {agent("x", list("input_list_$_99999999999999999999", 1)), mismatch + "index must be an integer"},
			"index of words":             {agent("x", list("input_list_$_one", 1)), mismatch + "index must be an integer"},
			"negative index":             {agent("x", list("input_list_$_-5", 1)), mismatch + "index -5 is out of range"},
			"huge index of a linked pin": {agent("x", in, list(), out, link("in.result", "list.input_list_$_999999999"), link("list."+reversed, "out.value")), ""},
			"store that waits on itself": {agent("x", in, node("s", storeID), link("in.result", "s.input"), link("s.output", "s.data")), ""},
			"agent that is not there":    {agent("x", in, node("n", agentID, "user_id", "", "graph_id", "ghost", "graph_version", 1, "inputs", map[string]any{}, "input_schema", map[string]any{}, "output_schema", map[string]any{})), ""},
			"agent that calls itself":    {with(agent("x", node("n", agentID, "user_id", "", "graph_id", "self", "graph_version", 1, "inputs", map[string]any{}, "input_schema", map[string]any{}, "output_schema", map[string]any{})), "id", "self"), ""},
		} {
			b.t.(*testing.T).Run(name, func(t *testing.T) {
				b := b.on(t)
				id := b.save(alice, c.agent)["id"].(string)
				path := "/api/graphs/" + id + "/execute/1"
				a := b.call(alice, "POST", path, `{"inputs":{"in":"x"}}`)
				if c.want != "" {
					a.is(400, failure("POST", path, c.want))
					return
				}
				require.Equal(t, 200, a.status, a.body)
				b.ended(alice, id, a.json().(map[string]any)["id"].(string))
			})
		}
		b.unharmed()
	})
}

// An endless loop can be stopped.
func TestEndlessLoop(t *testing.T) {
	b := newBed(t, "")
	id := b.save(alice, agent("loop", node("in", inputID, "name", "in"), node("list", reverseID),
		link("in.result", "list.input_list"), link("list.reversed_list", "list.input_list")))["id"].(string)
	path := "/api/graphs/" + id
	run := b.object(alice, "POST", path+"/execute/1", `{"inputs":{"in":[1,2]}}`)["id"].(string)
	b.eventually("the loop turns", func() bool {
		return len(b.object(alice, "GET", path+"/executions/"+run, nil)["node_executions"].([]any)) > 5
	})
	b.ok(alice, "POST", path+"/executions/"+run+"/stop", nil)
	require.Equal(t, "TERMINATED", b.ended(alice, id, run)["status"])
	b.unharmed()
}

// FuzzImport sends bytes as a new agent. Nothing is the server's fault, and
// what is taken in can be read, exported and taken in again.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"graph":{}}`, `{"graph":{"name":"a","description":"d"}}`, storing(`"x"`), storing(nested(50)), storing(`1e400`), storing(`"\u0000\ud800"`),
		`{"graph":` + encode(echoAgent("x")) + `,"source":"upload"}`,
		`{"graph":{"name":"a","description":"d","version":3000000000,"forked_from_version":-1,"forked_from_id":"\u0000"}}`,
		`{"graph":{"id":"p","name":"a","description":"d","nodes":[{"id":"n","block_id":"` + agentID + `","input_default":{"user_id":1,"graph_id":"s","graph_version":1e300,"input_schema":{"properties":{"token":{"secret":true,"default":1}},"required":["token",1]},"output_schema":[],"inputs":null}}],"sub_graphs":[{"id":"s","name":"s","description":"","nodes":[{"id":"","block_id":"` + inputID + `","input_default":{"name":"token","secret":true,"value":{}}}]}]}}`,
		`{"graph":{"name":"a","description":"d","nodes":[{"id":"a","block_id":"` + sendID + `","input_default":{"credentials":{"id":"x"}},"metadata":{"credentials_optional":true}},{"id":"h","block_id":"` + hookID + `"}],"links":[{"source_id":"h","source_name":"result_#_k_$_0","sink_id":"a","sink_name":"text"}]}}`,
		"{\"graph\":{\"name\":\"\xff\"}}",
	} {
		f.Add([]byte(seed))
	}
	b := newBed(f, "")
	send := func(t *testing.T, method, path string, body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(string(body)))
		r.Header.Set("Authorization", "Bearer "+b.tokens[alice])
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.api.ServeHTTP(w, r)
		require.Less(t, w.Code, http.StatusInternalServerError, "%s %s: %s", method, path, w.Body)
		return w
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := send(t, "POST", "/api/graphs", body)
		if w.Code != http.StatusOK {
			return
		}
		id := answer{t: t, body: w.Body.String()}.json().(map[string]any)["id"].(string)
		exported := send(t, "GET", "/api/graphs/"+id+"?for_export=true", nil)
		require.Equal(t, http.StatusOK, exported.Code)
		again := send(t, "POST", "/api/graphs", []byte(fmt.Sprintf(`{"graph":%s}`, exported.Body)))
		require.Equal(t, http.StatusOK, again.Code, "an export is not taken in again: %s", again.Body)
		send(t, "DELETE", "/api/graphs/"+id, nil)
	})
}
