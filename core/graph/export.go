package graph

import (
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
		clean["user_id"] = ""
		stripAgentInputs(clean)
	}
	if hidden, _ := clean["secret"].(bool); isInput && hidden {
		delete(clean, "value")
	}
	n.InputDefault = clean
	return n
}

// stripAgentInputs removes the values of a nested agent's secret inputs: those
// that the node gives, and the agent's own, which its schema shows as defaults.
func stripAgentInputs(in map[string]any) {
	schema, _ := in["input_schema"].(map[string]any)
	props, _ := schema["properties"].(map[string]any)
	inputs, _ := in["inputs"].(map[string]any)
	for name, p := range props {
		p, _ := p.(map[string]any)
		if hidden, _ := p["secret"].(bool); hidden {
			delete(p, "default")
			delete(inputs, name)
			delete(in, name)
		}
	}
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
