package openai

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

func registered(t *testing.T) *core.Provider {
	t.Helper()
	p, ok := core.Default.Provider("openai")
	require.True(t, ok)
	return p
}

func TestProvider(t *testing.T) { coretest.Run(t, registered(t)) }

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings settings
		baseURL  string
		key      core.Secret // "" for no credential
	}{
		{"as installed", settings{BaseURL: defaultBaseURL}, defaultBaseURL, ""},
		{"OpenAI written with a slash", settings{BaseURL: defaultBaseURL + "/"}, defaultBaseURL, ""},
		{"a key", settings{BaseURL: defaultBaseURL, APIKey: "sk-1"}, defaultBaseURL, "sk-1"},
		{"a local server", settings{BaseURL: "http://localhost:1234/v1/"}, "http://localhost:1234/v1", "none"},
		{"a local server with a key", settings{BaseURL: "http://localhost:1234/v1", APIKey: "sk-1"}, "http://localhost:1234/v1", "sk-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, core.ModelEndpoint{Protocol: core.ProtocolChatCompletions, BaseURL: c.baseURL}, c.settings.Endpoint())
			got := c.settings.credential()
			if c.key == "" {
				require.Nil(t, got)
				return
			}
			require.Equal(t, core.APIKey{CredentialBase: core.CredentialBase{
				ID: systemID, Provider: "openai", Title: "Use Credits for OpenAI",
			}, Key: c.key}, got)
		})
	}
}

func TestSystemCredential(t *testing.T) {
	system := registered(t).System
	require.Len(t, system, 1)
	require.Equal(t, "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a", system[0].ID)
	require.Nil(t, system[0].Load(), "no key is set")
}
