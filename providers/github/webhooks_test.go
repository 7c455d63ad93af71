package github

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
	"agentserver/providers/github/githubtest"
)

const hookSecret = "c0ffee"

// hookBed is the manager before a scripted GitHub, and a receiver of what that
// delivers.
type hookBed struct {
	*testing.T
	github  *githubtest.Server
	doer    core.Doer
	manager webhooks
	hook    core.Webhook

	mu       sync.Mutex
	received []core.Delivery
}

func newHookBed(t *testing.T) *hookBed {
	t.Helper()
	b := &hookBed{T: t, github: githubtest.New(token, "octocat/Hello-World")}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.received = append(b.received, core.Delivery{Header: r.Header, Body: body})
	}))
	t.Cleanup(receiver.Close)
	server := httptest.NewServer(b.github)
	t.Cleanup(server.Close)
	t.Cleanup(b.github.Close)
	pointAt(t, server.URL)
	b.doer = rest.NewClient(rest.Options{Trusted: trusted()})
	b.hook = core.Webhook{
		ID: "w-1", Provider: "github", Type: "repo", Resource: "octocat/Hello-World", Secret: hookSecret,
		Events: []string{"pull_request.opened", "issues.opened", "pull_request.closed"}, IngressURL: receiver.URL + "/ingress",
	}
	return b
}

// pointAt sets the address of the API for a test.
func pointAt(t *testing.T, address string) {
	t.Helper()
	before := *config
	t.Cleanup(func() { *config = before })
	config.BaseURL = address
}

func (b *hookBed) credential() core.Credential { return core.OAuth2{AccessToken: token} }

func (b *hookBed) register() core.WebhookRegistration {
	b.Helper()
	r, err := b.manager.Register(b.Context(), b.doer, b.hook, b.credential())
	require.NoError(b, err)
	return r
}

// theHook gives the only webhook of the repository.
func (b *hookBed) theHook() githubtest.Hook {
	b.Helper()
	list := b.github.Hooks("octocat/hello-world")
	require.Len(b, list, 1)
	return list[0]
}

// events gives what was received so far, as the manager reads it.
func (b *hookBed) events() []core.WebhookEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []core.WebhookEvent
	for _, d := range b.received {
		e, err := b.manager.Receive(b.hook, d)
		require.NoError(b, err)
		list = append(list, e)
	}
	return list
}

func TestRegister(t *testing.T) {
	b := newHookBed(t)
	r := b.register()
	h := b.theHook()
	require.Equal(t, strconv.FormatInt(h.ID, 10), r.ProviderID)
	require.Equal(t, map[string]any{"url": b.hook.IngressURL, "content_type": "json", "insecure_ssl": "0"}, r.Config)
	require.Equal(t, githubtest.Hook{
		ID: h.ID, Active: true, Events: []string{"issues", "pull_request"}, URL: b.hook.IngressURL, Secret: hookSecret, ContentType: "json",
	}, h)

	deliveries, err := b.github.Deliver(t.Context(), "octocat/Hello-World", "issues", map[string]any{"action": "opened", "number": 1})
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
	require.Equal(t, http.StatusOK, deliveries[0].Status)
	b.github.Close() // lets the first ping end
	var opened core.WebhookEvent
	types := []string{}
	for _, e := range b.events() {
		types = append(types, e.Type)
		if e.Type == "issues.opened" {
			opened = e
		}
	}
	require.ElementsMatch(t, []string{"ping", "issues.opened"}, types)
	require.Equal(t, deliveries[0].ID, opened.DeliveryID)
	require.Equal(t, 1, opened.Payload["number"])
	require.Equal(t, "octocat/Hello-World", payload(opened.Payload).object("repository").text("full_name"))
}

// However a registration ended, the next one leaves a single webhook.
func TestRegisterAgain(t *testing.T) {
	for name, fault := range map[string]githubtest.Fault{
		"the answer was lost":  {Method: "POST", Path: "/hooks", Drop: true, After: true},
		"it failed":            {Method: "POST", Path: "/hooks", Status: 502},
		"it failed afterwards": {Method: "POST", Path: "/hooks", Status: 500, After: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newHookBed(t)
			b.github.Inject(fault)
			_, err := b.manager.Register(t.Context(), b.doer, b.hook, b.credential())
			require.Error(t, err)
			b.hook.Events, b.hook.Secret = []string{"star.created"}, "another"
			r := b.register()
			h := b.theHook()
			require.Equal(t, strconv.FormatInt(h.ID, 10), r.ProviderID)
			require.Equal(t, []string{"star"}, h.Events)
			require.Equal(t, "another", h.Secret)
			require.NotContains(t, r.Config, "secret")
		})
	}
}

