package jina

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

func TestSystemCredential(t *testing.T) {
	require.Nil(t, (&settings{}).credential())
	c := (&settings{APIKey: "k"}).credential()
	require.Equal(t, "7f26de70-ba0d-494e-ba76-238e65e7b45f", c.Base().ID)
	require.Equal(t, "jina", c.Base().Provider)
	require.Equal(t, "Bearer k", c.Authorization())
	require.Nil(t, provider.System[0].Load(), "no key is set")
}

func TestCosts(t *testing.T) {
	credentials := map[string]any{"id": "7f26de70-ba0d-494e-ba76-238e65e7b45f", "provider": "jina", "type": "api_key"}
	for block, want := range map[core.Block][]core.Cost{
		searchTheWeb:   {{Amount: 1, Type: "run", Filter: map[string]any{"credentials": credentials}}},
		extractWebsite: {{Amount: 1, Type: "run", Filter: map[string]any{"credentials": credentials, "raw_content": false}}},
		embedding:      {{Amount: 12, Type: "run", Filter: map[string]any{"credentials": credentials}}},
		factChecker:    nil,
		chunking:       nil,
	} {
		require.Equal(t, want, block.Spec().Costs, block.Spec().Name)
	}
}
