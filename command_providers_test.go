package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// providerRow gives the line of a provider in the list of `providers`.
func providerRow(t *testing.T, name string, env ...string) string {
	t.Helper()
	out, stderr, code := output(t, t.TempDir(), env, "providers")
	require.Zero(t, code, "%s", stderr)
	for line := range strings.SplitSeq(out, "\n") {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == name {
			return strings.Join(fields, " ")
		}
	}
	require.Failf(t, "no such provider", "%s in\n%s", name, out)
	return ""
}

func TestProvidersList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, provider string
		env            []string
		want           string
	}{
		{"as installed", "openai", nil, "openai on 0 api_key not set (providers.openai.api_key or OPENAI_API_KEY)"},
		{"with a key", "openai", []string{"OPENAI_API_KEY=canary"}, "openai on 0 api_key set"},
		{"with a key under its own name", "openai", []string{"AGENTSERVER_PROVIDERS_OPENAI_API_KEY=canary"}, "openai on 0 api_key set"},
		{"with a server that needs no key", "openai", []string{"OPENAI_BASE_URL=http://127.0.0.1:1/v1"}, "openai on 0 api_key set"},
		{
			"disabled", "openai",
			[]string{"AGENTSERVER_PROVIDERS_DISABLED=openai"},
			"openai off 0 api_key not set (providers.openai.api_key or OPENAI_API_KEY)",
		},
		{"not enabled", "openai", []string{"AGENTSERVER_PROVIDERS_ENABLED=test", "OPENAI_API_KEY=x"}, "openai off 0 api_key set"},
		{"without credentials", "test", nil, "test on 3 - -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, providerRow(t, c.provider, c.env...))
		})
	}
}

// A provider that is off has no blocks, and what needs them is refused by an
// error that says why.
func TestProviderTurnedOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, setting, reason string }{
		{"disabled", "AGENTSERVER_PROVIDERS_DISABLED=test", "providers.disabled"},
		{"not enabled", "AGENTSERVER_PROVIDERS_ENABLED=openai", "providers.enabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, address := t.TempDir(), freeAddress(t)
			server, a := serving(t, dir, address)
			require.Contains(t, a.blockIDs(), countBlockID)
			var stored imported
			a.call("POST", "/api/graphs", chain(0), &stored)
			require.Zero(t, server.stop())

			_, a = serving(t, dir, address, c.setting)
			require.NotContains(t, a.blockIDs(), countBlockID)
			for what, request := range map[string]struct {
				path string
				body any
			}{
				"saving": {"/api/graphs", chain(0)},
				"running what was saved before": {
					"/api/graphs/" + stored.ID + "/execute/1", map[string]any{"inputs": map[string]any{"in": 1}},
				},
			} {
				status, data, err := a.try("POST", request.path, request.body)
				require.NoError(t, err)
				require.Equal(t, http.StatusBadRequest, status, "%s: %s", what, data)
				require.Contains(t, string(data), "provider test is turned off", what)
				require.Contains(t, string(data), c.reason, what)
			}
		})
	}
}

func (a *api) blockIDs() []string {
	var list []struct {
		ID string `json:"id"`
	}
	a.call("GET", "/api/blocks", nil, &list)
	ids := make([]string, len(list))
	for i, b := range list {
		ids[i] = b.ID
	}
	return ids
}

// A model whose provider is off cannot be reached through the platform's block.
func TestModelOfAProviderTurnedOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := []string{"OPENAI_API_KEY=canary", "AGENTSERVER_PROVIDERS_DISABLED=openai"}
	out, stderr, code := output(t, dir, env, "run", absolute(t, "testdata", "ask.json"), "--json")
	require.Equal(t, 1, code)
	require.NotContains(t, stderr, "canary")
	require.Contains(t, stderr, "openai")
	for line := range strings.Lines(out) {
		require.True(t, json.Valid([]byte(line)), "%s", line)
	}
}
