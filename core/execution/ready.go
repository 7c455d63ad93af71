package execution

import (
	"fmt"
	"sort"
	"strings"

	"agentserver/core"
	"agentserver/core/graph"
)

// pin is a received input.
type pin struct {
	Name  string `json:"n"`
	Value any    `json:"v"`
}

// nodePlan is what the engine knows of a node before it runs.
type nodePlan struct {
	node  *graph.Node
	block core.Block
	spec  *core.BlockSpec
	pins  graph.Pins
	in    []graph.Link
	out   []graph.Link
	// defaults are the keys of the node's own values in the order in which
	// they are merged: shorter names first, so that plain pins come before
	// the paths into them.
	defaults []string
	values   core.Values
	mask     core.Values
}

func newPlan(node *graph.Node, block core.Block, in, out []graph.Link, mask core.Values) *nodePlan {
	p := &nodePlan{node: node, block: block, spec: block.Spec(), in: in, out: out, mask: mask}
	p.pins = graph.PinsOf(p.spec, node)
	p.values = p.pins.Defaults()
	p.defaults = core.SortedKeys(p.values)
	sort.SliceStable(p.defaults, func(i, j int) bool { return len(p.defaults[i]) < len(p.defaults[j]) })
	return p
}

// prepare builds a node's inputs from the pins it received, its own values and
// its mask. When they are not ready, the error says what is missing.
func (p *nodePlan) prepare(received []pin, dryRun bool) (core.Values, error) {
	if missing := p.unpopulated(received); len(missing) > 0 {
		return nil, p.notReady("unpopulated links {%s}", quoted(missing))
	}
	data := core.Values{}
	keys := append([]string(nil), p.defaults...)
	for _, k := range p.defaults {
		data[k] = p.values[k]
	}
	set := func(name string, value any) {
		if _, known := data[name]; !known {
			keys = append(keys, name)
		}
		data[name] = value
	}
	for _, x := range received {
		set(x.Name, x.Value)
	}
	for _, name := range core.SortedKeys(p.mask) {
		set(name, p.mask[name])
	}
	merged, err := core.MergePins(keys, data)
	if err != nil {
		return nil, p.notReady("%s", err)
	}
	return p.check(merged, dryRun)
}

// check coerces inputs and holds them to the schema.
func (p *nodePlan) check(in core.Values, dryRun bool) (core.Values, error) {
	if p.pins.IsAgent() {
		return p.checkAgent(in, dryRun)
	}
	in, err := p.spec.Coerce(in)
	if err != nil {
		return nil, p.notReady("%s", err)
	}
	if dryRun {
		return in, nil
	}
	if missing := p.spec.Missing(in); len(missing) > 0 {
		return nil, p.notReady("missing input {%s}", quoted(missing))
	}
	if err := p.spec.ValidateInput(in); err != nil {
		return nil, p.notReady("%s", err)
	}
	return in, nil
}

// checkAgent holds the inputs of an agent node to the inputs of its agent.
func (p *nodePlan) checkAgent(in core.Values, dryRun bool) (core.Values, error) {
	if dryRun {
		return in, nil
	}
	var missing []string
	for _, name := range p.pins.AgentRequired() {
		if _, given := in[name]; !given {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, p.notReady("missing input {%s}", quoted(missing))
	}
	return in, nil
}

// unpopulated names linked pins that have received nothing. A default never
// stands in for a link.
func (p *nodePlan) unpopulated(received []pin) []string {
	var missing []string
	for _, l := range p.in {
		if !has(received, l.SinkName) && p.mask[l.SinkName] == nil && !listed(missing, l.SinkName) {
			missing = append(missing, l.SinkName)
		}
	}
	return missing
}

func (p *nodePlan) notReady(format string, args ...any) error {
	return core.Errorf(core.Invalid, "Input data missing or mismatch for `%s`: %s", p.spec.Name, fmt.Sprintf(format, args...))
}

func has(pins []pin, name string) bool {
	for i := range pins {
		if pins[i].Name == name {
			return true
		}
	}
	return false
}

func listed(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = "'" + n + "'"
	}
	return strings.Join(list, ", ")
}
