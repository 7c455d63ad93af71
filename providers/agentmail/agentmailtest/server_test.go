package agentmailtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/providers/agentmail/agentmailtest"
)

type bed struct {
	t    *testing.T
	mail *agentmailtest.Server
	url  string
}

func newBed(t *testing.T) *bed {
	t.Helper()
	mail := agentmailtest.New("org")
	srv := httptest.NewServer(mail)
	t.Cleanup(srv.Close)
	return &bed{t: t, mail: mail, url: srv.URL}
}

// do sends a request with headers given as "Name: value".
func (b *bed) do(method, path, body string, headers ...string) (int, map[string]any) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(b.t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header[name] = []string{value}
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	var o map[string]any
	if len(bytes.TrimSpace(data)) > 0 && data[0] == '{' {
		require.NoError(b.t, json.Unmarshal(data, &o))
	}
	return res.StatusCode, o
}

const org = "Authorization: Bearer org"

// pod makes a pod and gives its id and a key for it as a header.
func (b *bed) pod(clientID string) (string, string) {
	b.t.Helper()
	status, pod := b.do("POST", "/v0/pods", `{"client_id":"`+clientID+`"}`, org)
	require.Equal(b.t, 200, status)
	id := pod["pod_id"].(string)
	status, key := b.do("POST", "/v0/pods/"+id+"/api-keys", `{"name":"k"}`, org)
	require.Equal(b.t, 200, status)
	return id, "Authorization: Bearer " + key["api_key"].(string)
}

func TestRefusals(t *testing.T) {
	b := newBed(t)
	one, key := b.pod("one")
	two, _ := b.pod("two")
	_, inbox := b.do("POST", "/v0/inboxes", `{"username":"ann"}`, key)
	require.Equal(t, one, inbox["pod_id"])
	b.do("POST", "/v0/lists/receive/block", `{"entry":"a.to"}`, key)
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     string
	}{
		{"no key", "GET", "/v0/pods", "", nil, 401, "missing_authorization"},
		{"another scheme", "GET", "/v0/pods", "", []string{"Authorization: bearer org"}, 401, "invalid_token_type"},
		{"unknown key", "GET", "/v0/pods", "", []string{"Authorization: Bearer x"}, 401, "unknown_api_key"},
		{"pods with the key of one", "GET", "/v0/pods", "", []string{key}, 403, "missing_permission"},
		{"a pod more with the key of one", "POST", "/v0/pods", "{}", []string{key}, 403, "missing_permission"},
		{"its own pod deleted", "DELETE", "/v0/pods/" + one, "", []string{key}, 403, "missing_permission"},
		{"another pod", "GET", "/v0/pods/" + two, "", []string{key}, 404, "not_found"},
		{"keys of another pod", "GET", "/v0/pods/" + two + "/api-keys", "", []string{key}, 404, "not_found"},
		{"a key in another pod", "POST", "/v0/pods/" + two + "/api-keys", "{}", []string{key}, 404, "not_found"},
		{"a pod in use", "DELETE", "/v0/pods/" + one, "", []string{org}, 409, "cannot_delete"},
		{"a pod with a key", "DELETE", "/v0/pods/" + two, "", []string{org}, 409, "cannot_delete"},
		{"the default pod", "DELETE", "/v0/pods/" + agentmailtest.OrganizationID, "", []string{org}, 409, "cannot_delete"},
		{"a client id with an at sign", "POST", "/v0/pods", `{"client_id":"a@b"}`, []string{org}, 400, "validation_error"},
		{"an empty client id", "POST", "/v0/pods", `{"client_id":""}`, []string{org}, 400, "validation_error"},
		{"a path not encoded", "GET", "/v0/inboxes/ann@agentmail.to", "", []string{key}, 400, "validation_error"},
		{"an empty part of a path", "GET", "/v0/inboxes//messages", "", []string{key}, 403, ""},
		{"no route", "GET", "/v0/nothing", "", []string{key}, 404, "not_found"},
		{"too many items", "GET", "/v0/inboxes?limit=101", "", []string{key}, 400, "validation_error"},
		{"a page that is none", "GET", "/v0/inboxes?page_token=x", "", []string{key}, 400, "validation_error"},
		{"a taken address", "POST", "/v0/inboxes", `{"username":"ann"}`, []string{key}, 403, "resource_taken"},
		{"a foreign domain", "POST", "/v0/inboxes", `{"domain":"x.to"}`, []string{key}, 403, "domain_not_verified"},
		{"an odd display name", "POST", "/v0/inboxes", `{"display_name":"a<b"}`, []string{key}, 400, "validation_error"},
		{"a body that is none", "POST", "/v0/inboxes", `[]`, []string{key}, 400, "validation_error"},
		{"mail to nobody", "POST", "/v0/inboxes/ann%40agentmail.to/messages/send", `{"to":[]}`, []string{key}, 400, "validation_error"},
		{"a label of the system", "POST", "/v0/inboxes/ann%40agentmail.to/messages/send", `{"to":["x@y.to"],"labels":["sent"]}`, []string{key}, 400, "validation_error"},
		{"an empty idempotency key", "POST", "/v0/inboxes/ann%40agentmail.to/messages/send", `{"to":["x@y.to"]}`, []string{key, "Idempotency-Key: "}, 400, "validation_error"},
		{"no such message", "GET", "/v0/inboxes/ann%40agentmail.to/messages/%3Cx%3E", "", []string{key}, 404, "not_found"},
		{"no such draft", "POST", "/v0/inboxes/ann%40agentmail.to/drafts/x/send", "{}", []string{key}, 404, "not_found"},
		{"a schedule without recipients", "POST", "/v0/inboxes/ann%40agentmail.to/drafts", `{"send_at":"2036-01-01T00:00:00Z"}`, []string{key}, 400, "validation_error"},
		{"an empty time", "POST", "/v0/inboxes/ann%40agentmail.to/drafts", `{"send_at":"","to":["x@y.to"]}`, []string{key}, 400, "validation_error"},
		{"on the opposite list", "POST", "/v0/lists/receive/allow", `{"entry":"a.to"}`, []string{key}, 409, "conflict"},
		{"no such list", "GET", "/v0/lists/sideways/allow", "", []string{key}, 400, "validation_error"},
		{"no such entry", "DELETE", "/v0/lists/receive/block/b.to", "", []string{key}, 404, "not_found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := b.mail.Tally()
			status, body := b.do(c.method, c.path, c.body, c.headers...)
			require.Equal(t, c.status, status, "%v", body)
			if c.code != "" {
				require.Equal(t, c.code, body["code"])
			}
			require.Equal(t, before, b.mail.Tally())
		})
	}
}

