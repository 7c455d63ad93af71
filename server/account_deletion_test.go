package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core/account"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/platform"
)

// deletions runs fn like engines, with what is undone at vendors.
func deletions(t *testing.T, options func() platform.DeletionOptions, fn func(b *bed)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(newBedOf(t, "", bedOptions{deletion: options()})) })
	t.Run("postgres", func(t *testing.T) { fn(newBedOf(t, dbtest.PostgresURL(t), bedOptions{deletion: options()})) })
}

// gate is a vendor that ends sign-ins when it is opened.
type gate chan struct{}

func (g gate) RevokeAll(ctx context.Context, _ string) (int, error) {
	select {
	case <-g:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// finished waits for the end of a deletion and gives its record.
func (b *bed) finished(id string) map[string]any {
	b.t.Helper()
	var record map[string]any
	b.eventually("the deletion is finished", func() bool {
		record = b.object(admin, "GET", "/api/admin/deletions/"+id, nil)
		return record["state"] == "finished"
	})
	return record
}

// stepsOf gives the states of the steps of a deletion by name.
func stepsOf(deletion map[string]any) map[string]any {
	states := map[string]any{}
	for _, s := range deletion["steps"].([]any) {
		step := s.(map[string]any)
		states[step["name"].(string)] = step["state"]
	}
	return states
}

// token signs one for a user now.
func (b *bed) token(who string) string {
	b.t.Helper()
	token, err := b.platform.Signer.Token(account.Identity{UserID: who, Email: who + "@example.com", Name: who}, time.Hour)
	require.NoError(b.t, err)
	return token
}

func TestDeleteAccount(t *testing.T) {
	const path = "/api/auth/user"
	var vendor gate
	options := func() platform.DeletionOptions {
		vendor = make(gate)
		return platform.DeletionOptions{SignIns: vendor}
	}
	deletions(t, options, func(b *bed) {
		vendor := vendor
		b.ok(admin, "POST", path, nil)
		b.ok(bob, "POST", path, nil)
		graph := b.save(alice, echoAgent("hers"))["id"].(string)
		b.run(alice, graph, map[string]any{"in": "x"})
		b.ok(alice, "POST", "/api/integrations/acme/credentials", `{"type":"api_key","provider":"acme","api_key":"hers"}`)
		before := b.rowsOf(alice)

		ask := detail(`To delete the account, send {"confirm": "<the account's e-mail address>"}`)
		for _, body := range []any{nil, `{}`, `{"confirm":""}`, `{"confirm":"yes"}`, `{"confirm":"alice"}`, `{"confirm":"bob@example.com"}`} {
			b.call(alice, "DELETE", path, body).is(400, ask)
		}
		require.Equal(b.t, 422, b.call(alice, "DELETE", path, `{"confirm":true}`).status)
		b.call(nobody, "DELETE", path, `{"confirm":"alice@example.com"}`).is(401, detail("Authorization header is missing"))
		const acting = "X-Act-As-User-Id"
		b.call(admin, "DELETE", path, `{"confirm":"admin@example.com"}`, acting, alice).
			is(403, detail("Only users themselves delete their account here; administrators send DELETE to /api/admin/users/{user_id}"))
		b.call(bob, "DELETE", path, `{"confirm":"alice@example.com"}`, acting, alice).is(403, detail("Only admin users can impersonate other users"))
		require.Equal(b.t, before, b.rowsOf(alice), "nothing has happened")

		first := b.call(alice, "DELETE", path, `{"confirm":"ALICE@example.com"}`)
		require.Equal(b.t, 202, first.status, first.body)
		begun := first.json().(map[string]any)
		id := begun["id"].(string)
		require.NoError(b.t, uuid.Validate(id))
		require.NotEmpty(b.t, begun["requested_at"])
		require.Equal(b.t, map[string]any{
			"id": id, "user_id": alice, "state": "pending", "requested_at": begun["requested_at"], "finished_at": nil, "revocations_pending": 0.0,
			"steps": []any{
				map[string]any{"name": "stop runs", "state": "pending"},
				map[string]any{"name": "revoke provisioned credentials", "state": "pending"},
				map[string]any{"name": "deregister webhooks", "state": "pending"},
				map[string]any{"name": "revoke sign-ins", "state": "pending"},
				map[string]any{"name": "data", "state": "pending"},
				map[string]any{"name": "account", "state": "pending"},
				map[string]any{"name": "final sweep", "state": "pending"},
			},
		}, begun)

		// While it is under way.
		closed := detail("This account is being deleted")
		b.call(alice, "GET", "/api/graphs", nil).is(403, closed)
		b.call(alice, "POST", path, nil).is(403, closed)
		b.call(alice, "POST", "/api/graphs/"+graph+"/execute/1", `{}`).is(403, closed)
		b.tokens["newer"] = b.token(alice)
		b.call("newer", "GET", "/api/graphs", nil).is(403, closed)
		b.call(admin, "GET", "/api/graphs", nil, acting, alice).is(404, failure("GET", "/api/graphs", "User not found"))
		again := b.call(alice, "DELETE", path, `{"confirm":"alice@example.com"}`)
		require.Equal(b.t, 202, again.status, again.body)
		require.Equal(b.t, id, again.json().(map[string]any)["id"])
		b.call(alice, "DELETE", path, `{}`).is(400, ask)
		var record map[string]any
		b.eventually("it waits for the vendor", func() bool {
			record = b.object(admin, "GET", "/api/admin/deletions/"+id, nil)
			return stepsOf(record)["revoke provisioned credentials"] == "done"
		})
		require.Equal(b.t, []any{"alice@example.com", alice, "pending"}, []any{record["email"], record["requested_by"], stepsOf(record)["data"]})

		close(vendor)
		record = b.finished(id)
		for step, state := range stepsOf(record) {
			require.Equal(b.t, "done", state, step)
		}
		require.NotEmpty(b.t, record["finished_at"])
		require.NotContains(b.t, encode(record), "alice@example.com")
		gone := detail("This account was deleted")
		b.call(alice, "GET", "/api/graphs", nil).is(401, gone)
		b.call(alice, "POST", path, nil).is(401, gone)
		b.call(alice, "DELETE", path, `{"confirm":"alice@example.com"}`).is(401, gone)
		require.NotContains(b.t, b.log.String(), "alice@example.com")

		// A token from after the request opens a new, empty account.
		b.eventually("a new token is new enough", func() bool {
			b.tokens["new"] = b.token(alice)
			return b.call("new", "POST", path, nil).status == 200
		})
		b.call("new", "GET", "/api/graphs", nil).is(200, `[]`)
		b.call("new", "GET", "/api/executions", nil).is(200, `[]`)
		require.Len(b.t, b.ok("new", "GET", "/api/integrations/credentials", nil), 1, "the operator's")
		b.call(alice, "GET", "/api/graphs", nil).is(401, gone)
	})
}

// unseeded are tables without things of users, and that of tasks at vendors,
// which go when the vendors have confirmed.
var unseeded = []string{"account_deletions", "encryption_keys", "workers", "schema_migrations", "managed_tasks"}

// Every table is looked through for ids of the user who went, and for changes
// of what is another's.
func TestDeletionLeavesNothing(t *testing.T) {
	engines(t, func(b *bed) {
		b.ok(admin, "POST", "/api/auth/user", nil)
		const ada, eve = "user-ada-7f3a", "user-eve-9c1b"
		ids := map[string][]string{}
		for _, who := range []string{ada, eve} {
			b.tokens[who] = b.token(who)
			ids[who] = append(b.furnish(who), who)
		}
		before := b.tables()
		for table, rows := range before {
			require.True(b.t, slices.ContainsFunc(rows, func(r string) bool { return mentions(r, ids[ada]) }),
				"the test does not put anything of a user into %s", table)
		}
		for table := range before {
			kept := slices.DeleteFunc(slices.Clone(before[table]), func(r string) bool { return mentions(r, ids[ada]) })
			require.NotEmpty(b.t, kept, table)
			before[table] = kept
		}
		deletion := b.object(ada, "DELETE", "/api/auth/user", map[string]any{"confirm": ada + "@example.com"})
		b.finished(deletion["id"].(string))
		require.Equal(b.t, before, b.tables())
		b.ok(eve, "GET", "/api/graphs", nil)
	})
}

// furnish gives a user something of everything, and gives the ids of it.
func (b *bed) furnish(who string) (ids []string) {
	b.t.Helper()
	const keepID = "1d055e55-a2b9-4547-8311-907d05b0304d"
	b.ok(who, "POST", "/api/auth/user", nil)
	graph := b.save(who, agent("g",
		node("in", inputID, "name", "in"), node("keep", keepID, "key", "k", "value", "v"),
		node("out", outputID, "name", "out"), link("in.result", "out.value")))["id"].(string)
	b.ok(who, "PUT", "/api/graphs/"+graph, with(echoAgent("g"), "id", graph))
	for range 3 {
		run := b.run(who, graph, map[string]any{"in": "x"})
		b.ok(who, "POST", "/api/graphs/"+graph+"/executions/"+run["id"].(string)+"/share", nil)
		ids = append(ids, run["id"].(string))
		for _, n := range run["node_executions"].([]any) {
			ids = append(ids, n.(map[string]any)["node_exec_id"].(string))
		}
	}
	b.call(who, "DELETE", "/api/executions/"+ids[0], nil).is(204, "")
	require.NoError(b.t, b.platform.DB.Write.Exec("INSERT INTO oauth_states (token_hash, user_id, provider, created_at, expires_at, sealed) VALUES (?, ?, 'acme', ?, ?, 'x')",
		"hash of "+who, who, db.Now(), db.Now()).Error)
	ids = append(ids, b.upload(who, "a.txt", "x").json().(map[string]any)["file_id"].(string))
	ids = append(ids, b.asked(who))
	s := b.subscribe(who, opened)
	b.signed(s.hook, "thing.closed", "d", `{}`).is(200, "null")
	b.settled()
	b.ok(who, "GET", "/api/builder/search?search_query="+who, nil)
	return append(ids, graph, s.graph, s.credential, s.preset)
}

// tables gives every row of every table that may hold things of users, as text.
func (b *bed) tables() map[string][]string {
	b.t.Helper()
	names, err := b.platform.DB.Read.Migrator().GetTables()
	require.NoError(b.t, err)
	all := map[string][]string{}
	for _, table := range names {
		if strings.HasPrefix(table, "river") || strings.HasPrefix(table, "sqlite") || slices.Contains(unseeded, table) {
			continue
		}
		var rows []map[string]any
		require.NoError(b.t, b.platform.DB.Read.Table(table).Find(&rows).Error)
		texts := []string{}
		for _, r := range rows {
			texts = append(texts, encode(r))
		}
		sort.Strings(texts)
		all[table] = texts
	}
	// The administrator looks on, and is nobody's.
	all["users"] = slices.DeleteFunc(all["users"], func(r string) bool { return mentions(r, []string{`"` + admin + `"`}) })
	// So are the keys of the installation.
	all["credentials"] = slices.DeleteFunc(all["credentials"], func(r string) bool { return strings.Contains(r, `"user_id":""`) })
	return all
}

func mentions(text string, ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return strings.Contains(text, id) })
}

