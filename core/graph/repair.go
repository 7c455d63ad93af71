package graph

import (
	"slices"

	"agentserver/core"
)

// repairAgentNodes mends agent nodes whose graph id matches none of the
// sub-graphs they came with, as happens in older exports: such a reference is
// pointed at the one sub-graph with the same version, inputs and outputs.
func repairAgentNodes(registry *core.Registry, g *Graph) {
	if len(g.SubGraphs) == 0 {
		return
	}
	known := map[string]bool{g.ID: true}
	for _, s := range g.SubGraphs {
		known[s.ID] = true
	}
	graphs := []*BaseGraph{&g.BaseGraph}
	for i := range g.SubGraphs {
		graphs = append(graphs, &g.SubGraphs[i])
	}
	for _, holder := range graphs {
		for i := range holder.Nodes {
			n := &holder.Nodes[i]
			id, _ := n.InputDefault["graph_id"].(string)
			if n.BlockID != AgentBlockID || known[id] {
				continue
			}
			if match := matchingSubGraph(registry, g.SubGraphs, n.InputDefault); match != "" {
				n.InputDefault["graph_id"] = match
			}
		}
	}
}

// matchingSubGraph gives the id of the only sub-graph that fits an agent
// node, or "".
func matchingSubGraph(registry *core.Registry, subs []BaseGraph, in core.Values) string {
	version, _ := core.Number(in["graph_version"])
	match := ""
	for i := range subs {
		s := &subs[i]
		if s.Version != int(version) ||
			!sameNames(in["input_schema"], pinNames(registry, s.Nodes, core.UIInput)) ||
			!sameNames(in["output_schema"], pinNames(registry, s.Nodes, core.UIOutput)) {
			continue
		}
		if match != "" {
			return ""
		}
		match = s.ID
	}
	return match
}

func pinNames(registry *core.Registry, nodes []Node, ui core.UIType) []string {
	var names []string
	for _, n := range nodes {
		block, known := registry.Block(n.BlockID)
		name, _ := n.InputDefault["name"].(string)
		if known && block.Spec().UI == ui && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func sameNames(schema any, names []string) bool {
	m, _ := schema.(map[string]any)
	return slices.Equal(propertyNames(m), names)
}

// renamedModels maps ids of language models that are gone to the ones that
// took their place, so that older agents keep working.
var renamedModels = map[string]string{
	"claude-3-5-sonnet-latest":      "claude-sonnet-4-5-20250929",
	"claude-3-7-sonnet-20250219":    "claude-sonnet-4-5-20250929",
	"claude-3-5-haiku-latest":       "claude-haiku-4-5-20251001",
	"llama3-70b-8192":               "llama-3.3-70b-versatile",
	"llama3-8b-8192":                "llama-3.1-8b-instant",
	"google/gemini-flash-1.5":       "google/gemini-2.5-flash",
	"deepseek-r1-distill-llama-70b": "gpt-5-chat-latest",
	"gemma2-9b-it":                  "gpt-5-chat-latest",
	"google/gemini-3-pro-preview":   "google/gemini-3.1-pro-preview",
}

// repairModels replaces ids of language models that are gone, in the model
// fields of every node.
func repairModels(registry *core.Registry, nodes []Node) {
	for _, n := range nodes {
		block, known := registry.Block(n.BlockID)
		if !known {
			continue
		}
		for _, f := range block.Spec().Fields() {
			if _, isModel := f.Schema.Get("llm_model"); !isModel {
				continue
			}
			old, _ := n.InputDefault[f.Name].(string)
			if renamed, ok := renamedModels[old]; ok {
				n.InputDefault[f.Name] = renamed
			}
		}
	}
}
