package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/config"
)

func TestProblems(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		env        []string
		flags      map[string]string
		want       string
	}{
		{
			name: "misspelt key", file: "lisen: x",
			want: `file agentserver.yaml: unknown key "lisen", did you mean "listen"?`,
		},
		{
			name: "key without its section", file: "jwt_key: x",
			want: `file agentserver.yaml: unknown key "jwt_key", did you mean "auth.jwt_key"?`,
		},
		{
			name: "key like nothing", file: "zebra: {stripes: 3}",
			want: `file agentserver.yaml: unknown key "zebra.stripes"`,
		},
		{
			name: "value for a section", file: "database: postgres://x/y",
			want: `file agentserver.yaml: "database" is a section, not a value`,
		},
		{
			name: "section for a value", file: "listen: {host: a, port: 1}",
			want: `file agentserver.yaml: "listen" takes a value, not a section`,
		},
		{
			name: "misspelt provider", file: "providers: {agentmail: {key: x, url: y}}",
			want: `file agentserver.yaml: unknown provider "agentmail", did you mean "agent_mail"?`,
		},
		{
			name: "misspelt provider setting", file: "providers: {openai: {apikey: x}}",
			want: `file agentserver.yaml: unknown key "providers.openai.apikey", did you mean "providers.openai.api_key"?`,
		},
		{
			name: "setting of a provider that has none", file: "providers: {agent_mail: {zzzzzzzzz: x}}",
			want: `file agentserver.yaml: unknown key "providers.agent_mail.zzzzzzzzz"`,
		},
		{
			name: "value for a provider", file: "providers: {openai: true}",
			want: `file agentserver.yaml: "providers.openai" is a section, not a value`,
		},
		{
			name: "broken file", file: "listen: [",
			want: "reading the configuration file: agentserver.yaml: yaml: line 1: did not find expected node content",
		},
		{
			name: "misspelt variable", env: []string{"AGENTSERVER_LISTN=x"},
			want: `environment: unknown variable AGENTSERVER_LISTN, did you mean "AGENTSERVER_LISTEN"?`,
		},
		{
			name: "misspelt flag", flags: map[string]string{"listn": "x"},
			want: `flag: unknown key "listn", did you mean "listen"?`,
		},
		{
			name: "text for a number", file: "worker: {max_runs: many}",
			want: `worker.max_runs (file agentserver.yaml): a whole number from 1 to 100000 is expected, got "many"`,
		},
		{
			name: "quoted number", file: "worker: {max_runs: '5'}",
			want: `worker.max_runs (file agentserver.yaml): a whole number from 1 to 100000 is expected, got "5"`,
		},
		{
			name: "fraction", file: "worker: {max_runs: 1.5}",
			want: `worker.max_runs (file agentserver.yaml): a whole number from 1 to 100000 is expected, got 1.5`,
		},
		{
			name: "too small, from an alias", env: []string{"NUM_GRAPH_WORKERS=0"},
			want: `worker.max_runs (env NUM_GRAPH_WORKERS): a whole number from 1 to 100000 is expected, got "0"`,
		},
		{
			name: "too large, from a flag", flags: map[string]string{"worker.max_nodes_per_run": "1001"},
			want: `worker.max_nodes_per_run (flag): a whole number from 1 to 1000 is expected, got "1001"`,
		},
		{
			name: "empty number", env: []string{"AGENTSERVER_HTTP_MAX_BODY="},
			want: `http.max_body (env AGENTSERVER_HTTP_MAX_BODY): a whole number of at least 1024 is expected, got ""`,
		},
		{
			name: "duration without unit", file: "worker: {shutdown_timeout: 30}",
			want: `worker.shutdown_timeout (file agentserver.yaml): a duration such as 20s or 5m from 0s to 1h is expected, got 30`,
		},
		{
			name: "number for text", file: "data_dir: 7",
			want: `data_dir (file agentserver.yaml): text is expected, got 7`,
		},
		{
			name: "text for a list", file: "cors: {allow_origins: 'https://a.example.com'}",
			want: `cors.allow_origins (file agentserver.yaml): a list of text is expected, got "https://a.example.com"`,
		},
		{
			name: "broken list", env: []string{`BACKEND_CORS_ALLOW_ORIGINS=["https://a.example.com"`},
			want: `cors.allow_origins (env BACKEND_CORS_ALLOW_ORIGINS): a list of text is expected, got "[\"https://a.example.com\""`,
		},
		{
			name: "not a choice", env: []string{"APP_ENV=staging"},
			want: `app_env (env APP_ENV): one of local, dev, prod is expected, got "staging"`,
		},
		{
			name: "not a bool", file: "metrics: {enabled: 1}",
			want: `metrics.enabled (file agentserver.yaml): true or false is expected, got 1`,
		},
		{
			name: "number out of bounds", file: "providers: {openai: {rate: 2}}",
			want: `providers.openai.rate (file agentserver.yaml): a number of at most 1 is expected, got 2`,
		},
		{
			name: "listen without port", file: "listen: localhost",
			want: `listen (file agentserver.yaml): an address and a port such as 127.0.0.1:8006 are expected, got "localhost"`,
		},
		{
			name: "blank data_dir", file: "data_dir: ' '",
			want: `data_dir (file agentserver.yaml): a folder is expected`,
		},
		{
			name: "URL without scheme", env: []string{"PLATFORM_BASE_URL=example.com"},
			want: `public_url (env PLATFORM_BASE_URL): a URL that starts with http:// or https:// is expected, got "example.com"`,
		},
		{
			name: "another database", env: []string{"DATABASE_URL=mysql://user:hunter2@h/d"},
			want: `database.url (env DATABASE_URL): a URL that starts with postgres:// or postgresql:// is expected`,
		},
		{
			name: "broken database URL", env: []string{"DATABASE_URL=postgres://user:hunter2%@h/d"},
			want: `database.url (env DATABASE_URL): a URL that starts with postgres:// or postgresql:// is expected`,
		},
		{
			name: "not a Redis URL", file: "redis: {url: 'hunter2'}",
			want: `redis.url (file agentserver.yaml): a URL that starts with redis:// or rediss:// is expected`,
		},
		{
			name: "secret of the wrong type", file: "auth: {jwt_key: [hunter2]}",
			want: `auth.jwt_key (file agentserver.yaml): text is expected`,
		},
		{
			name: "unknown algorithm", env: []string{"JWT_SIGN_ALGORITHM=none"},
			want: `auth.jwt_algorithm (env JWT_SIGN_ALGORITHM): one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA is expected, got "none"`,
		},
		{
			name: "algorithm without key", file: "auth: {jwt_algorithm: RS256}",
			want: `auth.jwt_algorithm (file agentserver.yaml): RS256 needs a public key in auth.jwt_key or auth.jwks_url`,
		},
		{
			name: "blank key", file: "auth: {jwt_key: ' '}",
			want: `auth.jwt_key (file agentserver.yaml): the key is blank`,
		},
		{
			name: "shared secret in a key set", file: "auth: {jwks_url: 'https://example.com/keys'}",
			want: `auth.jwks_url (file agentserver.yaml): a key set has no shared secrets, so auth.jwt_algorithm cannot be HS256`,
		},
		{
			name: "unknown provider disabled", file: "providers: {disabled: [agentmail]}",
			want: `providers.disabled (file agentserver.yaml): unknown provider "agentmail", did you mean "agent_mail"?`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.file, config.Options{Env: tc.env, Flags: tc.flags})
			require.EqualError(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestEveryProblemIsReported(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		env, want  []string
	}{
		{"names", "lisen: x\nworker: {max_run: many}", []string{"AGENTSERVER_LOG=x"}, []string{"lisen", "worker.max_run", "AGENTSERVER_LOG"}},
		{"values", "metrics: {enabled: x}\nworker: {max_runs: many}", nil, []string{"metrics.enabled", "worker.max_runs"}},
		{"meanings", "listen: x\npublic_url: x", []string{"DATABASE_URL=x"}, []string{"listen", "public_url", "database.url"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.file, config.Options{Env: tc.env})
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(tc.want))
			for i, name := range tc.want {
				require.Contains(t, lines[i], name)
			}
		})
	}
}

func TestVariablesThatAreNotOurs(t *testing.T) {
	c, err := load(t, "", config.Options{Env: []string{
		"AGENTSERVER_HOST=rest_server",
		"AGENTSERVER_SERVICE_HOST=10.0.0.7",
		"AGENTSERVER_SERVICE_PORT=8006",
		"AGENTSERVER_SERVICE_PORT_HTTP=8006",
		"AGENTSERVER_PORT=tcp://10.0.0.7:8006",
		"AGENTSERVER_PORT_8006_TCP_ADDR=10.0.0.7",
		"REDIS_PORT=tcp://10.0.0.8:6379",
		"REDIS_HOST=redis",
		"LISTEN=nonsense",
	}})
	require.NoError(t, err)
	require.Equal(t, "redis://redis:6379/0", c.Redis.URL.Reveal())

	_, err = load(t, "", config.Options{Env: []string{"AGENTSERVER_PORT=8006"}})
	require.ErrorContains(t, err, "unknown variable AGENTSERVER_PORT")
}
