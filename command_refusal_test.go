package main

import (
	"database/sql"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	_ "github.com/glebarez/go-sqlite"
	"github.com/stretchr/testify/require"
)

// What is wrong with how a command is called is said in one line, at once.
func TestRefusals(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	for _, c := range []struct {
		name string
		file string
		env  []string
		args []string
		want []string
	}{
		{
			name: "taken port", args: []string{"serve", "--listen", taken.Addr().String()},
			want: []string{taken.Addr().String(), "already in use", "--listen"},
		},
		{
			name: "taken port, without a command", env: []string{"AGENTSERVER_LISTEN=" + taken.Addr().String()},
			want: []string{taken.Addr().String(), "already in use"},
		},
		{
			name: "address that is not ours", args: []string{"--listen", "192.0.2.1:80"},
			want: []string{"cannot listen on 192.0.2.1:80"},
		},
		{
			name: "unknown key in the file", file: "lissten: 127.0.0.1:1", args: []string{"serve"},
			want: []string{"agentserver.yaml", `"lissten"`, `did you mean "listen"`},
		},
		{
			name: "unknown variable", env: []string{"AGENTSERVER_LOG_LEVELL=debug"},
			want: []string{"AGENTSERVER_LOG_LEVELL", `did you mean "AGENTSERVER_LOG_LEVEL"`},
		},
		{
			name: "unknown provider", env: []string{"AGENTSERVER_PROVIDERS_DISABLED=opanai"},
			want: []string{"opanai", `did you mean "openai"`},
		},
		{
			name: "bad value", args: []string{"--log-level", "loud"},
			want: []string{"log.level (flag)", "debug, info, warn", "loud"},
		},
		{
			name: "missing file", args: []string{"--config", "other.yaml"},
			want: []string{"other.yaml"},
		},
		{
			name: "unknown flag", args: []string{"serve", "--frobnicate"},
			want: []string{"--frobnicate"},
		},
		{
			name: "unknown command", args: []string{"frobnicate"},
			want: []string{`"frobnicate"`},
		},
		{
			name: "argument too many", args: []string{"serve", "now"},
			want: []string{`"now"`},
		},
		{
			name: "worker without Postgres", args: []string{"worker"},
			want: []string{"Postgres", "AGENTSERVER_DATABASE_URL"},
		},
		{
			name: "key of tokens that the whole world knows",
			env:  []string{"JWT_VERIFY_KEY=your-super-secret-jwt-token-with-at-least-32-characters-long"},
			args: []string{"serve", "--listen", "127.0.0.1:0"},
			want: []string{"key"},
		},
		{
			name: "token without an address", args: []string{"token"},
			want: []string{"--email"},
		},
		{
			name: "token that is not good for any time", args: []string{"token", "--email", "a@example.com", "--ttl", "0s"},
			want: []string{"--ttl"},
		},
		{
			name: "health of nothing", args: []string{"health", "--listen", "127.0.0.1:1"},
			want: []string{"127.0.0.1:1", "refused"},
		},
		{
			name: "run of no file", args: []string{"run", "missing.json"},
			want: []string{"reading the agent", "missing.json"},
		},
		{
			name: "run of something else", file: "listen: 127.0.0.1:1", args: []string{"run", "agentserver.yaml"},
			want: []string{"agentserver.yaml is not an exported agent"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.file != "" {
				writeFile(t, dir, "agentserver.yaml", []byte(c.file))
			}
			stdout, stderr, code := output(t, dir, c.env, c.args...)
			require.Equal(t, 1, code, "%s", stderr)
			require.Empty(t, stdout)
			requireOneLine(t, stderr, c.want...)
		})
	}
}

// A taken port is found before anything is written.
func TestTakenPortWritesNothing(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	dir := t.TempDir()
	_, _, code := output(t, dir, nil, "--listen", taken.Addr().String())
	require.Equal(t, 1, code)
	require.NoDirExists(t, filepath.Join(dir, "data"))
}

func TestUnreachablePostgres(t *testing.T) {
	t.Parallel()
	nowhere := freeAddress(t)
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"worker"}, {"migrate"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			env := []string{"DATABASE_URL=postgres://someone:canary-password@" + nowhere + "/agents"}
			p := start(t, t.TempDir(), env, args...)
			// It tries for a while, as the database may be starting too, but not
			// for ever.
			require.Eventually(t, func() bool {
				select {
				case <-p.done:
					return true
				default:
					return false
				}
			}, 2*time.Minute, 50*time.Millisecond, "the command does not give up")
			_ = p.cmd.Wait()
			require.Equal(t, 1, p.cmd.ProcessState.ExitCode())
			requireOneLine(t, p.stderr.String(), "Postgres", nowhere, `"agents"`, "refused")
			require.NotContains(t, p.stderr.String(), "canary-password")
		})
	}
}

func TestSecondProcessOnOneDataFolder(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	first, a := serving(t, dir, address)
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"migrate"}} {
		_, stderr, code := output(t, dir, nil, args...)
		require.Equal(t, 1, code)
		requireOneLine(t, stderr, "in use by another agentserver process", "pid "+strconv.Itoa(first.cmd.Process.Pid), "--data-dir")
	}
	_, stderr, code := output(t, dir, nil, "run", absolute(t, "examples", "greeting.json"), "--listen", freeAddress(t))
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "in use by another agentserver process", "no server answers", "--listen")
	a.awaitHealth(first)
	require.Zero(t, first.stop())
	_, _, code = output(t, dir, nil, "migrate")
	require.Zero(t, code, "the folder is free again")
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, stderr, code := output(t, dir, nil, "migrate")
	require.Zero(t, code, "%s", stderr)
	require.Regexp(t, `^the sqlite database is at version \d+\n$`, out)

	d, err := sql.Open("sqlite", filepath.Join(dir, "data", "agentserver.db"))
	require.NoError(t, err)
	var table string
	require.NoError(t, d.QueryRow(`SELECT name FROM sqlite_master WHERE sql LIKE '%version_id%' AND type = 'table'`).Scan(&table))
	_, err = d.Exec("INSERT INTO " + table + " (version_id, is_applied) VALUES (9001, 1)")
	require.NoError(t, err)
	require.NoError(t, d.Close())

	for _, args := range [][]string{{"migrate"}, {"serve", "--listen", "127.0.0.1:0"}} {
		_, stderr, code := output(t, dir, nil, args...)
		require.Equal(t, 1, code)
		requireOneLine(t, stderr, "newer version", "9001")
	}
}