// Two registrations at a time: the one that GitHub refuses adopts the webhook
// of the other.
func TestRegisterBesideAnother(t *testing.T) {
	b := newHookBed(t)
	first := b.register()
	looked := false
	inner := b.doer
	b.doer = doerFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && !looked {
			looked = true
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("[]"))}, nil
		}
		return inner.Do(r)
	})
	require.Equal(t, first, b.register())
	require.Contains(t, b.github.Requests(), "PATCH /repos/octocat/Hello-World/hooks/"+first.ProviderID)
	b.theHook()
}

func TestRegisterFindsItsHookAmongMany(t *testing.T) {
	b := newHookBed(t)
	want := b.register()
	pages := 0
	inner := b.doer
	b.doer = doerFunc(func(r *http.Request) (*http.Response, error) {
		// A hundred webhooks of others come first.
		if r.Method == http.MethodGet && r.URL.Query().Get("page") == "1" {
			pages++
			others := strings.Repeat(`{"id":7,"config":{}},`, 100)
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("[" + strings.TrimSuffix(others, ",") + "]"))}, nil
		}
		r = r.Clone(r.Context())
		query := r.URL.Query()
		query.Set("page", "1")
		r.URL.RawQuery = query.Encode()
		return inner.Do(r)
	})
	require.Equal(t, want, b.register())
	require.Equal(t, 1, pages)
	b.theHook()
}

func TestUpdate(t *testing.T) {
	b := newHookBed(t)
	r := b.register()
	b.hook.ProviderID = r.ProviderID
	b.hook.Events = append(b.hook.Events, "star.deleted", "star.created")
	updated, err := b.manager.Update(t.Context(), b.doer, b.hook, b.credential())
	require.NoError(t, err)
	require.Equal(t, r, updated)
	h := b.theHook()
	require.Equal(t, []string{"issues", "pull_request", "star"}, h.Events)
	require.Equal(t, hookSecret, h.Secret)

	// Its owner may have deleted it at GitHub.
	b.github.RemoveHook("octocat/Hello-World", h.ID)
	updated, err = b.manager.Update(t.Context(), b.doer, b.hook, b.credential())
	require.NoError(t, err)
	again := b.theHook()
	require.NotEqual(t, h.ID, again.ID)
	require.Equal(t, strconv.FormatInt(again.ID, 10), updated.ProviderID)

	b.hook.ProviderID = "" // its registration was not heard of
	updated, err = b.manager.Update(t.Context(), b.doer, b.hook, b.credential())
	require.NoError(t, err)
	require.Equal(t, strconv.FormatInt(again.ID, 10), updated.ProviderID)
	b.theHook()
}

func TestDeregister(t *testing.T) {
	for _, known := range []bool{true, false} {
		b := newHookBed(t)
		r := b.register()
		other := b.hook
		other.IngressURL += "/other"
		_, err := b.manager.Register(t.Context(), b.doer, other, b.credential())
		require.NoError(t, err)
		if known {
			b.hook.ProviderID = r.ProviderID
		}
		for range 2 { // what is gone is a success
			require.NoError(t, b.manager.Deregister(t.Context(), b.doer, b.hook, b.credential()))
			require.Equal(t, other.IngressURL, b.theHook().URL)
		}
		b.hook.Resource = "octocat/gone"
		require.NoError(t, b.manager.Deregister(t.Context(), b.doer, b.hook, b.credential()), "the repository is gone")
		b.hook.Resource = "octocat/Hello-World"
		b.github.Inject(githubtest.Fault{Status: 500, RetryAfter: "0", Times: -1})
		require.Error(t, b.manager.Deregister(t.Context(), b.doer, b.hook, b.credential()))
	}
}

func TestPing(t *testing.T) {
	b := newHookBed(t)
	require.True(t, core.IsKind(b.manager.Ping(t.Context(), b.doer, b.hook, b.credential()), core.Conflict))
	b.hook.ProviderID = b.register().ProviderID
	require.NoError(t, b.manager.Ping(t.Context(), b.doer, b.hook, b.credential()))
	require.Eventually(t, func() bool { return len(b.events()) == 2 }, time.Minute, time.Millisecond)
	for _, e := range b.events() {
		require.Equal(t, core.PingEvent, e.Type)
	}
	b.github.RemoveHook("octocat/Hello-World", b.theHook().ID)
	require.ErrorContains(t, b.manager.Ping(t.Context(), b.doer, b.hook, b.credential()), "HTTP 404 Error: Not Found")
}

