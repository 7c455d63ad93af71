package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
)

// openaiSettings has a field of every type.
type openaiSettings struct {
	APIKey  core.Secret   `key:"api_key" env:"OPENAI_API_KEY" doc:"Key."`
	Org     string        `key:"org" secret:"true" doc:"Organization."`
	BaseURL string        `key:"base_url" default:"https://api.example.com" doc:"Address | path."`
	Retries int           `key:"retries" default:"3" min:"0" max:"9" doc:"Tries."`
	Rate    float64       `key:"rate" default:"0.5" max:"1" doc:"Rate."`
	Beta    bool          `key:"beta" doc:"Beta."`
	Timeout time.Duration `key:"timeout" default:"1m" doc:"Timeout."`
	Models  []string      `key:"models" doc:"Models."`

	client any // not a setting
}

func providers() map[string]any {
	return map[string]any{"openai": &openaiSettings{}, "agent_mail": nil}
}

// load runs Load in a folder of its own, with a default file unless empty.
func load(t *testing.T, file string, o config.Options) (*config.Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if file != "" {
		require.NoError(t, os.WriteFile(config.DefaultFile, []byte(file), 0o600))
	}
	o.Providers = providers()
	return config.Load(o)
}

func TestDefaults(t *testing.T) {
	c, err := load(t, "", config.Options{})
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8006", c.Listen)
	require.Equal(t, "./data", c.DataDir)
	require.Empty(t, c.Database.URL)
	require.Equal(t, "HS256", c.Auth.JWTAlgorithm)
	require.Equal(t, 8<<20, c.HTTP.MaxBody)
	require.Equal(t, 20*time.Second, c.Worker.HeartbeatTimeout)
	require.True(t, c.Metrics.Enabled)
	require.True(t, c.Providers.On("openai"))
	require.Equal(t, config.Source("default"), c.Source("listen"))
	require.Empty(t, c.Source("nothing"))
}

func TestPrecedence(t *testing.T) {
	const file = "database: {url: 'postgres://file/x'}"
	flag := map[string]string{"database.url": "postgres://flag/x"}
	const own, alias = "AGENTSERVER_DATABASE_URL=postgres://env/x", "DATABASE_URL=postgres://alias/x"
	for _, tc := range []struct {
		name, file   string
		o            config.Options
		want, source string
	}{
		{"default", "", config.Options{}, "", "default"},
		{"file", file, config.Options{}, "postgres://file/x", "file agentserver.yaml"},
		{"dotted key in the file", "database.url: postgres://file/x", config.Options{}, "postgres://file/x", "file agentserver.yaml"},
		{"alias over file", file, config.Options{Env: []string{alias}}, "postgres://alias/x", "env DATABASE_URL"},
		{"empty alias", file, config.Options{Env: []string{"DATABASE_URL="}}, "postgres://file/x", "file agentserver.yaml"},
		{"own variable over alias", file, config.Options{Env: []string{own, alias}}, "postgres://env/x", "env AGENTSERVER_DATABASE_URL"},
		{"own variable, empty", file, config.Options{Env: []string{"AGENTSERVER_DATABASE_URL=", alias}}, "", "env AGENTSERVER_DATABASE_URL"},
		{"flag over all", file, config.Options{Env: []string{own, alias}, Flags: flag}, "postgres://flag/x", "flag"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := load(t, tc.file, tc.o)
			require.NoError(t, err)
			require.Equal(t, tc.want, c.Database.URL.Reveal())
			require.Equal(t, config.Source(tc.source), c.Source("database.url"))
		})
	}
}

func TestWhichFile(t *testing.T) {
	dir := t.TempDir()
	named := filepath.Join(dir, "other.yaml")
	require.NoError(t, os.WriteFile(named, []byte("listen: 127.0.0.1:1"), 0o600))
	missing := filepath.Join(dir, "missing.yaml")
	for _, tc := range []struct {
		name    string
		o       config.Options
		want    string
		failure string
	}{
		{"default file", config.Options{}, "127.0.0.1:2", ""},
		{"named", config.Options{File: named}, "127.0.0.1:1", ""},
		{"named by variable", config.Options{Env: []string{"AGENTSERVER_CONFIG=" + named}}, "127.0.0.1:1", ""},
		{"named twice", config.Options{File: named, Env: []string{"AGENTSERVER_CONFIG=" + missing}}, "127.0.0.1:1", ""},
		{"named and missing", config.Options{File: missing}, "", "missing.yaml: no such file"},
		{"variable and missing", config.Options{Env: []string{"AGENTSERVER_CONFIG=" + missing}}, "", "missing.yaml: no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := load(t, "listen: 127.0.0.1:2", tc.o)
			if tc.failure != "" {
				require.ErrorContains(t, err, tc.failure)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, c.Listen)
		})
	}
}

func TestForms(t *testing.T) {
	c, err := load(t, `
LISTEN: :9000
log:
metrics: {enabled: false}
worker: {heartbeat_timeout: 1m30s, max_runs: 7}
cors: {allow_origins: ["https://a.example.com", "regex:https://[a-z]+[.]example[.]org"]}
`, config.Options{Env: []string{
		"AGENTSERVER_PUBLIC_URL=https://example.com//",
		"AGENTSERVER_BLOCKS_AGENT_INPUT_SUBTYPES=Off",
		"AGENTSERVER_PROVIDERS_DISABLED=openai, agent_mail",
		"AGENTSERVER_AUTH_JWT_ALGORITHM=hs512",
	}})
	require.NoError(t, err)
	require.Equal(t, ":9000", c.Listen)
	require.False(t, c.Metrics.Enabled)
	require.Equal(t, 90*time.Second, c.Worker.HeartbeatTimeout)
	require.Equal(t, 7, c.Worker.MaxRuns)
	require.True(t, c.CORS.Allowed.Allow("https://b.example.org"))
	require.Equal(t, "https://example.com", c.PublicURL)
	require.False(t, c.Blocks.AgentInputSubtypes)
	require.Equal(t, []string{"openai", "agent_mail"}, c.Providers.Disabled)
	require.False(t, c.Providers.On("openai"))
	require.Equal(t, "HS512", c.Auth.JWTAlgorithm)
}

func TestProviderSwitches(t *testing.T) {
	for _, tc := range []struct {
		name   string
		p      config.Providers
		openai bool
	}{
		{"nothing said", config.Providers{}, true},
		{"enabled", config.Providers{Enabled: []string{"openai"}}, true},
		{"another enabled", config.Providers{Enabled: []string{"agent_mail"}}, false},
		{"disabled", config.Providers{Disabled: []string{"openai"}}, false},
		{"both", config.Providers{Enabled: []string{"openai"}, Disabled: []string{"openai"}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.openai, tc.p.On("openai")) })
	}
}
