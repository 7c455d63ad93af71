package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// ringKey makes a key of the tests, as a key and as it stands in
// encryption.keys.
func ringKey(name string, b byte) (credential.Key, string) {
	raw := strings.Repeat(string(rune(b)), 32)
	return credential.Key{Name: name, Key: core.Secret(raw)}, name + ":" + base64.StdEncoding.EncodeToString([]byte(raw))
}

// keysVariable sets encryption.keys.
func keysVariable(keys ...string) string {
	return "AGENTSERVER_ENCRYPTION_KEYS=" + strings.Join(keys, ",")
}

// withStored opens a database, migrated, with the credentials of a ring, for as
// long as fn takes.
func withStored(t *testing.T, o db.Options, fn func(d *db.DB, s *credential.Service), keys ...credential.Key) {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	d, err := db.Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	require.NoError(t, d.Migrate(t.Context()))
	ring, err := credential.NewRing(keys)
	require.NoError(t, err)
	s, err := credential.Open(t.Context(), d, ring, &core.Registry{}, credential.Options{})
	require.NoError(t, err)
	fn(d, s)
}

// fillCredentials stores n credentials for each user.
func fillCredentials(t *testing.T, s *credential.Service, n int, users ...string) {
	t.Helper()
	for _, user := range users {
		var list []core.Credential
		for i := range n {
			base := core.CredentialBase{ID: fmt.Sprintf("id-%d", i), Provider: "openai", Title: "Key"}
			list = append(list, core.APIKey{CredentialBase: base, Key: core.Secret(fmt.Sprintf("canary-%s-%d", user, i))})
		}
		result, err := s.Import(t.Context(), user, list, false)
		require.NoError(t, err)
		require.Equal(t, n, result.Added)
	}
}

// resealUntil starts the command and sends it a signal when it has said a line
// that begins so. It gives how the process ended, and its last line.
func resealUntil(t *testing.T, dir string, env []string, line string, s syscall.Signal) (*os.ProcessState, string) {
	t.Helper()
	cmd := command(t, dir, env, "keys", "reseal")
	pipe, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	sent, last := false, ""
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		last = lines.Text()
		if !sent && strings.HasPrefix(last, line) {
			require.NoError(t, cmd.Process.Signal(s))
			sent = true
		}
	}
	require.Error(t, cmd.Wait())
	require.True(t, sent, "it did not get so far: %s", last)
	return cmd.ProcessState, last
}

// A kill half-way loses nothing: the command goes on, and then the new key alone
// opens everything.
func TestKeysResealKilledHalfWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := db.Options{DataDir: filepath.Join(dir, "data")}
	oldKey, oldText := ringKey("old", 'o')
	newKey, newText := ringKey("new", 'n')
	both := []string{keysVariable(newText, oldText)}
	const users, each = 10, 1000
	names := []string{testUser}
	for i := 1; i < users; i++ {
		names = append(names, fmt.Sprintf("user-%d", i))
	}
	withStored(t, o, func(_ *db.DB, s *credential.Service) { fillCredentials(t, s, each, names...) }, oldKey)

	stopped, said := resealUntil(t, dir, both, "resealed 1000 of 10000", syscall.SIGTERM)
	require.Equal(t, 1, stopped.ExitCode())
	require.Equal(t, "agentserver: stopped before the end; run it again to go on", said)
	killed, _ := resealUntil(t, dir, both, "resealed 1000 of ", syscall.SIGKILL)
	require.False(t, killed.Exited(), "it was killed")
	var left int
	withStored(t, o, func(_ *db.DB, s *credential.Service) {
		counts, err := s.Sealed(t.Context())
		require.NoError(t, err)
		left = counts["old"]
		require.Equal(t, users*each, counts["new"]+left)
		require.LessOrEqual(t, left, 8000)
		require.Positive(t, left, "the kill came too late to show anything")
	}, newKey, oldKey)
	_, stderr, code := output(t, dir, []string{keysVariable(newText)}, "keys", "reseal")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "key old", "encryption.keys")

	out, stderr, code := output(t, dir, both, "keys", "reseal")
	require.Zero(t, code, "%s", stderr)
	require.Equal(t, "sealed with the first key, new: 10000 credentials\n"+
		"not needed any more, may be removed from encryption.keys: number 2 (old)\n", out)
	require.Contains(t, stderr, fmt.Sprintf("resealed %[1]d of %[1]d\n", left), "it does what is left, and no more")
	require.NotContains(t, out+stderr, "canary")

	out, stderr, code = output(t, dir, []string{keysVariable(newText)}, "keys", "reseal")
	require.Zero(t, code, "%s", stderr)
	require.Equal(t, "sealed with the first key, new: 10000 credentials\n", out)
	require.Empty(t, stderr)
	withStored(t, o, func(_ *db.DB, s *credential.Service) {
		for _, user := range names {
			for i := range each {
				c, err := s.Get(t.Context(), user, fmt.Sprintf("id-%d", i))
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("canary-%s-%d", user, i), c.(core.APIKey).Key.Reveal())
			}
		}
	}, newKey)
	_, a := serving(t, dir, freeAddress(t), keysVariable(newText))
	require.Len(t, a.credentialIDs(), each)
	_, stderr, code = output(t, dir, both, "keys", "reseal")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "in use by another agentserver process", "stop it")
}

// The exit status tells whether older keys can go.
func TestKeysResealSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			o, env := db.Options{DataDir: filepath.Join(dir, "data")}, []string(nil)
			if engine == "postgres" {
				o.URL = dbtest.PostgresURL(t)
				env = []string{"DATABASE_URL=" + o.URL}
			}
			oneKey, one := ringKey("one", '1')
			twoKey, two := ringKey("two", '2')
			_, three := ringKey("three", '3')
			_, unused := ringKey("unused", '4')
			withStored(t, o, func(_ *db.DB, s *credential.Service) { fillCredentials(t, s, 3, "ada") }, oneKey)
			withStored(t, o, func(d *db.DB, s *credential.Service) {
				fillCredentials(t, s, 2, "bob")
				require.NoError(t, d.Write.Exec("UPDATE credentials SET sealed = 'v1.one.AAAA' WHERE user_id = 'ada' AND id = 'id-1'").Error)
			}, twoKey, oneKey)

			out, stderr, code := output(t, dir, append(env, keysVariable(three, two, one, unused)), "keys", "reseal")
			require.Equal(t, 1, code)
			require.Equal(t, "sealed with the first key, three: 4 credentials\n"+
				"not needed any more, may be removed from encryption.keys: number 2 (two), number 4 (unused)\n", out)
			require.Contains(t, stderr, "resealed 5 of 5\n")
			require.Contains(t, stderr, "credential id-1 of user ada")
			require.Contains(t, stderr, "\nagentserver: still needed in encryption.keys: number 3 (one), for 1 credential;")

			out, _, code = output(t, dir, append(env, keysVariable(three, one)), "keys", "reseal")
			require.Equal(t, 1, code, "the ones that were said to be idle are not missed")
			require.Equal(t, "sealed with the first key, three: 4 credentials\n", out)
		})
	}
}

// Without configured keys there is the one of the data folder.
func TestKeysResealOfAFreshInstallation(t *testing.T) {
	t.Parallel()
	out, stderr, code := output(t, t.TempDir(), nil, "keys", "reseal")
	require.Zero(t, code, "%s", stderr)
	require.Regexp(t, `^sealed with the first key, [0-9a-f]{8}: 0 credentials\n$`, out)
}
