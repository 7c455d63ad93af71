package core

import (
	"strconv"
	"strings"
)

// A pin name may carry a path into its value: "list_$_0" is an element,
// "map_#_key" a member, "obj_@_attr" an attribute. The part before the first
// delimiter is the base name.
const (
	delimIndex = "_$_"
	delimKey   = "_#_"
	delimAttr  = "_@_"
)

// Tool pins of blocks that call tools: "tools" or "tools_^_<node>_~_<pin>".
const (
	ToolPin       = "tools"
	toolPinPrefix = "tools_^_"
	toolPinField  = "_~_"
)

// IsToolPin reports whether the name is a tool pin.
func IsToolPin(name string) bool {
	return name == ToolPin || strings.HasPrefix(name, toolPinPrefix)
}

// ToolPinName is the pin on which a tool call for a node's input is emitted.
func ToolPinName(nodeID, pin string) string { return toolPinPrefix + nodeID + toolPinField + pin }

// BasePin gives the name of the declared field that a pin name belongs to.
func BasePin(name string) string {
	if IsToolPin(name) {
		return ToolPin
	}
	if i := nextDelim(name); i >= 0 {
		return name[:i]
	}
	return name
}

// nextDelim gives the place of the first delimiter, or -1.
func nextDelim(s string) int {
	first := -1
	for _, d := range []string{delimIndex, delimKey, delimAttr} {
		if i := strings.Index(s, d); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	return first
}

// pathStep is one hop into a value.
type pathStep struct {
	delim string
	name  string
}

// maxPinSteps bounds the hops of one pin name.
const maxPinSteps = 64

// parsePath reads "(delimiter, name)+"; every name must be non-empty.
func parsePath(s string) ([]pathStep, bool) {
	var steps []pathStep
	for s != "" {
		if nextDelim(s) != 0 || len(steps) == maxPinSteps {
			return nil, false
		}
		delim, rest := s[:len(delimIndex)], s[len(delimIndex):]
		end := nextDelim(rest)
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, false
		}
		steps = append(steps, pathStep{delim, rest[:end]})
		s = rest[end:]
	}
	return steps, len(steps) > 0
}

// SelectOutput gives the value that an emission of pin name delivers over a
// link that starts at source and ends at pin sinkPin of node sinkNode. The
// second result is false when the link does not fire.
func SelectOutput(name string, value any, source, sinkNode, sinkPin string) (any, bool) {
	if IsToolPin(source) && strings.HasPrefix(name, toolPinPrefix) {
		node, pin, ok := strings.Cut(strings.TrimPrefix(name, toolPinPrefix), toolPinField)
		return value, ok && node == sinkNode && pin == sinkPin
	}
	if source == name {
		return value, true
	}
	if !strings.HasPrefix(source, name) {
		return nil, false
	}
	steps, ok := parsePath(source[len(name):])
	if !ok {
		return nil, false
	}
	for _, step := range steps {
		if value, ok = descend(value, step); !ok {
			return nil, false
		}
	}
	return value, value != nil
}

func descend(value any, step pathStep) (any, bool) {
	switch step.delim {
	case delimIndex:
		list, ok := value.([]any)
		i, err := strconv.Atoi(step.name)
		if !ok || err != nil || i >= len(list) || i < -len(list) {
			return nil, false
		}
		if i < 0 {
			i += len(list)
		}
		return list[i], true
	default:
		m, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		v, ok := m[step.name]
		return v, ok
	}
}

// MergePins builds the declared inputs from pins whose names carry paths. It
// walks the keys in the order given: a plain key sets its value, a path key
// assigns into the value of its base. Keys with paths stay in the result beside
// the value they built. Values of data are not changed.
func MergePins(keys []string, data Values) (Values, error) {
	merged := Values{}
	room := maxPadding
	for _, key := range keys {
		base := BasePin(key)
		if base == key || IsToolPin(key) {
			merged[key] = data[key]
			continue
		}
		steps, ok := parsePath(key[len(base):])
		if !ok {
			merged[key] = data[key]
			continue
		}
		v, err := assignPath(merged[base], steps, data[key], &room)
		if err != nil {
			return nil, err
		}
		merged[base] = v
	}
	out := data.Clone()
	for k, v := range merged {
		out[k] = v
	}
	return out, nil
}

// maxPadding bounds the empty entries that one merge adds to lists: a graph
// chooses the indexes of its pins freely, and a list is padded up to them.
const maxPadding = 100_000

// assignPath gives a copy of container with value set at the end of the path.
// Padding takes from room.
func assignPath(container any, steps []pathStep, value any, room *int) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	step := steps[0]
	if step.delim == delimIndex {
		i, err := strconv.Atoi(step.name)
		if err != nil {
			return nil, Errorf(Invalid, "index must be an integer")
		}
		list := asList(container)
		if i < 0 {
			i += len(list)
		}
		if i < 0 || i-len(list) > *room {
			return nil, Errorf(Invalid, "index %s is out of range", step.name)
		}
		*room -= max(i-len(list), 0)
		for len(list) <= i {
			list = append(list, nil)
		}
		if list[i], err = assignPath(list[i], steps[1:], value, room); err != nil {
			return nil, err
		}
		return list, nil
	}
	m := map[string]any{}
	if old, ok := container.(map[string]any); ok {
		for k, v := range old {
			m[k] = v
		}
	}
	v, err := assignPath(m[step.name], steps[1:], value, room)
	if err != nil {
		return nil, err
	}
	m[step.name] = v
	return m, nil
}

// asList gives a new list with the old value's items.
func asList(v any) []any {
	switch v := v.(type) {
	case []any:
		return append([]any(nil), v...)
	case string:
		list := []any{}
		for _, r := range v {
			list = append(list, string(r))
		}
		return list
	case map[string]any:
		list := []any{}
		for _, k := range SortedKeys(v) {
			list = append(list, k)
		}
		return list
	}
	return nil
}
