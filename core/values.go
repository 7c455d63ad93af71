package core

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// Values are a node's inputs by pin name: plain JSON values, with numbers as
// float64, int or json.Number.
type Values map[string]any

// Clone copies the map, not the values.
func (v Values) Clone() Values {
	c := make(Values, len(v))
	for k, x := range v {
		c[k] = x
	}
	return c
}

// Plain turns a Go value into plain JSON values (maps, slices, strings,
// numbers, booleans and nil), the form in which outputs travel between nodes.
// Whole numbers become int where they fit.
func Plain(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, int:
		return v, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil // JSON has no form for them
		}
		return v, nil
	}
	return viaJSON(v)
}

// viaJSON gives the plain value that v's JSON form stands for.
func viaJSON(v any) (any, error) {
	data, err := JSON(v)
	if err != nil {
		return nil, err
	}
	if tooDeep(data) {
		return nil, Errorf(Invalid, "the value is nested deeper than %d levels", maxDepth)
	}
	return DecodeJSON(data)
}

// maxDepth bounds how deep values nest. Readers of JSON have bounds of their
// own, a little higher: what is stored must stay readable.
const maxDepth = 1000

func tooDeep(data []byte) bool { return deeperThan(data, maxDepth) }

// deeperThan reports whether JSON nests deeper than a number of levels.
func deeperThan(data []byte, levels int) bool {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > levels {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// DecodeJSON reads one JSON value. Whole numbers without a fraction or exponent
// become int where they fit, other numbers float64, so that 5 stays 5 and 5.0
// stays a float in text. Numbers beyond the range of float64 become its largest.
func DecodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, Errorf(Invalid, "text after the JSON value")
	}
	return numbers(v), nil
}

// maxObjectDepth leaves room below maxDepth for what an object is put into, such
// as a node's inputs.
const maxObjectDepth = maxDepth - 10

// DecodeObject reads the JSON object that came from outside, such as the body of
// a webhook's delivery, with numbers as [DecodeJSON] gives them. Errors are of
// kind Invalid and speak of "the body".
func DecodeObject(data []byte) (map[string]any, error) {
	v, err := DecodeBody(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, Errorf(Invalid, "the body must be a JSON object, not %s", kindName(v))
	}
	return o, nil
}

// DecodeBody is [DecodeObject] for any JSON value.
func DecodeBody(data []byte) (any, error) {
	if !json.Valid(data) {
		return nil, Errorf(Invalid, "the body is not valid JSON")
	}
	if deeperThan(data, maxObjectDepth) {
		return nil, Errorf(Invalid, "the body is nested deeper than %d levels", maxObjectDepth)
	}
	v, err := DecodeJSON(data)
	if err != nil {
		return nil, Errorf(Invalid, "the body is not valid JSON: %w", err)
	}
	return v, nil
}

// numbers replaces json.Number in a decoded value, in place.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.Atoi(v.String()); err == nil {
			return i
		}
		f, _ := v.Float64()
		return min(max(f, -math.MaxFloat64), math.MaxFloat64)
	case map[string]any:
		for k, x := range v {
			v[k] = numbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = numbers(x)
		}
	}
	return v
}

// Numbers converts json.Number values inside v to int or float64, in place,
// and gives the result.
func Numbers(v any) any { return numbers(v) }

// Truthy is the truth of a value as templates and conditions see it: nil,
// false, zero, and empty text, lists and objects are false.
func Truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	if f, ok := Number(v); ok {
		return f != 0
	}
	return true
}

// Number gives the numeric value of a Go number; booleans are not numbers.
func Number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case int32:
		return float64(v), true
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// kindName names a value's JSON type, for messages.
func kindName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any, *Object:
		return "object"
	}
	if _, ok := Number(v); ok {
		return "number"
	}
	return "value"
}

// UnmarshalJSON reads an object with numbers as [DecodeJSON] gives them.
func (v *Values) UnmarshalJSON(data []byte) error {
	x, err := DecodeJSON(data)
	if err != nil {
		return err
	}
	if x == nil {
		*v = nil
		return nil
	}
	m, ok := x.(map[string]any)
	if !ok {
		return Errorf(Invalid, "an object is expected, got %s", kindName(x))
	}
	*v = m
	return nil
}
