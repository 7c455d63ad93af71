package graph

import (
	"encoding/json"

	"agentserver/core"
)

// derive computes the members of a graph's answer that come from its nodes.
func derive(registry *core.Registry, nodes []Node) Derived {
	in, out := newIOSchema(), newIOSchema()
	var d Derived
	for i := range nodes {
		node := &nodes[i]
		block, known := registry.Block(node.BlockID)
		if !known {
			continue
		}
		spec := block.Spec()
		switch spec.UI {
		case core.UIInput:
			in.add(spec, node)
		case core.UIOutput:
			out.add(spec, node)
		case core.UIWebhook, core.UIWebhookManual:
			d.HasExternalTrigger = true
			if d.TriggerSetupInfo == nil && spec.Webhook != nil {
				d.TriggerSetupInfo = triggerInfo(spec)
			}
		case core.UIHumanInLoop:
			d.HasHumanInTheLoop = true
		}
		d.HasSensitiveAction = d.HasSensitiveAction || spec.Sensitive
	}
	d.InputSchema, d.OutputSchema = in.json(), out.json()
	return d
}

// ioSchema collects the properties of a graph's inputs or outputs.
type ioSchema struct {
	properties *core.Object
	required   []string
}

func newIOSchema() *ioSchema { return &ioSchema{properties: core.NewObject(), required: []string{}} }

func (s *ioSchema) json() json.RawMessage {
	return encode(core.NewObject("type", "object", "properties", s.properties, "required", s.required))
}

// add makes the property of one input or output node. A node without a name
// has none.
func (s *ioSchema) add(spec *core.BlockSpec, node *Node) {
	name, _ := node.InputDefault["name"].(string)
	field, ok := spec.Field("value")
	if name == "" || !ok {
		return
	}
	p := field.Schema.Clone()
	p.Delete("description")
	p.Delete("default")
	p.Delete("placeholder")
	value, given := node.InputDefault["value"]
	if !given {
		value = field.Default
	}
	flag := func(key string) bool { v, _ := node.InputDefault[key].(bool); return v }
	text := func(key string) string { v, _ := node.InputDefault[key].(string); return v }
	p.Set("secret", flag("secret"))
	p.Set("advanced", flag("advanced") && value != nil)
	p.Set("title", name)
	if title := text("title"); title != "" {
		p.Set("title", title)
	}
	if custom, ok := spec.ValueSchema(node.InputDefault); ok {
		for _, key := range custom.Keys() {
			v, _ := custom.Get(key)
			p.Set(key, v)
		}
	}
	if description := text("description"); description != "" {
		p.Set("description", description)
	}
	if value != nil {
		p.Set("default", value)
	} else {
		s.required = append(s.required, name)
	}
	s.properties.Set(name, p)
}

// triggerInfo describes the form that sets up a trigger: its inputs without
// credentials.
func triggerInfo(spec *core.BlockSpec) *TriggerInfo {
	info := &TriggerInfo{Provider: spec.Webhook.Provider}
	schema := spec.Input.Clone()
	props := schema.Object("properties")
	required := []any{}
	for _, f := range spec.Fields() {
		if f.Credentials != nil {
			props.Delete(f.Name)
			if info.CredentialsInputName == nil {
				info.CredentialsInputName = &f.Name
			}
			continue
		}
		if f.Required {
			required = append(required, f.Name)
		}
	}
	schema.Delete("required")
	if len(required) > 0 {
		schema.Set("required", required)
	}
	info.ConfigSchema = encode(schema)
	return info
}

// encode writes values that are known to have a JSON form.
func encode(v any) json.RawMessage {
	data, err := core.JSON(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}
