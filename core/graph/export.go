package graph

import (
	"maps"
	"strings"

	"agentserver/core"
)

// secretWords mark input names whose values do not leave in an export.
var secretWords = []string{"credentials", "api_key", "apikey", "password", "token", "secret", "authorization"}

// harmlessWords are names with such a word that hold no secret.
var harmlessWords = map[string]bool{
	"max_tokens": true, "chunk_max_tokens": true, "max_output_tokens": true, "tokens_num": true, "return_tokens": true,
}

// stripSecrets removes what must not leave with an export from a node's
// inputs: values of secret fields and anything named like a secret.
func stripSecrets(registry *core.Registry, n Node) Node {
	secret := map[string]bool{}
	isInput := false
	if block, known := registry.Block(n.BlockID); known {
		for _, f := range block.Spec().Fields() {
			if flag, _ := f.Schema.Get("secret"); flag == true {
				secret[f.Name] = true
			}
		}
		isInput = block.Spec().UI == core.UIInput
	}
	clean, _ := stripValue(map[string]any(n.InputDefault), secret).(map[string]any)
	if n.BlockID == AgentBlockID {
		stripAgent(clean, n.InputDefault)
	}
	if hidden, _ := clean["secret"].(bool); isInput && hidden {
		delete(clean, "value")
	}
	n.InputDefault = clean
	return n
}

// stripAgent removes the values of a nested agent's secret inputs: those that
// the node gives, and the agent's own, which its schema shows as defaults. The
// schemas stay otherwise: they are the pins of the node, whatever their names.
func stripAgent(clean map[string]any, in core.Values) {
	clean["user_id"] = ""
	for _, name := range []string{"input_schema", "output_schema"} {
		schema, ok := in[name].(map[string]any)
		if !ok {
			continue
		}
		props, _ := schema["properties"].(map[string]any)
		kept := make(map[string]any, len(props))
		for pin, p := range props {
			member, _ := p.(map[string]any)
			hidden, _ := member["secret"].(bool)
			if member != nil && (hidden || namesSecret(pin)) {
				p = without(member, "default")
			}
			if inputs, _ := clean["inputs"].(map[string]any); hidden {
				delete(inputs, pin)
				delete(clean, pin)
			}
			kept[pin] = p
		}
		schema = maps.Clone(schema)
		if props != nil {
			schema["properties"] = kept
		}
		clean[name] = schema
	}
}

func without(m map[string]any, key string) map[string]any {
	m = maps.Clone(m)
	delete(m, key)
	return m
}

func stripValue(v any, secret map[string]bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			if _, isFlag := x.(bool); !secret[k] && (isFlag || !namesSecret(k)) {
				out[k] = stripValue(x, nil)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = stripValue(x, nil)
		}
		return out
	}
	return v
}

func namesSecret(name string) bool {
	lower := strings.ToLower(name)
	if harmlessWords[lower] {
		return false
	}
	for _, word := range secretWords {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// uniqueLinks drops links that join the same pins twice.
func uniqueLinks(links []Link) []Link {
	type ends struct{ source, sink, sourcePin, sinkPin string }
	seen := map[ends]bool{}
	out := []Link{}
	for _, l := range links {
		key := ends{l.SourceID, l.SinkID, l.SourceName, l.SinkName}
		if !seen[key] {
			seen[key] = true
			out = append(out, l)
		}
	}
	return out
}