func TestPodsAreIdempotentAndKeysAreNot(t *testing.T) {
	b := newBed(t)
	one, _ := b.pod("one")
	again, _ := b.pod("one")
	require.Equal(t, one, again)
	require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 2}, b.mail.Tally())
}

func TestDeletedPodFreesItsClientID(t *testing.T) {
	b := newBed(t)
	_, first := b.do("POST", "/v0/pods", `{"client_id":"one"}`, org)
	status, _ := b.do("DELETE", "/v0/pods/"+first["pod_id"].(string), "", org)
	require.Equal(t, 204, status)
	_, second := b.do("POST", "/v0/pods", `{"client_id":"one"}`, org)
	require.NotEqual(t, first["pod_id"], second["pod_id"])
}

func TestSendsAreIdempotentByKey(t *testing.T) {
	b := newBed(t)
	b.do("POST", "/v0/inboxes", `{"username":"ann"}`, org)
	send := func(text, key string) (int, map[string]any) {
		return b.do("POST", "/v0/inboxes/ann%40agentmail.to/messages/send", `{"to":["x@y.to"],"text":"`+text+`"}`, org, "Idempotency-Key: "+key)
	}
	_, first := send("hello", "k-1")
	_, again := send("hello", "k-1")
	require.Equal(t, first, again)
	status, body := send("other", "k-1")
	require.Equal(t, 409, status)
	require.Equal(t, "conflict", body["code"])
	_, other := send("hello", "k-2")
	require.NotEqual(t, first, other)
	require.Equal(t, 2, b.mail.Tally().Sent)
}

func TestPages(t *testing.T) {
	b := newBed(t)
	for range 5 {
		b.do("POST", "/v0/inboxes", `{}`, org)
	}
	seen, token := map[string]bool{}, ""
	for _, want := range []float64{2, 2, 1} {
		_, page := b.do("GET", "/v0/inboxes?limit=2"+token, "", org)
		require.Equal(t, want, page["count"])
		for _, item := range page["inboxes"].([]any) {
			seen[item.(map[string]any)["inbox_id"].(string)] = true
		}
		if want == 1 {
			require.NotContains(t, page, "next_page_token")
			break
		}
		token = "&page_token=" + strings.ReplaceAll(page["next_page_token"].(string), "@", "%40")
	}
	require.Len(t, seen, 5)
}

// Faults can be set by another process too, and say where they strike.
func TestFaultsOverHTTP(t *testing.T) {
	b := newBed(t)
	inject := func(fault string) {
		status, body := b.do("POST", "/_admin/faults", fault)
		require.Equal(t, 204, status, "%v", body)
	}
	inject(`{"method":"POST","path":"/pods","status":500,"after":true}`)
	status, body := b.do("POST", "/v0/pods", `{}`, org)
	require.Equal(t, 500, status)
	require.Equal(t, "internal_error", body["code"])
	require.Equal(t, 1, b.mail.Tally().Pods, "after its effect")

	inject(`{"path":"/pods","skip":1,"status":429,"retry_after":"7"}`)
	status, _ = b.do("POST", "/v0/pods", `{}`, org)
	require.Equal(t, 200, status, "the one that passes first")
	status, body = b.do("POST", "/v0/pods", `{}`, org)
	require.Equal(t, 429, status)
	require.Equal(t, "rate_limit_exceeded", body["code"])
	require.Equal(t, 2, b.mail.Tally().Pods, "before its effect")

	inject(`{"latency_ms":1}`)
	status, _ = b.do("POST", "/v0/pods", `{}`, org)
	require.Equal(t, 200, status, "only slow")

	inject(`{"times":-1,"drop":true}`)
	for range 2 {
		res, err := http.Get(b.url + "/v0/pods")
		if err == nil {
			_ = res.Body.Close()
		}
		require.Error(t, err)
	}
	status, _ = b.do("DELETE", "/_admin/faults", "")
	require.Equal(t, 204, status)

	status, tally := b.do("GET", "/_admin/tally", "")
	require.Equal(t, 200, status)
	require.Equal(t, map[string]any{"pods": 3.0, "keys": 0.0, "inboxes": 0.0, "sent": 0.0}, tally)
	status, _ = b.do("POST", "/_admin/faults", `{"latncy":1}`)
	require.Equal(t, 400, status, "a fault misspelled is no fault")
	require.Equal(t, "POST /v0/pods", b.mail.Requests()[0])
}
