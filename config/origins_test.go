package config_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/config"
)

func TestOrigins(t *testing.T) {
	for _, tc := range []struct {
		name     string
		entries  []string
		env      string // app_env
		exact    []string
		patterns []string
		failure  string
	}{
		{
			name: "one of each", entries: []string{"https://app.example.com", `regex:https://.*\.example\.com`},
			exact: []string{"https://app.example.com"}, patterns: []string{`^(?:https://.*\.example\.com)$`},
		},
		{
			name: "two patterns", entries: []string{"regex:https://alpha.example.com", "regex:a|b"},
			patterns: []string{"^(?:https://alpha.example.com)$", "^(?:a|b)$"},
		},
		{
			name: "twin of localhost", entries: []string{"http://localhost:3000"},
			exact: []string{"http://localhost:3000", "http://127.0.0.1:3000"},
		},
		{
			name: "twin of 127.0.0.1", entries: []string{"https://127.0.0.1:8000"},
			exact: []string{"https://127.0.0.1:8000", "http://localhost:8000"},
		},
		{
			name: "twins that are there", entries: []string{"http://127.0.0.1:1", " http://localhost:1/ "},
			exact: []string{"http://127.0.0.1:1", "http://localhost:1"},
		},
		{name: "none", entries: []string{}},
		{name: "production", env: "prod", entries: []string{`regex:https://agents-[a-z0-9-]+\.example\.app`}, patterns: []string{`^(?:https://agents-[a-z0-9-]+\.example\.app)$`}},
		{name: "local without port", entries: []string{"http://localhost"}, failure: "a local origin needs a port"},
		{name: "other scheme", entries: []string{"ftp://example.com"}, failure: "an origin starts with"},
		{name: "star", entries: []string{"*"}, failure: "an origin starts with"},
		{name: "path", entries: []string{"https://example.com/app"}, failure: "an origin ends with the host"},
		{name: "empty pattern", entries: []string{"regex:"}, failure: "the pattern is empty"},
		{name: "broken pattern", entries: []string{"regex:("}, failure: "error parsing regexp"},
		{name: "production, local", env: "prod", entries: []string{"http://LOCALHOST:3000"}, failure: "app_env is prod"},
		{name: "production, local in a pattern", env: "prod", entries: []string{"regex:https://.*localhost.*"}, failure: "app_env is prod"},
		{name: "production, loose pattern", env: "prod", entries: []string{"regex:https?://.*:3000"}, failure: "app_env is prod"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, err := json.Marshal(tc.entries)
			require.NoError(t, err)
			flags := map[string]string{"cors.allow_origins": string(list), "app_env": "local"}
			if tc.env != "" {
				flags["app_env"] = tc.env
			}
			c, err := load(t, "", config.Options{Flags: flags})
			if tc.failure != "" {
				require.ErrorContains(t, err, "cors.allow_origins (flag): ")
				require.ErrorContains(t, err, tc.failure)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.exact, c.CORS.Allowed.Exact)
			var patterns []string
			for _, p := range c.CORS.Allowed.Patterns {
				patterns = append(patterns, p.String())
			}
			require.Equal(t, tc.patterns, patterns)
		})
	}
}

func TestProductionRefusesTheDefaultOrigin(t *testing.T) {
	_, err := load(t, "app_env: prod", config.Options{})
	require.ErrorContains(t, err, `cors.allow_origins (default): "http://localhost:3000" is for a developer's machine and app_env is prod`)
}

func TestAllow(t *testing.T) {
	c, err := load(t, `cors: {allow_origins: ["https://a.example.com", "regex:https://b|https://c[.]example[.]com"]}`, config.Options{})
	require.NoError(t, err)
	for origin, want := range map[string]bool{
		"https://a.example.com":      true,
		"https://a.example.com.evil": false,
		"https://c.example.com":      true,
		"https://c.example.com.evil": false,
		"https://b.evil":             false,
		"":                           false,
	} {
		require.Equal(t, want, c.CORS.Allowed.Allow(origin), origin)
	}
}