// A user who goes has more than fits into one batch, and some of it is at work.
func TestDeletionOfMuch(t *testing.T) {
	engines(t, func(b *bed) {
		b.ok(admin, "POST", "/api/auth/user", nil)
		hold := b.save(alice, agent("hold", node("h", holdID)))["id"].(string)
		for range 3 {
			b.ok(alice, "POST", "/api/graphs/"+hold+"/execute/1", `{}`)
		}
		echo := b.save(alice, echoAgent("echo"))["id"].(string)
		run := b.run(alice, echo, map[string]any{"in": 1})
		for i := range 30 {
			b.ok(alice, "PUT", "/api/graphs/"+echo, with(echoAgent(fmt.Sprint(i)), "id", echo))
		}
		// A run with very many nodes, very many runs, and as many values.
		b.copyRows("node_executions", "graph_exec_id", run["id"].(string), 700, map[string]string{"id": "id || '-' || n"})
		b.copyRows("node_outputs", "node_exec_id", run["node_executions"].([]any)[0].(map[string]any)["node_exec_id"].(string), 700, map[string]string{"node_exec_id": "node_exec_id || '-' || n"})
		b.copyRows("graph_executions", "id", run["id"].(string), 130, map[string]string{"id": "id || '-' || n"})
		require.NoError(b.t, b.platform.DB.Write.Exec(`INSERT INTO stored_values (user_id, key, data, node_exec_id, updated_at) VALUES (?, '0', '1', '', '2025-01-01')`, alice).Error)
		b.copyRows("stored_values", "key", "0", 50, map[string]string{"key": "'v' || n"})

		id := b.object(alice, "DELETE", "/api/auth/user", `{"confirm":"alice@example.com"}`)["id"].(string)
		record := b.finished(id)
		counts := map[string]any{}
		for _, s := range record["steps"].([]any) {
			counts[s.(map[string]any)["name"].(string)] = s.(map[string]any)["count"]
		}
		require.EqualValues(b.t, 3, counts["stop runs"])
		// Runs, values, rows of the library, versions: 4+130, 1+50, 2, 1+31.
		require.EqualValues(b.t, 134+51+2+32, counts["data"])
		for table, rows := range b.tables() {
			require.Empty(b.t, rows, table)
		}
		require.Contains(b.t, b.call(nobody, "GET", "/metrics", nil).body, "execution_manager_active_runs 0\n", "nothing is at work")
	})
}

