package builder

import (
	"slices"

	"agentserver/core"
)

// BlockInfo is a block in lists.
type BlockInfo struct {
	ID           string              `json:"id"`
	Name         string              `json:"name"`
	InputSchema  *core.Object        `json:"inputSchema"`
	OutputSchema *core.Object        `json:"outputSchema"`
	Costs        []core.Cost         `json:"costs"`
	Description  string              `json:"description"`
	Categories   []map[string]string `json:"categories"`
	Contributors []map[string]string `json:"contributors"`
	StaticOutput bool                `json:"staticOutput"`
	UIType       core.UIType         `json:"uiType"`
}

// BlockInfos lists the blocks that can be used.
func BlockInfos(registry *core.Registry) []BlockInfo {
	list := []BlockInfo{}
	for _, b := range registry.Blocks() {
		if registry.Disabled(b) == "" {
			list = append(list, Describe(registry, b.Spec()))
		}
	}
	return list
}

// Describe makes the list entry of a block, with the credentials that users can
// connect here.
func Describe(registry *core.Registry, spec *core.BlockSpec) BlockInfo {
	info := BlockInfo{
		ID: spec.ID, Name: spec.Name, InputSchema: offered(registry, spec), OutputSchema: spec.Output, Costs: []core.Cost{},
		Description: spec.Description, Categories: []map[string]string{}, Contributors: []map[string]string{},
		StaticOutput: spec.Static, UIType: spec.UI,
	}
	categories := slices.Clone(spec.Categories)
	slices.Sort(categories)
	for _, c := range categories {
		info.Categories = append(info.Categories, map[string]string{"category": string(c), "description": c.Description()})
	}
	for _, name := range spec.Contributors {
		info.Contributors = append(info.Contributors, map[string]string{"name": name})
	}
	for _, c := range spec.Costs {
		if c.Filter == nil {
			c.Filter = map[string]any{}
		}
		info.Costs = append(info.Costs, c)
	}
	return info
}

// offered gives the inputs of a block with the credentials that users can connect
// here.
func offered(registry *core.Registry, spec *core.BlockSpec) *core.Object {
	schema := spec.Input
	for _, f := range spec.Fields() {
		if f.Credentials == nil {
			continue
		}
		left := registry.Offered(*f.Credentials)
		if len(left.Types) == len(f.Credentials.Types) {
			continue
		}
		if schema == spec.Input {
			schema = spec.Input.Clone()
		}
		shown, narrow := schema.Object("properties").Object(f.Name), core.CredentialsSchema(left, nil)
		for _, key := range []string{"credentials_types", "properties"} {
			value, _ := narrow.Get(key)
			shown.Set(key, value)
		}
	}
	return schema
}
