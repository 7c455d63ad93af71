package llm

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"agentserver/core"
)

//go:embed models.json
var modelsJSON []byte

var (
	models = mustParse(modelsJSON)
	byName = index(models)
)

func mustParse(data []byte) []core.LanguageModel {
	var list []core.LanguageModel
	if err := json.Unmarshal(data, &list); err != nil {
		panic(fmt.Sprintf("llm: reading models.json: %v", err))
	}
	if err := checkPrices(list); err != nil {
		panic(fmt.Sprintf("llm: models.json: %v", err))
	}
	return list
}

func index(list []core.LanguageModel) map[string]core.LanguageModel {
	m := make(map[string]core.LanguageModel, len(list))
	for _, row := range list {
		m[row.Name] = row
	}
	return m
}

// Models gives the model table in the order in which clients show it. The
// slice is the caller's own.
func Models() []core.LanguageModel { return append([]core.LanguageModel(nil), models...) }

// Find gives the row of a model. A name that is not in the table and has a
// vendor in front ("anthropic/claude-sonnet-4-6") is looked up again without.
func Find(name string) (core.LanguageModel, bool) {
	if m, ok := byName[name]; ok {
		return m, true
	}
	_, rest, _ := strings.Cut(name, "/")
	m, ok := byName[rest]
	return m, ok
}

// Mapping gives each model's provider: the discriminator mapping of credentials
// inputs that follow the chosen model.
func Mapping() map[string]string {
	m := make(map[string]string, len(models))
	for _, row := range models {
		m[row.Name] = row.Provider
	}
	return m
}