// copyRows adds copies of a row, with other values in some columns: n is 1, 2, ….
func (b *bed) copyRows(table, key, value string, times int, changes map[string]string) {
	b.t.Helper()
	types, err := b.platform.DB.Write.Migrator().ColumnTypes(table)
	require.NoError(b.t, err)
	var into, from []string
	for _, c := range types {
		expression, changed := changes[c.Name()]
		if !changed {
			expression = c.Name()
		}
		into, from = append(into, c.Name()), append(from, expression)
	}
	if i := slices.Index(into, "share_token"); i >= 0 {
		from[i] = "NULL"
	}
	require.NoError(b.t, b.platform.DB.Write.Exec(fmt.Sprintf(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
		INSERT INTO %s (%s) SELECT %s FROM (SELECT * FROM %s WHERE %s = ? LIMIT 1) one, numbers`,
		times, table, strings.Join(into, ", "), strings.Join(from, ", "), table, key), value).Error)
}

// What others have done with the agents of a user stays theirs.
func TestOthersKeepTheirRuns(t *testing.T) {
	engines(t, func(b *bed) {
		b.ok(admin, "POST", "/api/auth/user", nil)
		b.ok(bob, "POST", "/api/auth/user", nil)
		graph := b.save(alice, echoAgent("told by alice"))["id"].(string)
		require.NoError(b.t, b.platform.DB.Write.Exec(`INSERT INTO library_agents (id, user_id, graph_id, graph_version, is_created_by_user,
			use_graph_is_active_version, is_archived, is_deleted, created_at, updated_at)
			VALUES ('shelf', ?, ?, 1, false, false, false, false, '2025-01-01', '2025-01-01')`, bob, graph).Error)
		run := b.run(bob, graph, map[string]any{"in": "his"})
		before := b.rowsOf(bob)
		id := b.object(alice, "DELETE", "/api/auth/user", `{"confirm":"alice@example.com"}`)["id"].(string)
		b.finished(id)
		for _, table := range []string{"graph_executions", "node_executions", "node_outputs", "library_agents"} {
			require.Equal(b.t, before[table], b.rowsOf(bob)[table], table)
		}
		kept := b.object(bob, "GET", "/api/graphs/"+graph+"/executions/"+run["id"].(string), nil)
		require.Equal(b.t, run, kept)
		path := "/api/graphs/" + graph + "/execute/1"
		b.call(bob, "POST", path, `{}`).is(400, failure("POST", path, "Graph #"+graph+" not found."))
	})
}

// provisioned is a vendor with things of users, which can be away.
type provisioned struct {
	begun  atomic.Int64
	left   atomic.Int64
	refuse atomic.Bool
}

func (p *provisioned) RevokeAll(_ context.Context, tx *gorm.DB, _ string) error {
	if p.refuse.Load() {
		return errors.New("the revocations of key-1234 cannot be written")
	}
	if tx.Statement.ConnPool == nil {
		return errors.New("there is no transaction")
	}
	p.begun.Add(1)
	return nil
}

func (p *provisioned) Remaining(context.Context, string) (int, error) { return int(p.left.Load()), nil }

// A vendor that is away for long keeps the record open, and no data.
func TestDeletionWithoutVendor(t *testing.T) {
	var vendor *provisioned
	options := func() platform.DeletionOptions {
		vendor = &provisioned{}
		vendor.left.Store(1)
		return platform.DeletionOptions{Revocations: vendor, SignIns: brokenSignIns{}}
	}
	deletions(t, options, func(b *bed) {
		vendor := vendor
		b.ok(admin, "POST", "/api/auth/user", nil)
		b.save(alice, echoAgent("hers"))
		before := b.rowsOf(alice)

		vendor.refuse.Store(true)
		a := b.call(alice, "DELETE", "/api/auth/user", `{"confirm":"alice@example.com"}`)
		require.Equal(b.t, 500, a.status)
		require.NotContains(b.t, a.body, "key-1234")
		require.Equal(b.t, before, b.rowsOf(alice), "without durable revocations nothing begins")
		vendor.refuse.Store(false)

		begun := b.object(alice, "DELETE", "/api/auth/user", `{"confirm":"alice@example.com"}`)
		require.EqualValues(b.t, 1, begun["revocations_pending"])
		require.Positive(b.t, vendor.begun.Load())
		id := begun["id"].(string)
		var record map[string]any
		b.eventually("the data are gone", func() bool {
			record = b.object(admin, "GET", "/api/admin/deletions/"+id, nil)
			return stepsOf(record)["final sweep"] == "done"
		})
		require.Equal(b.t, []any{"pending", 1.0}, []any{record["state"], record["revocations_pending"]})
		for table, rows := range b.tables() {
			require.Empty(b.t, rows, table)
		}
		require.Equal(b.t, "failed", stepsOf(record)["revoke sign-ins"])
		require.NotContains(b.t, encode(record), "token-5678")
		require.Greater(b.t, vendor.begun.Load(), int64(2), "what was provisioned since is found")
		b.call(alice, "GET", "/api/graphs", nil).is(403, detail("This account is being deleted"))

		vendor.left.Store(0)
		require.EqualValues(b.t, 0, b.finished(id)["revocations_pending"])
	})
}

type brokenSignIns struct{}

func (brokenSignIns) RevokeAll(context.Context, string) (int, error) {
	return 0, errors.New("the vendor refuses token-5678")
}
