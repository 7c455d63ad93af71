package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// devServer starts the stand-in of AgentMail and waits until it answers.
func devServer(t *testing.T, args ...string) (*process, *api) {
	t.Helper()
	address := freeAddress(t)
	p := start(t, t.TempDir(), nil, append([]string{"dev", "agentmail", "--listen", address}, args...)...)
	a := &api{t: t, address: address, token: developmentKey}
	require.Eventually(t, func() bool {
		select {
		case <-p.done:
			require.FailNow(t, "the server ended", "%s", p.stderr)
		default:
		}
		status, _, err := a.try("GET", "/_admin/tally", nil)
		return err == nil && status == http.StatusOK
	}, time.Minute, 20*time.Millisecond, "the server does not answer")
	return p, a
}

func TestDevAgentMail(t *testing.T) {
	t.Parallel()
	p, a := devServer(t)
	a.call("POST", "/v0/pods", map[string]any{"client_id": "ada"}, nil)
	var tally map[string]int
	a.call("GET", "/_admin/tally", nil, &tally)
	require.Equal(t, 1, tally["pods"])
	var pods struct {
		Pods []struct {
			ID string `json:"pod_id"`
		} `json:"pods"`
	}
	a.call("GET", "/v0/pods?page_token=&unlogged=query-canary", nil, &pods)
	var key struct {
		Secret string `json:"api_key"`
	}
	a.call("POST", "/v0/pods/"+pods.Pods[0].ID+"/api-keys", map[string]any{"name": "body-canary"}, &key)
	require.NotEmpty(t, key.Secret)
	status, _, err := (&api{t: t, address: a.address, token: "token-canary"}).try("GET", "/v0/pods/%0Aforged", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, status)
	a.call("POST", "/_admin/faults", map[string]any{"path": "/v0/inboxes", "drop": true}, nil)
	_, _, err = a.try("POST", "/v0/inboxes", map[string]any{})
	require.Error(t, err, "the fault drops the connection")

	require.Zero(t, p.stop(), "%s", p.stderr)
	said, logged, found := strings.Cut(p.stderr.String(), "\ntime=")
	require.True(t, found, "%s", p.stderr)
	base := "http://" + a.address
	require.Contains(t, said, "\n  export AGENTMAIL_API_KEY="+developmentKey+"\n")
	require.Contains(t, said, "\n  export AGENTMAIL_BASE_URL="+base+"\n")
	require.Contains(t, said, "\n  curl "+base+"/_admin/tally\n")
	for _, line := range []string{
		"method=POST path=/v0/pods status=200", "method=GET path=/v0/pods status=200",
		"method=GET path=/v0/pods/%0Aforged status=401", "method=POST path=/v0/inboxes status=0",
	} {
		require.Contains(t, logged, line+"\n")
	}
	for _, secret := range []string{developmentKey, key.Secret, "query-canary", "body-canary", "token-canary"} {
		require.NotContains(t, logged, secret)
	}
}

// The settings that the stand-in prints are the ones that agentserver reads.
func TestDevAgentMailServesAgents(t *testing.T) {
	t.Parallel()
	_, mail := devServer(t, "--key", "am_another")
	dir := t.TempDir()
	env := []string{"AGENTMAIL_API_KEY=am_another", "AGENTMAIL_BASE_URL=http://" + mail.address}
	_, a := serving(t, dir, freeAddress(t), env...)
	var made struct {
		ID string `json:"id"`
	}
	a.call("POST", "/api/integrations/agent_mail/credentials",
		map[string]any{"type": "api_key", "title": "Mine", "api_key": "am_another"}, &made)
	var out map[string][]any
	a.call("POST", "/api/blocks/"+blockNamed(t, a, "AgentMailCreatePodBlock")+"/execute", map[string]any{
		"credentials": map[string]any{"id": made.ID, "provider": "agent_mail", "type": "api_key"}, "client_id": "ada",
	}, &out)
	require.NotEmpty(t, out["pod_id"], "%v", out)
	var requests []string
	mail.call("GET", "/_admin/requests", nil, &requests)
	require.Contains(t, requests, "POST /v0/pods")
}

// blockNamed gives the id of a block in the list.
func blockNamed(t *testing.T, a *api, name string) string {
	t.Helper()
	var list []struct{ ID, Name string }
	a.call("GET", "/api/blocks", nil, &list)
	for _, b := range list {
		if b.Name == name {
			return b.ID
		}
	}
	require.Failf(t, "no such block", "%s", name)
	return ""
}

func TestDevRefusals(t *testing.T) {
	t.Parallel()
	_, taken := devServer(t)
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"taken port":       {[]string{"dev", "agentmail", "--listen", taken.address}, []string{"cannot listen", taken.address, "--listen"}},
		"no key":           {[]string{"dev", "agentmail", "--key", ""}, []string{"--key"}},
		"key with a space": {[]string{"dev", "agentmail", "--key", "a b"}, []string{"--key"}},
		"another vendor":   {[]string{"dev", "gmail"}, []string{`"gmail"`}},
	} {
		stdout, stderr, code := output(t, t.TempDir(), nil, c.args...)
		require.Equal(t, 1, code, name)
		require.Empty(t, stdout, name)
		requireOneLine(t, stderr, c.want...)
	}
	stdout, _, code := output(t, t.TempDir(), nil, "dev")
	require.Zero(t, code)
	require.Contains(t, stdout, "agentmail")
}
