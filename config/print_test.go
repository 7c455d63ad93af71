package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/config"
)

func TestPrint(t *testing.T) {
	c, err := load(t, "worker: {heartbeat_timeout: 120s}\nproviders: {openai: {org: hunter2, models: [a, 'b: c']}}", config.Options{
		Env: []string{
			"DATABASE_URL=postgres://user:hunter2@db/x",
			"OPENAI_API_KEY=hunter2",
			"ENCRYPTION_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		},
		Flags: map[string]string{"listen": ":1", "public_url": "https://example.com/"},
	})
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, c.Print(&b))
	text := b.String()
	require.NotContains(t, text, "hunter2")
	require.NotContains(t, text, "MDEyMz")
	for _, line := range []string{
		"listen: :1 # flag",
		"data_dir: ./data # default",
		"public_url: https://example.com # flag",
		"  url: '**********' # env DATABASE_URL",
		"  keys: ['**********'] # env ENCRYPTION_KEY",
		`  jwt_key: "" # default`,
		"  heartbeat_timeout: 2m # file agentserver.yaml",
		"  shutdown_timeout: 30s # default",
		"  enabled: [] # default",
		"    org: '**********' # file agentserver.yaml",
		"    rate: 0.5 # default",
		"    models: [a, 'b: c'] # file agentserver.yaml",
	} {
		require.Contains(t, strings.Split(text, "\n"), line)
	}
}

// What Print writes without secrets is a file that loads to the same values.
func TestPrintedFileLoads(t *testing.T) {
	c, err := load(t, "", config.Options{Flags: map[string]string{"public_url": "https://example.com", "providers.openai.models": "a,b"}})
	require.NoError(t, err)
	f, err := os.Create("printed.yaml")
	require.NoError(t, err)
	require.NoError(t, c.Print(f))
	require.NoError(t, f.Close())
	again, err := config.Load(config.Options{File: "printed.yaml", Providers: providers()})
	require.NoError(t, err)
	require.Equal(t, c.Worker, again.Worker)
	require.Equal(t, c.CORS, again.CORS)
	require.Equal(t, "https://example.com", again.PublicURL)
	var want, got openaiSettings
	require.NoError(t, c.FillSettings("openai", &want))
	require.NoError(t, again.FillSettings("openai", &got))
	require.Equal(t, want, got)
}

func TestReference(t *testing.T) {
	text, err := config.Reference(providers())
	require.NoError(t, err)
	lines := strings.Split(text, "\n")
	for _, line := range []string{
		"# Configuration",
		"## Database",
		"| `database.max_conns` | integer, 2 to 1000 | `20` | `AGENTSERVER_DATABASE_MAX_CONNS`, `DB_CONNECTION_LIMIT` | Most connections that one process opens to Postgres. |",
		"### openai",
		"| `providers.openai.api_key` | text, secret |  | `AGENTSERVER_PROVIDERS_OPENAI_API_KEY`, `OPENAI_API_KEY` | Key. |",
		`| ` + "`providers.openai.base_url`" + ` | text | ` + "`https://api.example.com`" + ` | ` + "`AGENTSERVER_PROVIDERS_OPENAI_BASE_URL`" + ` | Address \| path. |`,
		"| `providers.openai.timeout` | duration | `1m` | `AGENTSERVER_PROVIDERS_OPENAI_TIMEOUT` | Timeout. |",
		"| `providers.openai.rate` | number, at most 1 | `0.5` | `AGENTSERVER_PROVIDERS_OPENAI_RATE` | Rate. |",
	} {
		require.Contains(t, lines, line)
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "|") {
			require.Equal(t, 6, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), line)
		}
	}
	_, err = config.Reference(map[string]any{"enabled": nil})
	require.Error(t, err)
}
