package llm

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestCosts(t *testing.T) {
	costs := Costs()
	require.Len(t, costs, 84)
	require.Equal(t, core.Cost{Amount: 21, Type: "run", Filter: map[string]any{
		"model": "claude-opus-4-1-20250805",
		"credentials": map[string]any{
			"id": "24e5d942-d9e3-4798-8151-90143ee55629", "provider": "anthropic", "type": "api_key",
		},
	}}, costs[0])
	priced := map[string]bool{}
	for _, c := range costs {
		priced[c.Filter["model"].(string)] = true
	}
	for _, m := range Models() {
		require.Equal(t, m.Provider != "ollama", priced[m.Name], m.Name)
	}
	costs[0].Filter["model"] = "changed"
	require.NotEqual(t, costs[0], Costs()[0])
}

func TestPricesAreChecked(t *testing.T) {
	require.NoError(t, checkPrices(models))
	change := func(f func(m *core.LanguageModel)) error {
		list := slices.Clone(models)
		f(&list[0])
		return checkPrices(list)
	}
	zero := 0
	require.ErrorContains(t, change(func(m *core.LanguageModel) { m.Cost = nil }), "the model o3-mini has no price")
	require.ErrorContains(t, change(func(m *core.LanguageModel) { m.Cost = &zero }), "the model o3-mini has no price")
	require.ErrorContains(t, change(func(m *core.LanguageModel) { m.Provider = "acme" }), "the provider acme of the model o3-mini")
	require.NoError(t, change(func(m *core.LanguageModel) { m.Provider, m.Cost = "ollama", nil }))
}
