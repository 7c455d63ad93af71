package githubtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/providers/github/githubtest"
)

const hooksPath = "/repos/octocat/Hello-World/hooks"

// bed is a server and what it delivers to.
type bed struct {
	*testing.T
	github  *githubtest.Server
	address string
}

func newBed(t *testing.T) *bed {
	b := &bed{T: t, github: githubtest.New("sesame", "octocat/Hello-World")}
	server := httptest.NewServer(b.github)
	t.Cleanup(server.Close)
	t.Cleanup(b.github.Close)
	b.address = server.URL
	return b
}

// receiver answers deliveries with a status and gives their address.
func (b *bed) receiver(status int, seen func(r *http.Request, body string)) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if seen != nil {
			seen(r, string(body))
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "thanks")
	}))
	b.Cleanup(s.Close)
	return s.URL
}

func (b *bed) call(method, path, token, body string) (int, string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.address+path, strings.NewReader(body))
	require.NoError(b, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(b, err)
	return res.StatusCode, string(answer)
}

// create makes a webhook with the secret s.
func (b *bed) create(url, kind, events string) (int, string) {
	b.Helper()
	return b.call("POST", hooksPath, "sesame", `{"name":"web","events":`+events+`,"config":{"url":"`+url+`","content_type":"`+kind+`","secret":"s"}}`)
}

func TestHooks(t *testing.T) {
	b := newBed(t)
	url := b.receiver(200, nil)
	status, body := b.create(url, "json", `["push","star"]`)
	require.Equal(t, 201, status, body)
	var made struct {
		ID     int64             `json:"id"`
		Config map[string]string `json:"config"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &made))
	require.Equal(t, map[string]string{"url": url, "content_type": "json", "insecure_ssl": "0", "secret": "********"}, made.Config)

	for _, c := range []struct {
		url, events string
		status      int
		text        string
	}{
		{url, `["star","push"]`, 422, "Hook already exists on this repository"},
		{url, `["star"]`, 201, ""},
		{"", `["push"]`, 422, "url is not a valid URL"},
		{url, `["issues.opened"]`, 422, "Invalid event"},
	} {
		status, body := b.create(c.url, "json", c.events)
		require.Equal(t, c.status, status, body)
		require.Contains(t, body, c.text)
	}
	require.Len(t, b.github.Hooks("Octocat/hello-world"), 2)

	_, body = b.call("GET", hooksPath+"?per_page=1&page=2", "sesame", "")
	require.Equal(t, 1, strings.Count(body, `"test_url"`))
	require.NotContains(t, body, `"secret":"s"`)
	for path, want := range map[string]int{hooksPath + "/7": 404, "/repos/octocat/other/hooks": 404, "/other": 404} {
		status, _ := b.call("GET", path, "sesame", "")
		require.Equal(t, want, status, path)
	}
	status, _ = b.call("GET", hooksPath, "wrong", "")
	require.Equal(t, 401, status)
	status, _ = b.call("GET", hooksPath, "", "")
	require.Equal(t, 404, status)
	require.Contains(t, b.github.Requests(), "POST "+hooksPath)
}

func TestDeliveries(t *testing.T) {
	b := newBed(t)
	type received struct{ event, id, signature, kind, body string }
	got := make(chan received, 10)
	note := func(r *http.Request, body string) {
		got <- received{r.Header.Get("X-GitHub-Event"), r.Header.Get("X-GitHub-Delivery"), r.Header.Get("X-Hub-Signature-256"), r.Header.Get("Content-Type"), body}
	}
	status, _ := b.create(b.receiver(202, note), "json", `["star"]`)
	require.Equal(t, 201, status)
	ping := <-got
	require.Equal(t, "ping", ping.event)
	require.Equal(t, githubtest.Sign("s", []byte(ping.body)), ping.signature)

	list, err := b.github.Deliver(t.Context(), "octocat/Hello-World", "star", map[string]any{"action": "created"})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, 202, list[0].Status)
	require.Equal(t, "thanks", list[0].Answer)
	star := <-got
	require.Equal(t, received{"star", list[0].ID, githubtest.Sign("s", []byte(star.body)), "application/json", string(list[0].Body)}, star)
	require.Contains(t, star.body, `"action":"created"`)
	require.Contains(t, star.body, `"full_name":"octocat/Hello-World"`)

	again := b.github.Redeliver(t.Context(), list[0])
	require.Equal(t, list[0].ID, again.ID)
	require.Equal(t, star, <-got)

	list, err = b.github.Deliver(t.Context(), "octocat/Hello-World", "issues", nil)
	require.NoError(t, err)
	require.Empty(t, list, "nobody asked for it")
	_, err = b.github.Deliver(t.Context(), "octocat/other", "star", nil)
	require.Error(t, err)

	// A form is signed as it is sent, and a receiver that is gone is noted.
	status, _ = b.create(b.receiver(200, note), "form", `["push"]`)
	require.Equal(t, 201, status)
	form := <-got
	require.True(t, strings.HasPrefix(form.body, "payload=%7B"), form.body)
	require.Equal(t, githubtest.Sign("s", []byte(form.body)), form.signature)
	status, _ = b.create("http://127.0.0.1:1/", "json", `["fork"]`)
	require.Equal(t, 201, status)
	list, err = b.github.Deliver(t.Context(), "octocat/Hello-World", "fork", nil)
	require.NoError(t, err)
	require.Error(t, list[0].Err)
	require.Zero(t, list[0].Status)
	b.github.Close()
	require.Len(t, b.github.Deliveries(), 6)
}

// After Close no ping is sent, whatever is asked for.
func TestClose(t *testing.T) {
	b := newBed(t)
	b.github.Close()
	status, _ := b.create(b.receiver(200, nil), "json", `["push"]`)
	require.Equal(t, 201, status)
	b.github.Close()
	require.Empty(t, b.github.Deliveries())
}

func TestFaults(t *testing.T) {
	b := newBed(t)
	url := b.receiver(200, nil)
	b.github.Inject(
		githubtest.Fault{Method: "POST", Drop: true},
		githubtest.Fault{Method: "POST", Path: "/hooks", After: true, Status: 500, Message: "told to"},
		githubtest.Fault{Method: "GET", Skip: 1, Times: 2, Status: 429},
	)
	status, _ := b.create(url, "json", `["push"]`)
	require.Zero(t, status)
	require.Empty(t, b.github.Hooks("octocat/Hello-World"))
	status, body := b.create(url, "json", `["push"]`)
	require.Equal(t, 500, status)
	require.Contains(t, body, "told to")
	require.Len(t, b.github.Hooks("octocat/Hello-World"), 1, "it took effect")
	var statuses []int
	for range 4 {
		status, _ := b.call("GET", hooksPath, "sesame", "")
		statuses = append(statuses, status)
	}
	require.Equal(t, []int{200, 429, 429, 200}, statuses)

	b.github.Inject(githubtest.Fault{Times: -1, Status: 503})
	for range 3 {
		status, _ := b.call("GET", hooksPath, "sesame", "")
		require.Equal(t, 503, status)
	}
	b.github.ClearFaults()
	status, _ = b.call("GET", hooksPath, "sesame", "")
	require.Equal(t, 200, status)
}
