package telegram

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

func FuzzReceive(f *testing.F) { coretest.FuzzReceive(f, provider) }

func TestSettings(t *testing.T) {
	was := *config
	t.Cleanup(func() { *config = was })
	for _, c := range []struct {
		url, root string
		trusted   []string
		ok        bool
	}{
		{defaultBaseURL, defaultBaseURL, nil, true},
		{defaultBaseURL + "/", defaultBaseURL, nil, true},
		{"http://localhost:8081/", "http://localhost:8081", []string{"localhost:8081"}, true},
		{"https://bots.example.com/api", "https://bots.example.com/api", []string{"bots.example.com"}, true},
		{"bots.example.com", "bots.example.com", nil, false},
		{"ftp://bots.example.com", "ftp://bots.example.com", []string{"bots.example.com"}, false},
		{"https://bots.example.com?x=1", "https://bots.example.com?x=1", []string{"bots.example.com"}, false},
		{"https://u:p@bots.example.com", "https://u:p@bots.example.com", []string{"bots.example.com"}, false},
	} {
		config.BaseURL = c.url
		require.Equal(t, c.root, config.root(), c.url)
		require.Equal(t, c.trusted, trusted(), c.url)
		err := start(t.Context(), nil)
		if c.ok {
			require.NoError(t, err, c.url)
			continue
		}
		require.Equal(t, core.Invalid, core.KindOf(err), c.url)
		require.NotContains(t, err.Error(), "u:p")
	}
}
