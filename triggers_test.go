package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/providers/github/githubtest"
	"agentserver/providers/telegram/telegramtest"
)

// GitHub sets the webhook up by our calls and delivers signed events, which start
// an agent. Nothing that is not GitHub's does, and a kill loses nothing.
func TestGitHubStartsAgents(t *testing.T) {
	t.Parallel()
	const token, repository = "ghp_canary", "octo/hello"
	github := githubtest.New(token, repository)
	vendor := httptest.NewServer(github)
	t.Cleanup(vendor.Close)
	t.Cleanup(github.Close)
	dir, address := t.TempDir(), freeAddress(t)
	env := []string{
		"GITHUB_BASE_URL=" + vendor.URL, "AGENTSERVER_PUBLIC_URL=http://" + address, "AGENTSERVER_LOG_LEVEL=debug",
		"AGENTSERVER_WORKER_HEARTBEAT_TIMEOUT=2s", "AGENTSERVER_WEBHOOKS_MAX_BODY=100000",
	}
	p, a := serving(t, dir, address, env...)
	var credential, graph struct{ ID string }
	a.call("POST", "/api/integrations/github/credentials", map[string]any{"type": "api_key", "title": "Mine", "api_key": token}, &credential)
	a.call("POST", "/api/graphs", triggeredBy(blockNamed(t, a, "GithubPullRequestTriggerBlock"), "payload"), &graph)
	var preset struct {
		ID      string
		Webhook struct{ ID, URL, Secret string }
	}
	a.call("POST", "/api/library/presets/setup-trigger", map[string]any{
		"name": "pull requests", "graph_id": graph.ID, "graph_version": 1,
		"trigger_config": map[string]any{"repo": repository, "events": map[string]any{"opened": true, "closed": false}},
		"agent_credentials": map[string]any{
			"github_api_key-oauth2_credentials": map[string]any{"id": credential.ID, "provider": "github", "type": "api_key"},
		},
	}, &preset)
	hooks := github.Hooks(repository)
	require.Len(t, hooks, 1)
	require.Equal(t, []string{"pull_request"}, hooks[0].Events)
	require.Equal(t, preset.Webhook.URL, hooks[0].URL)
	require.Empty(t, preset.Webhook.Secret, "the owner does not need it")
	var arrived bool
	a.call("POST", "/api/integrations/webhooks/"+preset.Webhook.ID+"/ping", nil, &arrived)
	require.True(t, arrived)

	deliver := func(action string, number int) githubtest.Delivery {
		t.Helper()
		list, err := github.Deliver(t.Context(), repository, "pull_request", map[string]any{"action": action, "number": number})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, 200, list[0].Status, list[0].Answer)
		return list[0]
	}
	first := deliver("opened", 7)
	for range 4 {
		require.Equal(t, 200, github.Redeliver(t.Context(), first).Status)
	}
	deliver("closed", 8)

	send := func(url string, body []byte, signature, id string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("X-GitHub-Event", "pull_request")
		req.Header.Set("X-GitHub-Delivery", id)
		req.Header.Set("X-Hub-Signature-256", signature)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		return res.StatusCode
	}
	url, genuine := hooks[0].URL, githubtest.Sign(hooks[0].Secret, first.Body)
	require.Equal(t, 404, send(url, bytes.Replace(first.Body, []byte("7"), []byte("9"), 1), genuine, "x"), "forged")
	require.Equal(t, 200, send(url, first.Body, genuine, "another"), "replayed: it counts once")
	require.Equal(t, 404, send(strings.Replace(url, "/github/", "/telegram/", 1), first.Body, genuine, "x"), "at another provider")
	require.Equal(t, 413, send(url, bytes.Repeat([]byte("x"), 200000), genuine, "x"), "oversized")

	deliver("opened", 10)
	p.kill() // between the answer and the run, as often as not
	p = start(t, dir, append(env, "AGENTSERVER_LISTEN="+address), "serve")
	a.awaitHealth(p)
	require.ElementsMatch(t, []int{7, 10}, numbersOf(t, a, graph.ID, 2))

	a.call("DELETE", "/api/library/presets/"+preset.ID, nil, nil)
	require.Eventually(t, func() bool { return len(github.Hooks(repository)) == 0 }, wait, poll, "the hook stays at GitHub")
	require.Zero(t, p.stop(), "%s", p.stderr)
	require.NotContains(t, p.stderr.String(), "canary")
	require.NotContains(t, p.stderr.String(), hooks[0].Secret)
}

