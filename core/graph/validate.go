package graph

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"agentserver/core"
)

// NodeErrors are faults by node id and input name.
type NodeErrors map[string]map[string]string

// Add records a fault; the first one of an input stays.
func (e NodeErrors) Add(node, field, message string) {
	if e[node] == nil {
		e[node] = map[string]string{}
	}
	if _, known := e[node][field]; !known {
		e[node][field] = message
	}
}

// Merge takes over the faults of another set.
func (e NodeErrors) Merge(other NodeErrors) {
	for node, fields := range other {
		for field, message := range fields {
			e.Add(node, field, message)
		}
	}
}

// Err gives nil, or the error that a run is refused with. The web client reads
// its detail.
func (e NodeErrors) Err() error {
	if len(e) == 0 {
		return nil
	}
	issues := 0
	for _, fields := range e {
		issues += len(fields)
	}
	message := fmt.Sprintf("Graph validation failed: %d issues on %d nodes", issues, len(e))
	return &core.Error{Kind: core.Invalid, Message: message, Plain: true, Detail: map[string]any{
		"type": "validation_error", "message": message, "node_errors": e,
	}}
}

const fieldRequired = "This field is required"

// Validator checks graphs against the blocks of a registry.
type Validator struct{ Registry *core.Registry }

// Structure checks that every link joins pins that exist and that every node
// has a usable block. It also marks links from static outputs as static. The
// first fault is the error.
func (v Validator) Structure(nodes []Node, links []Link) error {
	byID := map[string]*Node{}
	ids := make([]string, 0, len(nodes))
	for i := range nodes {
		if _, twice := byID[nodes[i].ID]; twice {
			return core.Errorf(core.Invalid, "node id %s is used twice", nodes[i].ID)
		}
		byID[nodes[i].ID] = &nodes[i]
		ids = append(ids, nodes[i].ID)
	}
	for i := range links {
		if err := v.link(&links[i], byID, ids); err != nil {
			return err
		}
	}
	for _, n := range nodes {
		block, known := v.Registry.Block(n.BlockID)
		if !known {
			return core.Errorf(core.Invalid, "Invalid block %s for node #%s: %s", n.BlockID, n.ID, v.Registry.Unknown(n.BlockID))
		}
		if reason := v.Registry.Disabled(block); reason != "" {
			return core.Errorf(core.Invalid, "Block %s is disabled and cannot be used in graphs: %s", n.BlockID, reason)
		}
	}
	return nil
}

func (v Validator) link(l *Link, nodes map[string]*Node, ids []string) error {
	where := fmt.Sprintf("Link ('%s', '%s') <-> ('%s', '%s')", l.SourceID, l.SourceName, l.SinkID, l.SinkName)
	for _, end := range []struct {
		node, pin string
		source    bool
	}{{l.SourceID, l.SourceName, true}, {l.SinkID, l.SinkName, false}} {
		node := nodes[end.node]
		if node == nil {
			return core.Errorf(core.Invalid, "%s, %s is invalid node id, available nodes: %s", where, end.node, strings.Join(ids, ", "))
		}
		block, known := v.Registry.Block(node.BlockID)
		if !known {
			return core.Errorf(core.Invalid, "%s, %s is invalid block id: %s", where, node.BlockID, v.Registry.Unknown(node.BlockID))
		}
		pins := PinsOf(block.Spec(), node)
		allowed := pins.Inputs()
		if end.source {
			allowed = pins.Outputs()
			l.IsStatic = l.IsStatic || block.Spec().Static
		}
		if !core.IsToolPin(end.pin) && !slices.Contains(allowed, core.BasePin(end.pin)) && !slices.Contains(allowed, end.pin) {
			return core.Errorf(core.Invalid, "%s, `%s` invalid, Allowed fields: %s", where, end.pin, strings.Join(allowed, ", "))
		}
	}
	return nil
}

// Nodes checks the inputs of every node. For a run, every block's required
// inputs must be given; to be saved, only those of inputs, outputs and agents.
// Masks are values laid over the nodes' own.
func (v Validator) Nodes(g *Version, run bool, masks map[string]core.Values) NodeErrors {
	faults := NodeErrors{}
	for i := range g.Nodes {
		node := &g.Nodes[i]
		block, known := v.Registry.Block(node.BlockID)
		if known {
			v.node(g, node, block.Spec(), run, masks[node.ID], faults)
		}
	}
	return faults
}

func (v Validator) node(g *Version, node *Node, spec *core.BlockSpec, run bool, mask core.Values, faults NodeErrors) {
	provided := map[string]bool{}
	for _, values := range []core.Values{node.InputDefault, mask} {
		for name := range values {
			provided[core.BasePin(name)] = true
		}
	}
	linked := map[string]bool{}
	for _, l := range g.Inbound(node.ID) {
		for _, name := range []string{core.BasePin(l.SinkName), l.SinkName} {
			linked[name], provided[name] = true, true
		}
	}
	strict := run || spec.UI == core.UIInput || spec.UI == core.UIOutput || spec.UI == core.UIAgent
	for _, f := range spec.Fields() {
		if strict && f.Required && f.Credentials == nil && !provided[f.Name] {
			faults.Add(node.ID, f.Name, fieldRequired)
		}
		if missing := v.missingDependencies(node, spec, f, run, mask, linked); len(missing) > 0 {
			faults.Add(node.ID, f.Name, "Requires "+strings.Join(missing, ", ")+" to be set")
		}
	}
	if spec.UI == core.UIInput {
		if name, _ := node.InputDefault["name"].(string); core.IsCredentialsName(name) {
			faults.Add(node.ID, "name", fmt.Sprintf("'%s' is a reserved input name: 'credentials' and `*_credentials` are reserved", name))
		}
	}
	if pins := PinsOf(spec, node); run && pins.IsAgent() {
		defaults := pins.Defaults()
		for _, name := range pins.AgentRequired() {
			if _, given := defaults[name]; !given && !provided[name] && !core.IsCredentialsName(name) {
				faults.Add(node.ID, name, fieldRequired)
			}
		}
	}
}

// missingDependencies names the inputs that f needs and that have no value,
// while f has one or is required.
func (v Validator) missingDependencies(node *Node, spec *core.BlockSpec, f *core.InputField, run bool, mask core.Values, linked map[string]bool) []string {
	var needs []string
	if run {
		needs = f.Dependencies
	}
	if f.Credentials != nil && f.Credentials.Discriminator != "" {
		needs = append(needs[:len(needs):len(needs)], f.Credentials.Discriminator)
	}
	if len(needs) == 0 || !f.Required && !hasValue(node, f, mask) {
		return nil
	}
	var missing []string
	for _, name := range needs {
		other, ok := spec.Field(name)
		if ok && !linked[name] && !hasValue(node, other, mask) && !other.Required {
			missing = append(missing, name)
		}
	}
	sort.Strings(missing)
	return missing
}

func hasValue(node *Node, f *core.InputField, mask core.Values) bool {
	for _, v := range []any{node.InputDefault[f.Name], mask[f.Name]} {
		if s, isText := v.(string); v != nil && (!isText || strings.TrimSpace(s) != "") {
			return true
		}
	}
	return f.Default != nil
}

// firstError is the fault that saving is refused with.
func (e NodeErrors) firstError(g *Version) error {
	for _, n := range g.Nodes {
		for _, field := range core.SortedKeys(e[n.ID]) {
			return core.Errorf(core.Invalid, "Node #%s, input '%s': %s", n.ID, field, e[n.ID][field])
		}
	}
	return nil
}
