package graph

import (
	"agentserver/core"
)

// Pins are the inputs and outputs of a node: those of its block, or those of
// the agent that an agent node runs.
type Pins struct {
	Spec *core.BlockSpec
	node *Node
}

// PinsOf gives the pins of a node of a block.
func PinsOf(spec *core.BlockSpec, node *Node) Pins { return Pins{spec, node} }

// IsAgent reports whether the node runs another agent.
func (p Pins) IsAgent() bool { return p.Spec.UI == core.UIAgent }

// schemaMember gives a JSON schema kept in the node's own inputs.
func (p Pins) schemaMember(name string) map[string]any {
	m, _ := p.node.InputDefault[name].(map[string]any)
	return m
}

// Inputs names the pins that links may end at.
func (p Pins) Inputs() []string {
	if p.IsAgent() {
		return propertyNames(p.schemaMember("input_schema"))
	}
	var names []string
	for _, f := range p.Spec.Fields() {
		names = append(names, f.Name)
	}
	return names
}

// Outputs names the pins that links may start at.
func (p Pins) Outputs() []string {
	if p.IsAgent() {
		return append(propertyNames(p.schemaMember("output_schema")), "error")
	}
	return p.Spec.OutputNames()
}

// AgentRequired names the inputs that the agent of an agent node requires.
func (p Pins) AgentRequired() []string {
	list, _ := p.schemaMember("input_schema")["required"].([]any)
	var names []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			names = append(names, s)
		}
	}
	return names
}

// Defaults are the values that apply where no link delivers one.
func (p Pins) Defaults() core.Values {
	if p.IsAgent() {
		inputs, _ := p.node.InputDefault["inputs"].(map[string]any)
		return inputs
	}
	return p.node.InputDefault
}

func propertyNames(schema map[string]any) []string {
	props, _ := schema["properties"].(map[string]any)
	return core.SortedKeys(props)
}
