package llm

import "agentserver/core"

// DefaultModel is used by blocks when the user chose none.
const DefaultModel = "gpt-5.2-2025-12-11"

// ModelName is an input that takes one of the models in the table. Its schema
// makes clients draw a model picker.
type ModelName string

// JSONSchema is [ModelSchema].
func (ModelName) JSONSchema() *core.Object { return ModelSchema() }

var _ core.Schemer = ModelName("")

// The large members are built once and shared by every schema; nothing changes
// them.
var (
	modelNames    = names(models)
	modelMetadata = metadata(models)
)

// ModelSchema gives the schema members of a model input: the names in table
// order, and what a model picker shows for each.
func ModelSchema() *core.Object {
	return core.NewObject(
		"enum", modelNames,
		"title", "LlmModel",
		"type", "string",
		"llm_model", true,
		"llm_model_metadata", modelMetadata,
	)
}

func names(list []core.LanguageModel) []any {
	out := make([]any, len(list))
	for i, m := range list {
		out[i] = m.Name
	}
	return out
}

func metadata(list []core.LanguageModel) *core.Object {
	o := core.NewObject()
	for _, m := range list {
		o.Set(m.Name, core.NewObject(
			"creator", m.CreatorName,
			"creator_name", m.CreatorName,
			"title", m.Title,
			"provider", m.Provider,
			"provider_name", m.ProviderName,
			"name", m.Name,
			"price_tier", m.PriceTier,
		))
	}
	return o
}
