package llm

import (
	"fmt"
	"slices"

	"agentserver/core"
)

// pricedProviders are those whose models cost credits with the operator's key, in
// the order in which clients show the prices. The models of freeProvider run on
// the user's own machines.
var pricedProviders = []string{"anthropic", "openai", "groq", "open_router", "llama_api", "v0", "aiml_api"}

const freeProvider = "ollama"

// Costs prices each model for blocks whose inputs are named model and
// credentials: runs with the operator's credential cost what the table says, others
// nothing. The slice is the caller's own.
func Costs() []core.Cost {
	var costs []core.Cost
	for _, provider := range pricedProviders {
		id := core.SystemCredentialID(provider)
		for _, m := range models {
			if m.Provider != provider {
				continue
			}
			c := core.SystemCost(provider, id, *m.Cost, map[string]any{"model": m.Name})
			if provider == "groq" { // saved agents hold references to groq's without the rest
				c.Filter["credentials"] = map[string]any{"id": id}
			}
			costs = append(costs, c)
		}
	}
	return costs
}

// checkPrices finds models that would run free of charge by a slip in the table.
func checkPrices(list []core.LanguageModel) error {
	for _, m := range list {
		switch {
		case m.Provider == freeProvider:
		case !slices.Contains(pricedProviders, m.Provider):
			return fmt.Errorf("the provider %s of the model %s is not among those with prices", m.Provider, m.Name)
		case m.Cost == nil || *m.Cost <= 0:
			return fmt.Errorf("the model %s has no price", m.Name)
		}
	}
	return nil
}