func TestManagerRefusals(t *testing.T) {
	b := newHookBed(t)
	try := func(change func(h *core.Webhook), c core.Credential) error {
		h := b.hook
		change(&h)
		_, err := b.manager.Register(t.Context(), b.doer, h, c)
		require.True(t, core.IsKind(err, core.Invalid), "%v", err)
		return err
	}
	same := func(*core.Webhook) {}
	hint := "GitHub does not let this account manage the webhooks of octocat/"
	require.ErrorContains(t, try(func(h *core.Webhook) { h.Resource = "octocat/other" }, b.credential()), hint+"other")
	require.ErrorContains(t, try(same, core.APIKey{Key: "wrong"}), hint+"Hello-World")
	require.ErrorContains(t, try(same, core.APIKey{Key: "wrong"}), "HTTP 401 Error: Bad credentials")
	require.ErrorContains(t, try(same, nil), "no token")
	require.ErrorContains(t, try(func(h *core.Webhook) { h.Resource = "a/b/c" }, b.credential()), invalidURL)
	require.ErrorContains(t, try(func(h *core.Webhook) { h.Type = "org" }, b.credential()), `no webhooks of type "org"`)

	b.github.Inject(githubtest.Fault{Method: "POST", Status: 403, Message: "Resource not accessible by integration"})
	require.ErrorContains(t, try(same, b.credential()), "admin:repo_hook")

	b.github.Inject(githubtest.Fault{Method: "POST", Status: 422, Message: token + " and " + hookSecret})
	err := try(same, b.credential())
	require.ErrorContains(t, err, "HTTP 422 Error: ********** and **********")
	require.Empty(t, b.github.Hooks("octocat/Hello-World"))

	b.github.Inject(githubtest.Fault{Method: "GET", Status: 403, Message: "API rate limit exceeded", RetryAfter: "3600"})
	_, err = b.manager.Register(t.Context(), b.doer, b.hook, b.credential())
	require.EqualError(t, err, "HTTP 403 Error: API rate limit exceeded", "a limit has nothing to do with scopes")
	require.True(t, core.IsKind(err, core.TooMany))
}

func TestHookEvents(t *testing.T) {
	require.Equal(t, []string{"pull_request"}, hookEvents([]string{"pull_request.opened", "pull_request.closed"}))
	require.Equal(t, []string{"issues", "ping", "star"}, hookEvents([]string{"star.created", "issues.opened", "ping"}))
	require.Equal(t, []string{"*"}, hookEvents(nil))
}

