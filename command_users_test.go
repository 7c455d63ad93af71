package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"agentserver/core/account"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// openDatabase gives the database of a folder, or of an address, for a moment in
// which the test looks into it.
func openDatabase(t *testing.T, o db.Options) *db.DB {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	d, err := db.Open(context.Background(), o)
	require.NoError(t, err)
	return d
}

// rowsWith counts the rows of a table in which a column has a value.
func rowsWith(t *testing.T, d *db.DB, table, column, value string) int {
	t.Helper()
	var n int64
	require.NoError(t, d.Read.Table(table).Where(column+" = ?", value).Count(&n).Error)
	return int(n)
}

// runsOfOne is how many runs the users of these tests have had.
const runsOfOne = 5000

// settle gives a user an agent with a run, and that run very often.
func (a *api) settle(o db.Options, stop func()) {
	var g struct {
		ID string `json:"id"`
	}
	a.call("POST", "/api/graphs", chain(0), &g)
	var r run
	a.call("POST", "/api/graphs/"+g.ID+"/execute/1", map[string]any{"inputs": map[string]any{"in": 1}}, &r)
	a.await(g.ID, r.ID)
	stop()
	d := openDatabase(a.t, o)
	defer d.Close()
	require.NoError(a.t, d.Write.Exec(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
		INSERT INTO graph_executions (id, user_id, graph_id, graph_version, status, depth, is_dry_run, context, fence, cancel_requested, is_deleted, is_shared, created_at)
		SELECT r.id || '-' || n, user_id, graph_id, graph_version, status, depth, is_dry_run, context, fence, cancel_requested, is_deleted, is_shared, created_at
		FROM (SELECT * FROM graph_executions WHERE id = ?) r, numbers`, runsOfOne-1, r.ID).Error)
}

// Beside a running server, the command leaves the work to it.
func TestUsersDeleteBesideAServer(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	_, a := serving(t, dir, address)
	a.call("POST", "/api/auth/user", nil, nil)
	stdout, stderr, code := output(t, dir, nil, "users", "delete", "test@example.com")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "nothing was deleted")
	require.Contains(t, stdout, " has 0 agents, 0 runs and 0 credentials")

	_, stderr, code = output(t, dir, nil, "users", "delete", "test@example.com", "--yes", "--timeout", "2s")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "the deletion is not finished; it goes on while a server or worker runs")
	require.Eventually(t, func() bool {
		status, body, err := a.try("GET", "/api/graphs", nil)
		return err == nil && status == http.StatusForbidden && string(body) == `{"detail":"This account is being deleted"}`
	}, time.Minute, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		stdout, _, code = output(t, dir, nil, "users", "deletions")
		return code == 0 && strings.Contains(stdout, "pending") && strings.Contains(stdout, "final sweep")
	}, time.Minute, 100*time.Millisecond, "%s", stdout)
}

func TestUsersDelete(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	env := []string{countFile + "=" + filepath.Join(dir, "counts")}
	data := db.Options{DataDir: filepath.Join(dir, "data")}
	server, a := serving(t, dir, address, env...)
	other := &api{t: t, address: address, token: tokenFor(t, dir, "other@example.com")}
	var kept struct {
		ID string `json:"id"`
	}
	other.call("POST", "/api/graphs", chain(0), &kept)

	a.settle(data, func() { require.Zero(t, server.stop()) })

	stdout, stderr, code := output(t, dir, env, "users", "delete", "TEST@example.com")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "nothing was deleted; --yes deletes the account with all of it")
	id := userID("test@example.com")
	require.Equal(t, "test@example.com ("+id+") has 1 agent, 5000 runs and 0 credentials\n", stdout)
	_, stderr, code = output(t, dir, env, "users", "delete", "ghost@example.com", "--yes")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "there is no account ghost@example.com")

	stdout, stderr, code = output(t, dir, env, "users", "delete", id, "--yes")
	require.Zero(t, code, "%s", stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Equal(t, "the account is deleted", lines[len(lines)-1])
	require.Equal(t, []string{"final", "sweep", "done"}, strings.Fields(lines[len(lines)-2]))
	stdout, _, code = output(t, dir, env, "users", "deletions")
	require.Zero(t, code)
	lines = strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 2)
	fields := strings.Fields(lines[1])
	require.Len(t, fields, 7)
	require.Equal(t, []string{id, "finished", "cli", "-"}, []string{fields[1], fields[2], fields[4], fields[6]})

	server, a = serving(t, dir, address, env...)
	old := signAt(t, dir, id, time.Now().Add(-time.Hour))
	status, body, err := (&api{t: t, address: address, token: old}).try("GET", "/api/graphs", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, status)
	require.JSONEq(t, `{"detail":"This account was deleted"}`, string(body))
	require.Eventually(t, func() bool {
		a.token = tokenFor(t, dir, "test@example.com")
		status, body, err := a.try("GET", "/api/graphs", nil)
		return err == nil && status == http.StatusOK && string(body) == "[]"
	}, time.Minute, 20*time.Millisecond, "a new token is for a new, empty account")
	var g imported
	other.call("GET", "/api/graphs/"+kept.ID, nil, &g)
	require.Equal(t, kept.ID, g.ID)
	require.Zero(t, server.stop(), "%s", server.stderr)
}

// The command is killed in the middle of its work, again and again; the next one
// goes on, and one that is not killed comes to the end.
func TestUsersDeleteKilled(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	env := []string{countFile + "=" + filepath.Join(dir, "counts")}
	data := db.Options{DataDir: filepath.Join(dir, "data")}
	server, a := serving(t, dir, address, env...)
	a.settle(data, func() { require.Zero(t, server.stop()) })
	id := userID("test@example.com")

	lines, left := 0, runsOfOne
	for kill := range 6 {
		cmd := command(t, dir, env, "users", "delete", id, "--yes")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		scanner := bufio.NewScanner(out)
		for range min(kill, 3) {
			if scanner.Scan() {
				lines++
			}
		}
		if kill > 2 {
			time.Sleep(time.Duration(kill) * 20 * time.Millisecond) // somewhere in the data
		}
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		d := openDatabase(t, data)
		now := rowsWith(t, d, "graph_executions", "user_id", id)
		require.NoError(t, d.Close())
		require.LessOrEqual(t, now, left, "what was removed stays so")
		left = now
	}
	require.Positive(t, lines, "no step was seen")
	d := openDatabase(t, data)
	pending := rowsWith(t, d, "account_deletions", "state", "pending")
	require.NoError(t, d.Close())
	stdout, stderr, code := output(t, dir, env, "users", "delete", id, "--yes")
	if pending == 1 {
		require.Zero(t, code, "%s", stderr)
		require.True(t, strings.HasSuffix(stdout, "the account is deleted\n"), "%s", stdout)
	}
	d = openDatabase(t, data)
	defer d.Close()
	require.Equal(t, 1, rowsWith(t, d, "account_deletions", "state", "finished"))
	for _, table := range []string{"graph_executions", "graphs", "library_agents", "stored_values"} {
		require.Zero(t, rowsWith(t, d, table, "user_id", id), table)
	}
	for _, table := range []string{"users", "node_executions", "node_outputs"} {
		var n int64
		require.NoError(t, d.Read.Table(table).Count(&n).Error)
		require.Zero(t, n, table)
	}
}

// The server that has a deletion dies; another process goes on with it.
func TestServerKilledInDeletion(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	data := db.Options{URL: dbtest.PostgresURL(t)}
	env := []string{
		countFile + "=" + filepath.Join(dir, "counts"), "AGENTSERVER_DATABASE_URL=" + data.URL, "AGENTSERVER_WORKER_HEARTBEAT_TIMEOUT=2s",
	}
	server, a := serving(t, dir, address, env...)
	a.settle(data, func() {})
	id := userID("test@example.com")
	a.call("DELETE", "/api/auth/user", map[string]any{"confirm": "test@example.com"}, nil)
	d := openDatabase(t, data)
	defer d.Close()
	require.Eventually(t, func() bool { return rowsWith(t, d, "graph_executions", "user_id", id) < runsOfOne }, time.Minute, time.Millisecond,
		"the data begin to go")
	server.kill()
	left := rowsWith(t, d, "graph_executions", "user_id", id)
	require.Positive(t, left, "the server was killed too late")
	require.Equal(t, 1, rowsWith(t, d, "users", "id", id))
	require.Equal(t, 1, rowsWith(t, d, "river_job", "state", "running"), "the job is the lost server's")

	start(t, dir, env, "worker")
	require.Eventually(t, func() bool { return rowsWith(t, d, "users", "id", id) == 0 }, time.Minute, 20*time.Millisecond,
		"nobody goes on with the deletion")
	require.Zero(t, rowsWith(t, d, "graph_executions", "user_id", id))
	var steps string
	require.Eventually(t, func() bool {
		require.NoError(t, d.Read.Table("account_deletions").Where("user_id = ?", id).Pluck("steps", &steps).Error)
		var list []struct{ Name, State string }
		require.NoError(t, json.Unmarshal([]byte(steps), &list))
		return list[len(list)-2].State == "done" && list[len(list)-1].State == "pending"
	}, time.Minute, 20*time.Millisecond, "it waits for other processes to forget the user: %s", steps)
}

// signAt signs a token with the key of the data folder, as if at that time.
func signAt(t *testing.T, dir, user string, at time.Time) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "data", "jwt.key"))
	require.NoError(t, err)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "aud": account.Audience, "email": "test@example.com", "iat": at.Unix(),
	}).SignedString([]byte(strings.TrimSpace(string(key))))
	require.NoError(t, err)
	return token
}

// With Postgres others may remember the user for a while. Who does not wait for
// that leaves the rest to them.
func TestUsersDeleteGivesUpWaiting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := db.Options{URL: dbtest.PostgresURL(t)}
	env := []string{"AGENTSERVER_DATABASE_URL=" + data.URL}
	_, stderr, code := output(t, dir, env, "migrate")
	require.Zero(t, code, "%s", stderr)
	d := openDatabase(t, data)
	defer d.Close()
	require.NoError(t, d.Write.Exec("INSERT INTO users (id, email, created_at, updated_at) VALUES ('ada', 'ada@example.com', '2025-01-01', '2025-01-01')").Error)
	_, stderr, code = output(t, dir, env, "users", "delete", "ada", "--yes", "--timeout", "10s")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "the deletion is not finished; it goes on while a server or worker runs")
	require.Equal(t, 1, rowsWith(t, d, "account_deletions", "state", "pending"))
	require.Zero(t, rowsWith(t, d, "users", "id", "ada"))
	stdout, _, code := output(t, dir, env, "users", "deletions")
	require.Zero(t, code)
	require.Regexp(t, `ada +pending .* cli +- +final sweep`, stdout)
}
