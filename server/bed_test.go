package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/builtin"
	"agentserver/core/db/dbtest"
	"agentserver/core/platform"
	"agentserver/server"
)

// bed is a whole platform behind an HTTP server, with its users.
type bed struct {
	t        testing.TB
	platform *platform.Platform
	api      http.Handler
	url      string
	log      *logBuffer
	tokens   map[string]string
	// answers are all that the server has said.
	answers *logBuffer
}

// The users of a bed; nobody has no token.
const (
	nobody = ""
	alice  = "alice"
	bob    = "bob"
	admin  = "admin"
)

// engines runs fn as a subtest on a fresh platform of every database: SQLite,
// and Postgres when TEST_POSTGRES_URL is set.
func engines(t *testing.T, fn func(b *bed)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(newBed(t, "")) })
	t.Run("postgres", func(t *testing.T) { fn(newBed(t, dbtest.PostgresURL(t))) })
}

func newBed(t testing.TB, databaseURL string) *bed {
	t.Helper()
	return newBedOf(t, databaseURL, bedOptions{})
}

// bedOptions change what a bed is made of.
type bedOptions struct {
	registry *core.Registry // nil is that of the tests
	settings map[string]string
	deletion platform.DeletionOptions
}

// newBedOf is newBed of other parts.
func newBedOf(t testing.TB, databaseURL string, o bedOptions) *bed {
	t.Helper()
	if o.registry == nil {
		o.registry = testRegistry()
	}
	if o.deletion.Settle == 0 {
		o.deletion.Settle = time.Nanosecond
	}
	flags := map[string]string{"data_dir": t.TempDir(), "metrics.enabled": "true", "public_url": "https://agents.example.com"}
	maps.Copy(flags, o.settings)
	if databaseURL != "" {
		flags["database.url"] = databaseURL
	}
	c, err := config.Load(config.Options{Flags: flags, Providers: platform.ProviderSettings(o.registry)})
	require.NoError(t, err)
	log := &logBuffer{}
	p, err := platform.New(t.Context(), c, platform.Options{
		Work: true, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Registry: o.registry, Deletion: o.deletion,
	})
	require.NoError(t, err)
	api, err := server.New(p)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	web := httptest.NewServer(api)
	t.Cleanup(func() {
		web.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, p.Close(ctx))
	})
	b := &bed{t: t, platform: p, api: api, url: web.URL, log: log, tokens: map[string]string{}, answers: &logBuffer{}}
	for _, who := range []string{alice, bob, admin} {
		role := account.RoleUser
		if who == admin {
			role = account.RoleAdmin
		}
		b.tokens[who], err = p.Signer.Token(account.Identity{UserID: who, Email: who + "@example.com", Name: who, Role: role}, time.Hour)
		require.NoError(t, err)
	}
	return b
}

// on gives the bed for a subtest.
func (b *bed) on(t testing.TB) *bed {
	c := *b
	c.t = t
	return &c
}

// answer is what the server said.
type answer struct {
	t      testing.TB
	status int
	body   string
	header http.Header
}

// call sends a request as a user. The body is sent as it is when it is text or
// bytes, as JSON otherwise, and not at all when it is nil. Headers are name,
// value, name, value.
func (b *bed) call(who, method, path string, body any, headers ...string) answer {
	b.t.Helper()
	var data []byte
	switch body := body.(type) {
	case nil:
	case string:
		data = []byte(body)
	case []byte:
		data = body
	default:
		var err error
		data, err = json.Marshal(body)
		require.NoError(b.t, err)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, b.url+path, bytes.NewReader(data))
	require.NoError(b.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != nobody {
		req.Header.Set("Authorization", "Bearer "+b.tokens[who])
	}
	// Set, so that the transport does not ask for compression by itself.
	req.Header.Set("Accept-Encoding", "identity")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(b.t, err)
	defer func() { require.NoError(b.t, res.Body.Close()) }()
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	_, _ = fmt.Fprintf(b.answers, "%v\n%s\n", res.Header, text)
	return answer{b.t, res.StatusCode, string(text), res.Header}
}

// ok is call for requests that must succeed; it gives the decoded body.
func (b *bed) ok(who, method, path string, body any) any {
	b.t.Helper()
	a := b.call(who, method, path, body)
	require.Less(b.t, a.status, 300, "%s %s: %s", method, path, a.body)
	if a.body == "" {
		return nil
	}
	return a.json()
}

// object is ok for answers that are objects.
func (b *bed) object(who, method, path string, body any) map[string]any {
	b.t.Helper()
	m, isObject := b.ok(who, method, path, body).(map[string]any)
	require.True(b.t, isObject, "%s %s gives no object", method, path)
	return m
}

func (a answer) json() any {
	a.t.Helper()
	var v any
	require.NoError(a.t, json.Unmarshal([]byte(a.body), &v), a.body)
	return v
}

// is checks the status, and the body as JSON.
func (a answer) is(status int, body string) {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.body)
	if body == "" {
		require.Empty(a.t, a.body)
		return
	}
	require.JSONEq(a.t, body, a.body)
}

// detail is the short form of an error.
func detail(text string) string { return encode(map[string]any{"detail": text}) }

// failure is the long form of an error that the client can mend.
func failure(method, path, text string) string {
	return encode(map[string]any{
		"message": "Failed to process " + method + " " + path, "detail": text, "hint": "Adjust the request and retry.",
	})
}

// invalid is the form of an error about parts of a request.
func invalid(method, path string, items ...map[string]any) string {
	return encode(map[string]any{
		"message": "Invalid data for " + method + " " + path, "detail": items, "hint": "Ensure the request matches the API schema.",
	})
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// fill puts values in place of {names} in a path or a body.
func fill(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// eventually asks until the answer is as wanted.
func (b *bed) eventually(what string, done func() bool) {
	b.t.Helper()
	require.Eventually(b.t, done, 30*time.Second, 5*time.Millisecond, what)
}

// logBuffer keeps what the platform logs.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// contractFolder gives the folder of contract data, or skips the test when it
// is not there.
func contractFolder(t testing.TB) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("TEST_CONTRACT_DIR"), "../../shared/contract"} {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return dir
		}
	}
	t.Skip("there is no folder of contract data (TEST_CONTRACT_DIR), so real exports are not tested")
	return ""
}

// testRegistry holds the platform's own blocks and a provider made for tests.
var testRegistry = sync.OnceValue(func() *core.Registry {
	r := &core.Registry{}
	for _, p := range []*core.Provider{builtin.Provider(), acme()} {
		if err := r.Add(p); err != nil {
			panic(err)
		}
	}
	return r
})

// forget takes texts out of what is kept.
func (l *logBuffer) forget(texts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.text.String()
	for _, text := range texts {
		kept = strings.ReplaceAll(kept, text, "…")
	}
	l.text.Reset()
	l.text.WriteString(kept)
}