// The documented signature, and the ways to miss it.
func TestReceive(t *testing.T) {
	const body = `{"action":"opened","number":1}`
	const good = "sha256=1670e20ccf0829e69540a42be31dce8f8a7f28adc18df21bfb08ac22bf7cc9c6"
	hook := core.Webhook{Secret: "s3cr3t"}
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for pair := range slices.Chunk(pairs, 2) {
			h.Set(pair[0], pair[1])
		}
		return h
	}
	signed := func(text string) http.Header {
		return header("X-GitHub-Event", "push", "X-Hub-Signature-256", githubtest.Sign("s3cr3t", []byte(text)))
	}
	e, err := webhooks{}.Receive(hook, core.Delivery{
		Header: header("X-GitHub-Event", "pull_request", "X-Hub-Signature-256", good, "X-GitHub-Delivery", "72d3162e"), Body: []byte(body),
	})
	require.NoError(t, err)
	require.Equal(t, core.WebhookEvent{
		Type: "pull_request.opened", DeliveryID: "72d3162e", ReplayKey: good[len("sha256="):],
		Payload: map[string]any{"action": "opened", "number": 1},
	}, e)

	upper := strings.Replace(strings.ToUpper(good), "SHA256=", "sha256=", 1)
	e, err = webhooks{}.Receive(hook, core.Delivery{Header: header("X-GitHub-Event", "star", "X-Hub-Signature-256", upper), Body: []byte(body)})
	require.NoError(t, err)
	require.Equal(t, good[len("sha256="):], e.ReplayKey, "of one signature there is one key")

	const ping = `{"zen":"Keep it logically awesome."}`
	e, err = webhooks{}.Receive(hook, core.Delivery{
		Header: header("X-GitHub-Event", "ping", "X-Hub-Signature-256", githubtest.Sign("s3cr3t", []byte(ping)), "X-GitHub-Delivery", "d-1"), Body: []byte(ping),
	})
	require.NoError(t, err)
	require.Equal(t, core.PingEvent, e.Type)
	require.Equal(t, "d-1", e.DeliveryID)
	require.Empty(t, e.ReplayKey, "GitHub says the same in many pings")
	e, err = webhooks{}.Receive(hook, core.Delivery{Header: header("X-GitHub-Event", "ping", "X-Hub-Signature-256", good), Body: []byte(body)})
	require.NoError(t, err)
	require.Equal(t, "ping.opened", e.Type, "the name of the event is not signed")
	require.NotEmpty(t, e.ReplayKey)

	for text, want := range map[string]string{`{}`: "push", `{"action":null}`: "push", `{"action":7}`: "push", `{"action":"x"}`: "push.x"} {
		e, err := webhooks{}.Receive(hook, core.Delivery{Header: signed(text), Body: []byte(text)})
		require.NoError(t, err)
		require.Equal(t, want, e.Type, text)
	}

	for _, c := range []struct {
		name   string
		secret core.Secret
		header http.Header
		body   string
		kind   core.Kind
		text   string
	}{
		{"no event", "s3cr3t", header("X-Hub-Signature-256", good), body, core.Invalid, "X-GitHub-Event header is missing!"},
		{"no signature", "s3cr3t", header("X-GitHub-Event", "x"), body, core.Forbidden, "X-Hub-Signature-256 header is missing!"},
		{"another body", "s3cr3t", header("X-GitHub-Event", "x", "X-Hub-Signature-256", good), body + " ", core.Forbidden, "Request signatures didn't match!"},
		{"another secret", "s3cr3u", header("X-GitHub-Event", "x", "X-Hub-Signature-256", good), body, core.Forbidden, "Request signatures didn't match!"},
		{"no secret", "", header("X-GitHub-Event", "x", "X-Hub-Signature-256", githubtest.Sign("", []byte(body))), body, core.Forbidden, "Request signatures didn't match!"},
		{"a part of it", "s3cr3t", header("X-GitHub-Event", "x", "X-Hub-Signature-256", good[:len(good)-2]), body, core.Forbidden, "Request signatures didn't match!"},
		{"an empty one", "s3cr3t", header("X-GitHub-Event", "x", "X-Hub-Signature-256", "sha256="), body, core.Forbidden, "Request signatures didn't match!"},
		{"without its name", "s3cr3t", header("X-GitHub-Event", "x", "X-Hub-Signature-256", good[len("sha256="):]), body, core.Forbidden, "Request signatures didn't match!"},
		{"not hexadecimal", "s3cr3t", header("X-GitHub-Event", "x", "X-Hub-Signature-256", "sha256=zz"), body, core.Forbidden, "Request signatures didn't match!"},
		{"not JSON", "s3cr3t", signed("x"), "x", core.Invalid, "the body is not JSON"},
		{"no body", "s3cr3t", signed(""), "", core.Invalid, "the body is not JSON"},
		{"a list", "s3cr3t", signed("[]"), "[]", core.Invalid, "the body is not a JSON object"},
		{"null", "s3cr3t", signed("null"), "null", core.Invalid, "the body is not a JSON object"},
	} {
		e, err := webhooks{}.Receive(core.Webhook{Secret: c.secret}, core.Delivery{Header: c.header, Body: []byte(c.body)})
		require.EqualError(t, err, c.text, c.name)
		require.True(t, core.IsKind(err, c.kind), c.name)
		require.Zero(t, e, c.name)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add("push", "sha256=00", []byte(`{"action":"x"}`))
	f.Fuzz(func(t *testing.T, event, signature string, body []byte) {
		d := core.Delivery{Header: http.Header{"X-Github-Event": {event}, "X-Hub-Signature-256": {signature}}, Body: body}
		_, err := webhooks{}.Receive(core.Webhook{Secret: hookSecret}, d)
		require.Error(t, err, "nobody guesses a signature")
		d.Header.Set("X-Hub-Signature-256", githubtest.Sign(hookSecret, body))
		e, err := webhooks{}.Receive(core.Webhook{Secret: hookSecret}, d)
		if err == nil {
			require.NotNil(t, e.Payload)
			require.True(t, strings.HasPrefix(e.Type, event))
		}
	})
}
