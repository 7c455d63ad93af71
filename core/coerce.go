package core

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Coerce brings a value to the type of a schema the way agents rely on: text
// becomes numbers, values become lists, JSON text becomes objects. A value
// that already has the type stays as it is. Schemas without a type, structs
// and null are left alone.
func Coerce(schema *Object, value any) (any, error) {
	if value == nil || satisfies(schema, value) {
		return value, nil
	}
	if members, ok := schema.Get("anyOf"); ok {
		return coerceUnion(members.([]any), value)
	}
	if enum, ok := schema.Get("enum"); ok {
		for _, member := range enum.([]any) {
			if equalScalar(member, value) {
				return member, nil
			}
		}
		return nil, Errorf(Invalid, "Failed to convert %s to %s", brief(value), typeName(schema))
	}
	switch schema.Text("type") {
	case "string":
		return Text(value), nil
	case "integer":
		return toInteger(schema, value)
	case "number":
		f, err := finite(schema, value)
		if err != nil {
			return nil, err
		}
		return f, nil
	case "boolean":
		return toBoolean(value), nil
	case "array":
		return toArray(schema, value)
	case "object":
		if _, isStruct := schema.Get("properties"); isStruct {
			return value, nil
		}
		return toObject(schema, value)
	}
	return value, nil
}

// coerceUnion tries the members in order; the first that converts wins.
func coerceUnion(members []any, value any) (any, error) {
	var first error
	for _, m := range members {
		member, ok := m.(*Object)
		if !ok || member.Text("type") == "null" {
			continue
		}
		v, err := Coerce(member, value)
		if err == nil {
			return v, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// satisfies reports whether the value has the schema's type already; items and
// members are looked at too.
func satisfies(s *Object, v any) bool {
	if members, ok := s.Get("anyOf"); ok {
		for _, m := range members.([]any) {
			if satisfies(m.(*Object), v) {
				return true
			}
		}
		return false
	}
	if enum, ok := s.Get("enum"); ok {
		for _, member := range enum.([]any) {
			if member == v {
				return true
			}
		}
		return false
	}
	switch s.Text("type") {
	case "":
		return true
	case "null":
		return v == nil
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "integer":
		if _, isBool := v.(bool); isBool {
			return true // a flag counts as 0 or 1, and stays what it is
		}
		_, ok := integer(v)
		return ok
	case "number":
		_, ok := Number(v)
		return ok
	case "array":
		list, ok := v.([]any)
		if !ok {
			return false
		}
		items := s.Object("items")
		for _, x := range list {
			if items != nil && !satisfies(items, x) {
				return false
			}
		}
		return true
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		values := s.Object("additionalProperties")
		for _, x := range m {
			if values != nil && !satisfies(values, x) {
				return false
			}
		}
		return true
	}
	return true
}

// integer gives a whole number of Go type int; floats are not integers here.
func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	}
	return 0, false
}

func toInteger(schema *Object, v any) (any, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	f, err := finite(schema, v)
	if err != nil {
		return nil, err
	}
	f = math.Trunc(f)
	if math.Abs(f) >= 1<<62 {
		return f, nil
	}
	return int(f), nil
}

// finite is toNumber without infinity and NaN, which have no JSON form and could
// not be stored.
func finite(schema *Object, v any) (float64, error) {
	f := toNumber(v)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, Errorf(Invalid, "Failed to convert %s to %s", brief(v), schema.Text("type"))
	}
	return f, nil
}

// toNumber gives a list's or object's length, a flag's 0 or 1, a text's number,
// and 0 for what is not a number.
func toNumber(v any) float64 {
	switch v := v.(type) {
	case []any:
		return float64(len(v))
	case map[string]any:
		return float64(len(v))
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(v), "_", ""), 64)
		if err != nil && !math.IsInf(f, 0) {
			return 0
		}
		return f
	}
	f, _ := Number(v)
	return f
}

func toBoolean(v any) bool {
	if s, ok := v.(string); ok {
		return strings.EqualFold(s, "true") || s == "1"
	}
	return Truthy(v)
}

func toArray(schema *Object, v any) (any, error) {
	var list []any
	switch v := v.(type) {
	case []any:
		list = v
	case map[string]any:
		for _, k := range SortedKeys(v) {
			list = append(list, []any{k, v[k]})
		}
	case string:
		list = []any{v}
		trimmed := strings.TrimSpace(v)
		if strings.HasPrefix(trimmed, "[") && strings.HasSuffix(trimmed, "]") {
			if parsed, err := DecodeJSON([]byte(trimmed)); err == nil {
				list = parsed.([]any)
			}
		}
	default:
		list = []any{v}
	}
	items := schema.Object("items")
	out := make([]any, len(list))
	for i, x := range list {
		out[i] = x
		if items == nil {
			continue
		}
		var err error
		if out[i], err = Coerce(items, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func toObject(schema *Object, v any) (any, error) {
	m := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		m = v
	case []any:
		for i, x := range v {
			m[strconv.Itoa(i)] = x
		}
	case string:
		m["value"] = v
		if parsed, err := DecodeJSON([]byte(v)); err == nil {
			if obj, ok := parsed.(map[string]any); ok {
				m = obj
			} else {
				m["value"] = parsed
			}
		}
	default:
		m["value"] = v
	}
	values := schema.Object("additionalProperties")
	if values == nil {
		return m, nil
	}
	out := make(map[string]any, len(m))
	for k, x := range m {
		var err error
		if out[k], err = Coerce(values, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func equalScalar(a, b any) bool {
	if x, ok := Number(a); ok {
		y, ok := Number(b)
		return ok && x == y
	}
	switch b.(type) {
	case string, bool, nil:
		return a == b
	}
	return false
}

func typeName(s *Object) string {
	if t := s.Text("title"); t != "" {
		return t
	}
	return s.Text("type")
}

// brief is a value in a message, cut to a readable length.
func brief(v any) string {
	var s string
	if text, ok := v.(string); ok {
		s = "'" + text + "'"
	} else {
		s = Text(v)
	}
	const limit = 200
	if len(s) > limit {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(s[:limit], ""), len(s))
	}
	return s
}