// wait and poll bound waiting for what happens in the background.
const (
	wait = time.Minute
	poll = 20 * time.Millisecond
)

// triggeredBy is an agent that gives back what a trigger's pin gives.
func triggeredBy(block, pin string) map[string]any {
	return map[string]any{"graph": map[string]any{
		"name": "Triggered", "description": "two nodes",
		"nodes": []map[string]any{
			{"id": "in", "block_id": block},
			{"id": "out", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": map[string]any{"name": "out"}},
		},
		"links": []map[string]any{{"source_id": "in", "source_name": pin, "sink_id": "out", "sink_name": "value"}},
	}}
}

// numbersOf waits until an agent has so many completed runs, and gives the member
// "number" of their output.
func numbersOf(t *testing.T, a *api, graphID string, count int) (numbers []int) {
	var page struct{ Executions []run }
	require.Eventually(t, func() bool {
		a.call("GET", "/api/graphs/"+graphID+"/executions?page_size=100", nil, &page)
		done := 0
		for _, r := range page.Executions {
			if r.Status == "COMPLETED" {
				done++
			}
		}
		return done >= count
	}, wait, poll, "the runs do not end")
	require.Len(t, page.Executions, count)
	for i := range page.Executions {
		r := a.await(graphID, page.Executions[count-1-i].ID)
		data, err := json.Marshal(r.Outputs["out"])
		require.NoError(t, err)
		var outputs []struct{ Number int }
		require.NoError(t, json.Unmarshal(data, &outputs))
		require.Len(t, outputs, 1)
		numbers = append(numbers, outputs[0].Number)
	}
	return numbers
}

// A bot has one webhook, which both triggers share; each takes what is for it.
func TestTelegramStartsAgents(t *testing.T) {
	t.Parallel()
	const token = "110201543:canary"
	telegram := telegramtest.New(token)
	vendor := httptest.NewServer(telegram)
	t.Cleanup(vendor.Close)
	address := freeAddress(t)
	_, a := serving(t, t.TempDir(), address, "TELEGRAM_BASE_URL="+vendor.URL, "AGENTSERVER_PUBLIC_URL=http://"+address)
	var credential struct{ ID string }
	a.call("POST", "/api/integrations/telegram/credentials", map[string]any{"type": "api_key", "title": "Mine", "api_key": token}, &credential)
	setUp := func(block, pin string, config map[string]any) (graphID, presetID string) {
		var graph, preset struct{ ID string }
		a.call("POST", "/api/graphs", triggeredBy(blockNamed(t, a, block), pin), &graph)
		a.call("POST", "/api/library/presets/setup-trigger", map[string]any{
			"name": "t", "graph_id": graph.ID, "graph_version": 1, "trigger_config": config,
			"agent_credentials": map[string]any{"telegram_api_key_credentials": map[string]any{"id": credential.ID, "provider": "telegram", "type": "api_key"}},
		}, &preset)
		return graph.ID, preset.ID
	}
	messages, first := setUp("TelegramMessageTriggerBlock", "text", map[string]any{"events": map[string]any{"text": true}})
	reactions, second := setUp("TelegramMessageReactionTriggerBlock", "message_id", map[string]any{})
	for n, update := range []map[string]any{
		{"message": map[string]any{"message_id": 1, "chat": map[string]any{"id": 5}, "text": "hi"}},
		{"message_reaction": map[string]any{"message_id": 42, "chat": map[string]any{"id": 5}, "new_reaction": []any{}, "old_reaction": []any{}}},
	} {
		update["update_id"] = 100 + n
		status, err := telegram.Deliver(t.Context(), token, update)
		require.NoError(t, err)
		require.Equal(t, 200, status, fmt.Sprint(update))
	}
	for graphID, want := range map[string]any{messages: "hi", reactions: 42.0} {
		var page struct{ Executions []run }
		require.Eventually(t, func() bool {
			a.call("GET", "/api/graphs/"+graphID+"/executions", nil, &page)
			return len(page.Executions) == 1 && page.Executions[0].Status == "COMPLETED"
		}, wait, poll)
		require.Equal(t, []any{want}, a.await(graphID, page.Executions[0].ID).Outputs["out"])
	}
	for _, id := range []string{first, second} {
		a.call("DELETE", "/api/library/presets/"+id, nil, nil)
	}
	require.Eventually(t, func() bool { return len(telegram.Calls("setWebhook")) == 3 }, wait, poll, "the webhook stays")
}
