package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
)

func TestFillSettings(t *testing.T) {
	c, err := load(t, `
providers:
  openai: {org: acme, retries: 9, rate: 1, models: [small, large]}
  agent_mail:
`, config.Options{Env: []string{
		"OPENAI_API_KEY=from-alias",
		"AGENTSERVER_PROVIDERS_OPENAI_RETRIES=0",
		"AGENTSERVER_PROVIDERS_OPENAI_BETA=true",
	}})
	require.NoError(t, err)
	got := openaiSettings{client: "kept"}
	require.NoError(t, c.FillSettings("openai", &got))
	require.Equal(t, openaiSettings{
		APIKey:  "from-alias",
		Org:     "acme",
		BaseURL: "https://api.example.com",
		Rate:    1,
		Beta:    true,
		Timeout: time.Minute,
		Models:  []string{"small", "large"},
		client:  "kept",
	}, got)
	require.NoError(t, c.FillSettings("agent_mail", nil))
	require.Equal(t, config.Source("env OPENAI_API_KEY"), c.Source("providers.openai.api_key"))
}

func TestFillSettingsRefuses(t *testing.T) {
	c, err := load(t, "", config.Options{})
	require.NoError(t, err)
	type other struct {
		APIKey string `key:"api_key" doc:"Key."`
	}
	for _, tc := range []struct {
		name, provider string
		settings       any
		want           string
	}{
		{"unknown provider", "exa", &openaiSettings{}, "providers.exa.api_key was not declared"},
		{"other type", "openai", &other{}, "providers.openai.api_key was not declared"},
		{"no pointer", "openai", openaiSettings{}, "a pointer to a struct is needed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.ErrorContains(t, c.FillSettings(tc.provider, tc.settings), tc.want)
		})
	}
}

func TestDeclarationsAreChecked(t *testing.T) {
	for _, tc := range []struct {
		name      string
		providers map[string]any
		want      string
	}{
		{"reserved name", map[string]any{"enabled": nil}, `a provider cannot be named "enabled"`},
		{"malformed name", map[string]any{"Agent-Mail": nil}, `a provider cannot be named "Agent-Mail"`},
		{"value", map[string]any{"x": struct{}{}}, "a pointer to a struct is needed"},
		{"type", map[string]any{"x": &struct {
			A map[string]string `key:"a" doc:"A."`
		}{}}, "type map[string]string is not supported"},
		{"no doc", map[string]any{"x": &struct {
			A string `key:"a"`
		}{}}, "providers.x.a has no doc tag"},
		{"upper case", map[string]any{"x": &struct {
			A string `key:"A" doc:"A."`
		}{}}, "providers.x.A is not lower case"},
		{"default of another type", map[string]any{"x": &struct {
			A int `key:"a" doc:"A." default:"many"`
		}{}}, `providers.x.a: a whole number is expected, got "many"`},
		{"default out of bounds", map[string]any{"x": &struct {
			A int `key:"a" doc:"A." default:"5" max:"4"`
		}{}}, `providers.x.a: a whole number of at most 4 is expected, got "5"`},
		{"bounds of text", map[string]any{"x": &struct {
			A string `key:"a" doc:"A." max:"4"`
		}{}}, "providers.x.a has a min or max tag"},
		{"secret with default", map[string]any{"x": &struct {
			A core.Secret `key:"a" doc:"A." default:"hunter2"`
		}{}}, "providers.x.a is secret and has a default"},
		{"shared variable", map[string]any{"x": &struct {
			A string `key:"y_a" doc:"A."`
		}{}, "x_y": &struct {
			A string `key:"a" doc:"A."`
		}{}}, "share the variable AGENTSERVER_PROVIDERS_X_Y_A"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			_, err := config.Load(config.Options{Providers: tc.providers})
			require.ErrorContains(t, err, tc.want)
		})
	}
}
