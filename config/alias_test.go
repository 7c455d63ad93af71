package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/config"
)

func TestAliases(t *testing.T) {
	const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	for _, tc := range []struct {
		name   string
		env    []string
		get    func(*config.Config) any
		want   any
		source string // of the setting named below
		key    string
	}{
		{
			"host and port",
			[]string{"AGENT_API_HOST=0.0.0.0", "AGENT_API_PORT=9000"},
			func(c *config.Config) any { return c.Listen }, "0.0.0.0:9000", "env AGENT_API_HOST+AGENT_API_PORT", "listen",
		},
		{
			"host alone",
			[]string{"AGENT_API_HOST=::1"},
			func(c *config.Config) any { return c.Listen }, "[::1]:8006", "env AGENT_API_HOST", "listen",
		},
		{
			"port alone",
			[]string{"AGENT_API_PORT=9000"},
			func(c *config.Config) any { return c.Listen }, "127.0.0.1:9000", "env AGENT_API_PORT", "listen",
		},
		{
			"Redis host",
			[]string{"REDIS_HOST=cache"},
			func(c *config.Config) any { return c.Redis.URL.Reveal() }, "redis://cache:6379/0", "env REDIS_HOST", "redis.url",
		},
		{
			"Redis with password",
			[]string{"REDIS_HOST=cache", "REDIS_PORT=7", "REDIS_PASSWORD=a/b@c"},
			func(c *config.Config) any { return c.Redis.URL.Reveal() }, "redis://:a%2Fb%40c@cache:7/0",
			"env REDIS_HOST+REDIS_PORT+REDIS_PASSWORD", "redis.url",
		},
		{
			"Redis port without host",
			[]string{"REDIS_PORT=7"},
			func(c *config.Config) any { return c.Redis.URL.Reveal() }, "", "default", "redis.url",
		},
		{
			"first key wins",
			[]string{"JWT_VERIFY_KEY=one", "SUPABASE_JWT_SECRET=two"},
			func(c *config.Config) any { return c.Auth.JWTKey.Reveal() }, "one", "env JWT_VERIFY_KEY", "auth.jwt_key",
		},
		{
			"second key when the first is empty",
			[]string{"JWT_VERIFY_KEY= ", "SUPABASE_JWT_SECRET=two"},
			func(c *config.Config) any { return c.Auth.JWTKey.Reveal() }, "two", "env SUPABASE_JWT_SECRET", "auth.jwt_key",
		},
		{
			"encryption key",
			[]string{"ENCRYPTION_KEY=" + key},
			func(c *config.Config) any { return c.Encryption.Ring[0].Key.Reveal() }, "0123456789abcdef0123456789abcdef",
			"env ENCRYPTION_KEY", "encryption.keys",
		},
		{
			"origins",
			[]string{`BACKEND_CORS_ALLOW_ORIGINS=["https://a.example.com","regex:https://x{1,2}"]`},
			func(c *config.Config) any { return c.CORS.AllowOrigins },
			[]string{"https://a.example.com", "regex:https://x{1,2}"},
			"env BACKEND_CORS_ALLOW_ORIGINS", "cors.allow_origins",
		},
		{
			"level",
			[]string{"LOG_LEVEL=INFO"},
			func(c *config.Config) any { return c.Log.Level }, "info", "env LOG_LEVEL", "log.level",
		},
		{
			"Python's warning",
			[]string{"LOG_LEVEL=WARNING"},
			func(c *config.Config) any { return c.Log.Level }, "warn", "env LOG_LEVEL", "log.level",
		},
		{
			"Python's critical",
			[]string{"LOG_LEVEL=CRITICAL"},
			func(c *config.Config) any { return c.Log.Level }, "error", "env LOG_LEVEL", "log.level",
		},
		{
			"metrics off",
			[]string{"ENABLE_METRICS=false"},
			func(c *config.Config) any { return c.Metrics.Enabled }, false, "env ENABLE_METRICS", "metrics.enabled",
		},
		{
			"runs of a user",
			[]string{"MAX_CONCURRENT_GRAPH_EXECUTIONS_PER_USER=9"},
			func(c *config.Config) any { return c.Worker.MaxRunsPerUserGraph }, 9,
			"env MAX_CONCURRENT_GRAPH_EXECUTIONS_PER_USER", "worker.max_runs_per_user_graph",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := load(t, "", config.Options{Env: tc.env})
			require.NoError(t, err)
			require.Equal(t, tc.want, tc.get(c))
			require.Equal(t, config.Source(tc.source), c.Source(tc.key))
		})
	}
}
