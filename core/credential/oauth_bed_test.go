package credential_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/credential"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/rest"
)

// frontend is the web client of the tests.
const frontend = "https://app.example/"

// signIn is a service with a vendor, acme, at which users can sign in.
type signIn struct {
	t       *testing.T
	vendor  *oauthtest.Server
	auth    core.OAuth2Auth
	service *credential.Service
	bus     *countingBus
	clock   *clock
	log     *buffer
}

// countingBus counts who has asked for a lock.
type countingBus struct {
	bus.Bus
	locks atomic.Int32
}

// Lock implements [bus.Bus].
func (b *countingBus) Lock(ctx context.Context, key string, ttl time.Duration) (bus.Unlock, error) {
	b.locks.Add(1)
	return b.Bus.Lock(ctx, key, ttl)
}

// newSignIn makes one whose vendor wants what server says, and whose provider
// declares what change makes of the plain flow.
func newSignIn(t *testing.T, d *db.DB, server *oauthtest.Server, change func(a *core.OAuth2Auth)) *signIn {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	b := &signIn{t: t, vendor: server, bus: &countingBus{Bus: bus.NewLocal()}, clock: &clock{at: time.Unix(1_800_000_000, 0)}, log: &buffer{}}
	auth := oauthtest.Auth(web.URL)
	if change != nil {
		change(&auth)
	}
	b.auth = auth
	b.service = b.open(d, registryOf(t, auth), frontend)
	t.Cleanup(func() {
		require.NotContains(t, b.log.String(), oauthtest.Canary, "secrets do not reach the log")
		require.Empty(t, server.Violations())
	})
	return b
}

// registryOf has acme, other, which is the same under another name, and openai,
// which has no OAuth 2.
func registryOf(t *testing.T, auth core.OAuth2Auth) *core.Registry {
	t.Helper()
	r := registry(t)
	for _, name := range []string{"acme", "other"} {
		require.NoError(t, r.Add(&core.Provider{Name: name, Title: strings.ToUpper(name[:1]) + name[1:], Auth: []core.AuthMethod{auth}}))
	}
	return r
}

// open gives another service on the same vendor, clock, bus and log.
func (b *signIn) open(d *db.DB, r *core.Registry, frontendURL string) *credential.Service {
	b.t.Helper()
	client := rest.NewClient(rest.Options{Trusted: []string{"127.0.0.1"}})
	s, err := credential.Open(b.t.Context(), d, ring(b.t, key("a", 1)), r, credential.Options{
		HTTP: func(string) core.Doer { return client }, Bus: b.bus, FrontendURL: frontendURL,
		Log: slog.New(slog.NewTextHandler(b.log, nil)), Now: b.clock.now,
	})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

// begin starts a sign-in and lets the vendor agree; it gives the code and the
// state token.
func (b *signIn) begin(user, provider string, scopes ...string) (core.Secret, string) {
	b.t.Helper()
	login, err := b.service.Login(b.t.Context(), user, provider, scopes)
	require.NoError(b.t, err)
	code, state, err := oauthtest.Approve(login.URL)
	require.NoError(b.t, err)
	require.Equal(b.t, login.StateToken, state)
	return core.Secret(code), state
}

// connect signs a user in.
func (b *signIn) connect(user string, scopes ...string) credential.Meta {
	b.t.Helper()
	code, state := b.begin(user, "acme", scopes...)
	meta, err := b.service.Callback(b.t.Context(), user, "acme", code, state)
	require.NoError(b.t, err)
	return meta
}

// token gives the tokens that blocks of a user run with.
func (b *signIn) token(user, id string) core.OAuth2 {
	b.t.Helper()
	c, err := b.service.Get(b.t.Context(), user, id)
	require.NoError(b.t, err)
	return c.(core.OAuth2)
}

// capture keeps the fields of the last request for tokens: "exchange" or
// "refresh".
func (b *signIn) capture(kind string) *url.Values {
	got := &url.Values{}
	b.vendor.SetFault(func(_ http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if (form.Get("grant_type") == "refresh_token") == (kind == "refresh") {
			*got = form
		}
		return false
	})
	return got
}

// eachSignIn runs fn on every engine.
func eachSignIn(t *testing.T, server func() *oauthtest.Server, change func(a *core.OAuth2Auth), fn func(b *signIn, d *db.DB)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(newSignIn(t, d, server(), change), d) })
}

func plainServer() *oauthtest.Server { return &oauthtest.Server{} }

func rotatingServer() *oauthtest.Server { return &oauthtest.Server{Rotate: true} }

// clock is a time that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// buffer keeps what is logged.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
