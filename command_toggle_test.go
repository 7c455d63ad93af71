package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the tests know of Jina: a block, and the operator's credential.
const (
	jinaSearchID = "87840993-2053-44b7-8da4-187ad4ee518c"
	jinaSystemID = "7f26de70-ba0d-494e-ba76-238e65e7b45f"
)

// refused sends a request that must fail, and gives the answer.
func (a *api) refused(status int, method, path string, body any, parts ...string) {
	a.t.Helper()
	got, data, err := a.try(method, path, body)
	require.NoError(a.t, err)
	require.Equal(a.t, status, got, "%s %s: %s", method, path, data)
	for _, part := range parts {
		require.Contains(a.t, string(data), part, "%s %s", method, path)
	}
}

// searching is an agent that searches the web; id is "" for a new one.
func searching(id, credential string) map[string]any {
	return map[string]any{"id": id, "name": "Search", "description": "", "links": []any{}, "nodes": []any{
		map[string]any{"id": "search", "block_id": jinaSearchID, "input_default": map[string]any{
			"query": "moon", "credentials": map[string]any{"id": credential, "provider": "jina", "type": "api_key"},
		}},
	}}
}

// callingAgent is an agent that runs another one.
func callingAgent(g imported) map[string]any {
	return map[string]any{"name": "Caller", "description": "", "links": []any{}, "nodes": []any{
		map[string]any{"id": "call", "block_id": "e189baac-8c20-45a1-94a7-55177ea42565", "input_default": map[string]any{
			"graph_id": g.ID, "graph_version": g.Version, "user_id": testUser, "inputs": map[string]any{},
			"input_schema": map[string]any{}, "output_schema": map[string]any{},
		}},
	}}
}

// A provider that is off is gone from the API, and what it left there is
// neither run nor lost.
func TestProviderIsOffEverywhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, setting, reason string }{
		{"disabled", "AGENTSERVER_PROVIDERS_DISABLED=jina", "listed in providers.disabled"},
		{"not enabled", "AGENTSERVER_PROVIDERS_ENABLED=agent_mail,openai", "not listed in providers.enabled"},
		{"disabled, though enabled", "AGENTSERVER_PROVIDERS_ENABLED=jina,agent_mail,openai\x00AGENTSERVER_PROVIDERS_DISABLED=jina", "listed in providers.disabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, address := t.TempDir(), freeAddress(t)
			key := "JINA_API_KEY=operator-canary"
			server, a := serving(t, dir, address, key)
			var stored struct{ ID string }
			a.call("POST", "/api/integrations/jina/credentials", map[string]any{"type": "api_key", "title": "Mine", "api_key": "k"}, &stored)
			require.Equal(t, []string{stored.ID, jinaSystemID}, a.credentialIDs())
			var search, caller imported
			a.call("POST", "/api/graphs", map[string]any{"graph": searching("", stored.ID)}, &search)
			a.call("POST", "/api/graphs", map[string]any{"graph": callingAgent(search)}, &caller)
			require.Contains(t, a.blockIDs(), jinaSearchID)
			require.Zero(t, server.stop())

			off := append(strings.Split(c.setting, "\x00"), key)
			server, a = serving(t, dir, address, off...)
			why := "its provider jina is turned off here (" + c.reason + ")"
			require.NotContains(t, a.blockIDs(), jinaSearchID)
			blockNamed(t, a, "AgentMailCreatePodBlock")
			blockNamed(t, a, "StoreValueBlock")
			for _, path := range []string{"", "/names", "/constants"} {
				status, data, err := a.try("GET", "/api/integrations/providers"+path, nil)
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, status)
				require.NotContains(t, string(data), "jina", path)
				require.Contains(t, string(data), "openai", path)
			}

			// Agents that hold its blocks.
			a.refused(400, "POST", "/api/graphs", map[string]any{"graph": searching("", stored.ID)}, why)
			a.refused(400, "PUT", "/api/graphs/"+search.ID, searching(search.ID, stored.ID), why)
			a.refused(400, "POST", search.executePath(), map[string]any{}, why)
			a.refused(404, "POST", "/api/blocks/"+jinaSearchID+"/execute", map[string]any{"query": "moon"}, why)
			a.refused(404, "POST", "/api/blocks/00000000-0000-4000-8000-000000000000/execute", map[string]any{},
				`"Block #00000000-0000-4000-8000-000000000000 not found."`)
			a.refused(400, "POST", caller.executePath(), map[string]any{}, why)
			var again imported
			a.call("GET", "/api/graphs/"+search.ID, nil, &again)
			require.Equal(t, search.Nodes, again.Nodes, "what was saved stays as it was")

			// Its credentials.
			require.Equal(t, []string{stored.ID}, a.credentialIDs(), "a user's own stay, the operator's is not offered")
			var list []struct{ ID string }
			a.call("GET", "/api/integrations/jina/credentials", nil, &list)
			require.Len(t, list, 1)
			a.call("GET", "/api/integrations/jina/credentials/"+stored.ID, nil, nil)
			a.refused(404, "POST", "/api/integrations/jina/credentials", map[string]any{"type": "api_key", "api_key": "k"}, "Provider 'jina' not found")
			a.refused(404, "GET", "/api/integrations/jina/credentials/"+jinaSystemID, nil)
			require.Zero(t, server.stop())

			// Back on, everything is as it was; off again, a user can still take
			// a credential away.
			server, a = serving(t, dir, address, key)
			require.Contains(t, a.blockIDs(), jinaSearchID)
			require.Equal(t, []string{stored.ID, jinaSystemID}, a.credentialIDs())
			a.call("PUT", "/api/graphs/"+search.ID, searching(search.ID, stored.ID), nil)
			require.Zero(t, server.stop())
			_, a = serving(t, dir, address, off...)
			a.call("DELETE", "/api/integrations/jina/credentials/"+stored.ID, nil, nil)
			require.Empty(t, a.credentialIDs())
		})
	}
}

