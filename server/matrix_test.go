package server_test

import (
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// matrixBodies are requests that would do something to alice's things if they
// were let through. An operation that takes a body must be listed here.
var matrixBodies = map[string]string{
	"postV1Create new graph": `{"graph":{"id":"{graph_id}","version":1,"name":"mine","description":"d","nodes":[
		{"id":"a","block_id":"` + agentID + `","input_default":{"user_id":"alice","graph_id":"{graph_id}","graph_version":1,"input_schema":{},"output_schema":{}}},
		{"id":"b","block_id":"` + storeID + `","input_default":{"input":1}}],
		"sub_graphs":[{"id":"{graph_exec_id}","version":1,"name":"sub","description":"d"}]}}`,
	"putV1Update graph version":             `{"id":"{graph_id}","name":"taken","description":"d"}`,
	"putV1Set active graph version":         `{"active_graph_version":1}`,
	"patchV1Update graph settings":          `{"human_in_the_loop_safe_mode":false}`,
	"postV1Execute graph agent":             `{"inputs":{"in":"x"}}`,
	"postV1EnableExecutionSharing":          `{}`,
	"postV1Execute graph block":             `{"input":1}`,
	"postV1Exchange oauth code for tokens":  `{"code":"c","state_token":"s"}`,
	"postV1Create credentials":              `{"type":"api_key","provider":"acme","api_key":"bobs"}`,
	"postV1Update user email":               `"changed@example.com"`,
	"postV1Update user timezone":            `{"timezone":"Asia/Tokyo"}`,
	"deleteV1Delete user account":           `{"confirm":"alice@example.com"}`,
	"deleteV1Delete account of user":        `{"confirm":"{user_id}"}`,
	"postV2Create a new preset":             `{"graph_id":"{graph_id}","graph_version":1,"inputs":{},"credentials":{},"name":"n","description":"d","webhook_id":"{webhook_id}"}`,
	"postV2SetupTrigger":                    `{"graph_id":"{graph_id}","graph_version":1,"name":"n","trigger_config":{}}`,
	"patchV2Update an existing preset":      `{"name":"taken","is_active":false}`,
	"postV2Execute a preset":                `{"inputs":{}}`,
	"postV1ReplayWebhookDeliveries":         `{}`,
	"postV2ProcessReviewAction":             `{"reviews":[{"node_exec_id":"{review_id}","approved":true}]}`,
	"postWorkspaceUpload file to workspace": `{}`, // their bodies are forms; see the tests of uploads
	"postV1Upload file to cloud storage":    `{}`,
	"postV1Update notification preferences": `{"email":"changed@example.com","preferences":{"AGENT_RUN":false},"daily_limit":1}`,
}

// ownThings are operations whose path names nothing of anyone's.
var ownThings = map[string]bool{"postV1Create credentials": true, "getV1ListCredentialsByProvider": true}

// refusedOwn are operations that are about the caller, and refuse what the matrix
// sends.
var refusedOwn = map[string]int{
	"deleteV1Delete user account": 400, "postV2Create a new preset": 404, "postV2SetupTrigger": 410, "postV2ProcessReviewAction": 404,
	"postWorkspaceUpload file to workspace": 422, "postV1Upload file to cloud storage": 422,
}

// queries are what operations need in the query.
var queries = map[string]string{
	"getV2List presets":        "?graph_id=",
	"getV2Get specific blocks": "?block_ids=" + storeID,
	"getV2Builder search":      "?filter=my_agents&search_query=private&search_id={search_id}",
}

// forAdmins starts the paths of operations that reach everyone's things, for
// administrators only.
const forAdmins = "/api/admin/"

// harmless are the answers that look like success and give and change nothing.
var harmless = map[string]string{
	"deleteV1Delete graph permanently": `{"version_counts":0}`,
	"getV1List graph executions":       `{"executions":[],"pagination":{"total_items":0,"total_pages":0,"current_page":1,"page_size":25}}`,
	"postV1Stop graph execution":       `null`,
}

// notHere are the operations of a provider that is not compiled in.
var notHere = map[string]bool{"getV1GetAyrshareSsoUrl": true}

// toldApart are the operations that clients expect to tell unknown ids from
// foreign ones.
var toldApart = map[string]bool{"postV1Execute graph agent": true}

// public are paths whose objects belong to no one, or to whoever has the link.
var public = map[string]bool{
	"/api/blocks/{block_id}/execute": true, "/api/public/shared/{share_token}": true, "/health": true, "/api/blocks": true,
	"/api/integrations/providers": true, "/api/integrations/providers/names": true, "/api/integrations/providers/system": true,
	"/api/integrations/{provider}/webhooks/{webhook_id}/ingress": true,
	"/api/integrations/providers/constants":                      true, "/api/integrations/providers/enum-example": true,
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

// Nobody reaches alice's things: every operation of the API is tried with her
// ids by another user, by an administrator and without a token.
func TestMatrix(t *testing.T) {
	engines(t, func(b *bed) {
		g := b.save(alice, echoAgent("private of alice"))
		graphID := g["id"].(string)
		b.object(alice, "PUT", "/api/graphs/"+graphID, with(echoAgent("private of alice"), "id", graphID))
		runID := b.run(alice, graphID, map[string]any{"in": "private of alice"})["id"].(string)
		b.ok(alice, "POST", "/api/graphs/"+graphID+"/executions/"+runID+"/share", nil)
		credentialID := b.object(alice, "POST", "/api/integrations/acme/credentials", `{"type":"api_key","provider":"acme","api_key":"hers"}`)["id"].(string)
		s := b.subscribe(alice, opened)
		searchID := b.object(alice, "GET", "/api/builder/search?search_query=private+of+alice", nil)["search_id"].(string)
		hers := map[string]string{
			"user_id": alice, "deletion_id": uuid.NewString(), "provider": "acme", "cred_id": credentialID,
			"graph_id": graphID, "graph_exec_id": runID, "version": "1", "graph_version": "1",
			"preset_id": s.preset, "webhook_id": strings.Split(s.hook.url, "/")[7], "delivery_id": uuid.NewString(),
			"review_id": b.asked(alice),
			"file_id":   b.upload(alice, "private of alice.txt", "private of alice").json().(map[string]any)["file_id"].(string),
			"search_id": searchID,
		}
		for _, who := range []string{bob, admin} {
			b.ok(who, "POST", "/api/auth/user", nil)
		}
		before := b.rowsOf(alice)
		require.NotEmpty(b.t, before["graphs"])
		require.NotEmpty(b.t, before["node_outputs"])

		doc := b.openAPI()
		tried := 0
		for _, path := range sortedPaths(doc) {
			for method, op := range doc.Paths[path] {
				method := strings.ToUpper(method)
				b.t.(*testing.T).Run(op.OperationID, func(t *testing.T) {
					b := b.on(t)
					var body any
					if op.RequestBody != nil {
						text, known := matrixBodies[op.OperationID]
						require.True(t, known, "tell the matrix what to send to %s %s", method, path)
						body = fill(text, hers)
					}
					for _, name := range pathParameter.FindAllStringSubmatch(path, -1) {
						_, known := hers[name[1]]
						require.True(t, known || public[path], "tell the matrix whose {%s} is in %s", name[1], path)
					}
					target := fill(path, hers)
					if len(op.Security) > 0 {
						b.call(nobody, method, target, body).is(401, detail("Authorization header is missing"))
					}
					if public[path] {
						return
					}
					tried++
					if strings.HasPrefix(path, forAdmins) {
						b.call(bob, method, target, body).is(403, detail("Admin access required"))
						require.Equal(t, before, b.rowsOf(alice), "alice's things changed")
						return
					}
					for _, who := range []string{bob, admin} {
						b.refused(who, method, path, op.OperationID, hers)
					}
					require.Equal(t, before, b.rowsOf(alice), "alice's things changed")
				})
			}
		}
		require.Greater(b.t, tried, 15)
	})
}

// refused tries an operation on things that are not the user's.
func (b *bed) refused(who, method, path, id string, hers map[string]string) {
	b.t.Helper()
	send := func(ids map[string]string) answer {
		var body any
		if text, ok := matrixBodies[id]; ok {
			body = strings.ReplaceAll(fill(text, ids), "changed@", "changed-"+who+"@")
		}
		return b.call(who, method, fill(path+queries[id], ids), body)
	}
	a := send(hers)
	require.NotContains(b.t, a.body, "private of alice")
	if notHere[id] {
		a.is(500, detail("Ayrshare integration is not configured"))
		return
	}
	if status, own := refusedOwn[id]; own {
		require.Equal(b.t, status, a.status, a.body)
		return
	}
	if !pathParameter.MatchString(path) || ownThings[id] {
		// About the caller's own things, with alice's ids in the body at most.
		require.Less(b.t, a.status, 300, a.body)
		require.NotContains(b.t, a.body, "alice@example.com")
		require.NotContains(b.t, a.body, `"user_id":"alice"`)
		require.NotContains(b.t, a.body, hers["graph_exec_id"])
		require.NotContains(b.t, a.body, hers["cred_id"])
		require.NotContains(b.t, a.body, hers["search_id"])
		return
	}
	if want, ok := harmless[id]; ok {
		a.is(200, want)
	} else {
		require.Contains(b.t, []int{401, 403, 404}, a.status, a.body)
	}
	if toldApart[id] {
		return
	}
	unknown := map[string]string{"version": "1", "graph_version": "1", "provider": hers["provider"]}
	for name := range hers {
		if _, fixed := unknown[name]; !fixed {
			unknown[name] = uuid.NewString()
		}
	}
	u := send(unknown)
	require.Equal(b.t, u.status, a.status, "unknown and foreign ids answer alike")
	for name := range hers {
		if len(hers[name]) == 36 {
			a.body = strings.ReplaceAll(a.body, hers[name], name)
			u.body = strings.ReplaceAll(u.body, unknown[name], name)
		}
	}
	require.Equal(b.t, u.body, a.body, "unknown and foreign ids answer alike")
}

// rowsOf gives the stored rows of a user: those that carry the user's id, and
// all of tables that do not say whose they are.
func (b *bed) rowsOf(user string) map[string][]map[string]any {
	b.t.Helper()
	tables, err := b.platform.DB.Read.Migrator().GetTables()
	require.NoError(b.t, err)
	all := map[string][]map[string]any{}
	for _, table := range tables {
		if strings.HasPrefix(table, "river") || strings.HasPrefix(table, "goose") || strings.HasPrefix(table, "sqlite") || table == "workers" {
			continue
		}
		var rows []map[string]any
		require.NoError(b.t, b.platform.DB.Read.Table(table).Find(&rows).Error)
		kept := []map[string]any{}
		for _, r := range rows {
			owner, owned := r["user_id"]
			if table == "users" {
				owner, owned = r["id"], true
			}
			if !owned || owner == user {
				kept = append(kept, r)
			}
		}
		sort.Slice(kept, func(i, j int) bool { return encode(kept[i]) < encode(kept[j]) })
		all[table] = kept
	}
	return all
}

func sortedPaths(doc openAPI) []string {
	var paths []string
	for p := range doc.Paths {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	return paths
}
