package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireOneLine checks that a command said one clear line, with all of parts
// in it.
func requireOneLine(t *testing.T, stderr string, parts ...string) {
	t.Helper()
	text, ended := strings.CutSuffix(stderr, "\n")
	require.True(t, ended, "the last line has no end: %q", stderr)
	require.NotContains(t, text, "\n", "one line is enough")
	require.True(t, strings.HasPrefix(text, "agentserver: "), "%q", text)
	for _, part := range parts {
		require.Contains(t, text, part)
	}
}

// writeFile puts a file into a folder and gives its path.
func writeFile(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// chainFile writes the agent of chain as a file of the kind that is exported.
func chainFile(t *testing.T, dir string, delay float64) string {
	t.Helper()
	data, err := json.Marshal(chain(delay)["graph"])
	require.NoError(t, err)
	return writeFile(t, dir, "chain.json", data)
}

// absolute gives the path of a file of the repository, for commands that start
// in another folder.
func absolute(t *testing.T, path ...string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join(path...))
	require.NoError(t, err)
	return p
}

// tokenFor makes a token as a user of the command line does.
func tokenFor(t *testing.T, dir, email string, args ...string) string {
	t.Helper()
	out, stderr, code := output(t, dir, nil, append([]string{"token", "--email", email}, args...)...)
	require.Zero(t, code, "%s", stderr)
	require.Empty(t, stderr)
	token, ended := strings.CutSuffix(out, "\n")
	require.True(t, ended)
	require.NotContains(t, token, "\n", "the token and nothing else")
	return token
}

// imported is an agent in the answer to its import.
type imported struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Nodes   []struct {
		ID           string         `json:"id"`
		BlockID      string         `json:"block_id"`
		InputDefault map[string]any `json:"input_default"`
		Metadata     map[string]any `json:"metadata"`
	} `json:"nodes"`
	InputSchema       json.RawMessage `json:"input_schema"`
	OutputSchema      json.RawMessage `json:"output_schema"`
	CredentialsSchema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	} `json:"credentials_input_schema"`
}

// executePath is where a run of the agent is started. An import keeps the
// version of the export.
func (g imported) executePath() string {
	return fmt.Sprintf("/api/graphs/%s/execute/%d", g.ID, g.Version)
}

// importAgent stores an exported agent.
func (a *api) importAgent(data []byte) imported {
	var g imported
	a.call("POST", "/api/graphs", map[string]any{"graph": json.RawMessage(data), "source": "upload"}, &g)
	return g
}

// execute starts a run and gives it at its end.
func (a *api) execute(g imported, body any) run {
	var r run
	a.call("POST", g.executePath(), body, &r)
	return a.await(g.ID, r.ID)
}