// A run that is under way when its provider is turned off fails with the
// reason, and does not run any more of it.
func TestProviderTurnedOffUnderARun(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	counts := filepath.Join(dir, "counts")
	env := []string{countFile + "=" + counts, "AGENTSERVER_WORKER_SHUTDOWN_TIMEOUT=0s"}
	server, a := serving(t, dir, address, env...)
	var g imported
	a.call("POST", "/api/graphs", chain(1), &g)
	g.Version = 1
	var r run
	a.call("POST", g.executePath(), map[string]any{"inputs": map[string]any{"in": 1}}, &r)
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(counts)
		return err == nil && len(data) > 0
	}, time.Minute, 5*time.Millisecond, "the run does not begin")
	require.Zero(t, server.stop(), "%s", server.stderr)
	_, before := counted(t, counts, 0)

	_, a = serving(t, dir, address, append(env, "AGENTSERVER_PROVIDERS_DISABLED=test")...)
	require.Equal(t, "FAILED", a.await(g.ID, r.ID).Status)
	status, data, err := a.try("GET", "/api/graphs/"+g.ID+"/executions/"+r.ID, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(data), "its provider test is turned off here (listed in providers.disabled)")
	_, after := counted(t, counts, before)
	require.Equal(t, before, after, "a block of the provider has run")
}

// The commands show the same as the API.
func TestCommandsOfAProviderThatIsOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := "providers:\n  disabled: [jina]\n  jina:\n    api_key: canary\n"
	writeFile(t, dir, "agentserver.yaml", []byte(file))
	out, stderr, code := output(t, dir, nil, "providers")
	require.Zero(t, code, "its settings are still known: %s", stderr)
	require.Contains(t, strings.Join(strings.Fields(out), " "), "jina off 5 api_key set")
	require.NotContains(t, out, "canary")
	out, _, code = output(t, dir, nil, "blocks")
	require.Zero(t, code)
	require.NotContains(t, out, "SearchTheWebBlock")
	require.Contains(t, out, "AgentMailCreatePodBlock")
	data, err := json.Marshal(searching("", "x"))
	require.NoError(t, err)
	_, stderr, code = output(t, dir, nil, "run", writeFile(t, dir, "search.json", data))
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "its provider jina is turned off here (listed in providers.disabled)")
}

// A misspelt provider would stay on, or off, without anyone noticing.
func TestUnknownProvidersInTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		env, want  []string
	}{
		{name: "disabled", env: []string{"AGENTSERVER_PROVIDERS_DISABLED=jinna"}, want: []string{"providers.disabled", `unknown provider "jinna"`, `did you mean "jina"?`}},
		{name: "enabled", env: []string{"AGENTSERVER_PROVIDERS_ENABLED=jina,agentmail"}, want: []string{"providers.enabled", `unknown provider "agentmail"`, `did you mean "agent_mail"?`}},
		{name: "in the file", file: "providers: {disabled: [opnai]}", want: []string{"agentserver.yaml", `unknown provider "opnai"`, `did you mean "openai"?`}},
		{name: "settings", file: "providers: {jinna: {api_key: canary}}", want: []string{"agentserver.yaml", `unknown provider "jinna"`, `did you mean "jina"?`}},
		{name: "setting of one that is off", file: "providers: {disabled: [jina], jina: {api_kye: canary}}", want: []string{"providers.jina.api_kye", `did you mean "providers.jina.api_key"?`}},
		{name: "the platform's own", env: []string{"AGENTSERVER_PROVIDERS_DISABLED=core"}, want: []string{`unknown provider "core"`}},
	} {
		dir := t.TempDir()
		if c.file != "" {
			writeFile(t, dir, "agentserver.yaml", []byte(c.file))
		}
		for _, command := range []string{"serve", "providers"} {
			stdout, stderr, code := output(t, dir, c.env, command, "--listen", "127.0.0.1:0")
			require.Equal(t, 1, code, c.name)
			require.Empty(t, stdout, c.name)
			requireOneLine(t, stderr, c.want...)
			require.NotContains(t, stderr, "canary", c.name)
		}
		require.NoDirExists(t, filepath.Join(dir, "data"), c.name)
	}
}
