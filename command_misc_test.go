package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// Before the first start, so that the command makes the key.
	ada := tokenFor(t, dir, "Ada@example.com")
	other := tokenFor(t, dir, "other@example.com")
	address := freeAddress(t)
	_, a := serving(t, dir, address)

	type user struct{ ID, Email string }
	who := func(token string) user {
		var u user
		(&api{t: t, address: address, token: token}).call("POST", "/api/auth/user", nil, &u)
		return u
	}
	first := who(ada)
	require.Equal(t, "Ada@example.com", first.Email)
	require.Equal(t, first.ID, who(tokenFor(t, dir, "ada@example.com")).ID, "an address is one user")
	require.NotEqual(t, first.ID, who(other).ID)

	a.token = ada[:len(ada)-4] + "AAAA"
	status, _, err := a.try("GET", "/api/graphs", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, status, "a token that was tampered with")

	info, err := os.Stat(filepath.Join(dir, "data", "jwt.key"))
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "others can read the key")
}

func TestTokenOfAdministrator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Equal(t, "authenticated", roleIn(t, tokenFor(t, dir, "a@example.com")))
	require.Equal(t, "admin", roleIn(t, tokenFor(t, dir, "a@example.com", "--admin")))
}

func roleIn(t *testing.T, token string) string {
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims struct{ Role string }
	require.NoError(t, json.Unmarshal(data, &claims))
	return claims.Role
}

func TestTokenNeedsASharedKey(t *testing.T) {
	t.Parallel()
	env := []string{"AGENTSERVER_AUTH_JWT_ALGORITHM=RS256", "AGENTSERVER_AUTH_JWKS_URL=http://127.0.0.1:1/keys"}
	stdout, stderr, code := output(t, t.TempDir(), env, "token", "--email", "a@example.com")
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	requireOneLine(t, stderr, "public keys")
}

func TestOpenAPIAndHealth(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	printed, stderr, code := output(t, dir, nil, "openapi")
	require.Zero(t, code, "%s", stderr)
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(printed), &doc))
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.Contains(t, doc.Paths["/api/graphs/{graph_id}/execute/{graph_version}"], "post")
	require.NoDirExists(t, filepath.Join(dir, "data"), "a description starts nothing")

	server, _ := serving(t, dir, address)
	res, err := http.Get("http://" + address + "/openapi.json")
	require.NoError(t, err)
	defer res.Body.Close()
	served, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.JSONEq(t, string(served), printed)

	_, stderr, code = output(t, dir, nil, "health", "--listen", address)
	require.Zero(t, code, "%s", stderr)
	_, port, _ := strings.Cut(address, ":")
	_, stderr, code = output(t, dir, nil, "health", "--listen", ":"+port)
	require.Zero(t, code, "%s", stderr)
	require.Zero(t, server.stop())
	_, _, code = output(t, dir, nil, "health", "--listen", address)
	require.Equal(t, 1, code)
}

func TestVersion(t *testing.T) {
	t.Parallel()
	out, stderr, code := output(t, t.TempDir(), nil, "version")
	require.Zero(t, code)
	require.Empty(t, stderr)
	require.Regexp(t, `^\S+\n$`, out)
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table, _, code := output(t, dir, nil, "blocks")
	require.Zero(t, code)
	require.Contains(t, table, "AgentInputBlock")
	out, _, code := output(t, dir, nil, "blocks", "--json")
	require.Zero(t, code)
	var list []struct{ ID, Name string }
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Equal(t, len(list)+1, strings.Count(table, "\n"), "a line for each, and a head")
	out, _, code = output(t, dir, []string{"AGENTSERVER_BLOCKS_AGENT_INPUT_SUBTYPES=false"}, "blocks")
	require.Zero(t, code)
	require.Contains(t, out, "AgentInputBlock")
	require.NotContains(t, out, "AgentDateInputBlock")
}

// The configuration is printed with all its secrets hidden.
func TestConfigHidesSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, "agentserver.yaml", []byte("auth: {jwt_key: canary-in-the-file-32-characters-long}\nlog: {level: warn}\n"))
	out, stderr, code := output(t, dir, []string{
		"OPENAI_API_KEY=canary-key", "DATABASE_URL=postgres://u:canary-password@db/x", "REDIS_HOST=cache", "REDIS_PASSWORD=canary-redis",
		"ENCRYPTION_KEY=Y2FuYXJ5LWtleS1vZi0zMi1ieXRlcy1sZW5ndGghISE=",
	}, "config", "--listen", "127.0.0.1:7")
	require.Zero(t, code, "%s", stderr)
	require.NotContains(t, out, "canary")
	require.NotContains(t, out, "Y2FuYXJ5")
	for _, line := range []string{
		"listen: 127.0.0.1:7 # flag",
		"api_key: '**********' # env OPENAI_API_KEY",
		"jwt_key: '**********' # file agentserver.yaml",
		"level: warn # file agentserver.yaml",
		"data_dir: ./data # default",
	} {
		require.Contains(t, out, line)
	}
}
