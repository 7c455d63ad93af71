package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/db/dbtest"
	"agentserver/core/platform"
	_ "agentserver/providers/agentmail"
	_ "agentserver/providers/jina"
	_ "agentserver/providers/openai"
	"agentserver/server"
)

// bed is a server under load, with its users.
type bed struct {
	tb       testing.TB
	platform *platform.Platform
	url      string
	client   *http.Client
	tokens   []string
}

// engines runs a benchmark on SQLite, and on Postgres when a URL is given.
func engines(b *testing.B, fn func(b *testing.B, databaseURL string)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, "") })
	if os.Getenv("TEST_POSTGRES_URL") != "" {
		b.Run("postgres", func(b *testing.B) { fn(b, dbtest.PostgresURL(b)) })
	}
}

func newBed(tb testing.TB, databaseURL string, users int) *bed {
	flags := map[string]string{"data_dir": tb.TempDir(), "worker.max_runs": "5000", "worker.max_runs_per_user_graph": "1000"}
	if databaseURL != "" {
		flags["database.url"] = databaseURL
	}
	c, err := config.Load(config.Options{Flags: flags, Providers: platform.ProviderSettings(core.Default)})
	require.NoError(tb, err)
	p, err := platform.New(context.Background(), c, platform.Options{Work: true, Log: slog.New(slog.DiscardHandler)})
	require.NoError(tb, err)
	api, err := server.New(p)
	require.NoError(tb, err)
	require.NoError(tb, p.Start(context.Background()))
	web := httptest.NewServer(api)
	tb.Cleanup(func() {
		web.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(tb, p.Close(ctx))
	})
	bd := &bed{tb: tb, platform: p, url: web.URL, client: newClient()}
	for i := range users {
		token, err := p.Signer.Token(account.Identity{
			UserID: fmt.Sprintf("bench-user-%d", i), Email: fmt.Sprintf("user%d@bench.local", i), Role: "authenticated",
		}, time.Hour)
		require.NoError(tb, err)
		bd.tokens = append(bd.tokens, token)
	}
	return bd
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConns: 1000, MaxIdleConnsPerHost: 1000}}
}

// call sends a request as a user.
func (b *bed) call(user int, method, path string, body []byte, out any) {
	req, err := http.NewRequestWithContext(context.Background(), method, b.url+path, bytes.NewReader(body))
	require.NoError(b.tb, err)
	req.Header.Set("Authorization", "Bearer "+b.tokens[user%len(b.tokens)])
	req.Header.Set("Content-Type", "application/json")
	res, err := b.client.Do(req)
	require.NoError(b.tb, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(b.tb, err)
	require.Less(b.tb, res.StatusCode, 300, "%s", data)
	if out != nil {
		require.NoError(b.tb, json.Unmarshal(data, out))
	}
}
