package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"agentserver/core"
)

// A template works on these values: nil, bool, int, *big.Int (only beyond
// int), float64, string, safe, *list, *dict, undefined, *function and *loop.

// safe is text that is not escaped again.
type safe string

// list is a list, a tuple or a range.
type list struct {
	kind  string // as in messages: "list", "tuple" or "range"
	items []any
	names []string // of a tuple's items, when it has any
}

func newList(items []any) *list   { return &list{kind: "list", items: items} }
func newTuple(items ...any) *list { return &list{kind: "tuple", items: items} }
func (l *list) at(i int) any      { return l.items[i] }
func (l *list) isTuple() bool     { return l.kind == "tuple" }
func (l *list) hashable() bool    { return l.kind != "list" }
func (l *list) slice(s []any) *list {
	kind := l.kind
	if kind == "range" {
		kind = "list"
	}
	return &list{kind: kind, items: s}
}

// dict keeps its members in the order of insertion.
type dict struct {
	index map[any]int // from hashKey to place
	keys  []any
	vals  []any
}

func newDict() *dict { return &dict{index: map[any]int{}} }

func (d *dict) get(key any) (any, bool) {
	h, err := hashKey(key)
	if err != nil {
		return nil, false
	}
	i, ok := d.index[h]
	if !ok {
		return nil, false
	}
	return d.vals[i], true
}

func (d *dict) set(key, v any) error {
	h, err := hashKey(key)
	if err != nil {
		return err
	}
	if i, ok := d.index[h]; ok {
		d.vals[i] = v
		return nil
	}
	d.index[h] = len(d.keys)
	d.keys = append(d.keys, key)
	d.vals = append(d.vals, v)
	return nil
}

// remove deletes a member in time proportional to those after it.
func (d *dict) remove(key any) (any, bool) {
	v, ok := d.get(key)
	if !ok {
		return nil, false
	}
	h, _ := hashKey(key)
	at := d.index[h]
	delete(d.index, h)
	d.keys = slices.Delete(d.keys, at, at+1)
	d.vals = slices.Delete(d.vals, at, at+1)
	for k, i := range d.index {
		if i > at {
			d.index[k] = i - 1
		}
	}
	return v, true
}

func (d *dict) copy() *dict {
	c := newDict()
	for i, k := range d.keys {
		_ = c.set(k, d.vals[i]) // keys of a dict can be hashed
	}
	return c
}

func (d *dict) items() []any {
	out := make([]any, len(d.keys))
	for i, k := range d.keys {
		out[i] = newTuple(k, d.vals[i])
	}
	return out
}

// tupleKey stands for a tuple as a key, by its printed form.
type tupleKey string

// hashKey gives a comparable form in which equal keys are equal: 1, 1.0 and
// True are one key.
func hashKey(key any) (any, error) {
	switch key := key.(type) {
	case nil, string, int:
		return key, nil
	case safe:
		return string(key), nil
	case bool:
		return boolInt(key), nil
	case float64:
		if key == math.Trunc(key) && math.Abs(key) < 1<<53 {
			return int(key), nil
		}
		return key, nil
	case *big.Int:
		return tupleKey(key.String()), nil
	case *list:
		if key.hashable() {
			p := printer{limit: MaxOutput}
			p.repr(key, 0)
			return tupleKey(p.b.String()), p.err
		}
	case *function, *loop:
		return key, nil
	}
	return nil, fmt.Errorf("unhashable type: '%s'", typeName(key))
}

// undefined is what a missing variable, attribute or item gives.
type undefined struct{ message string }

func undefinedName(name string) undefined {
	return undefined{fmt.Sprintf("'%s' is undefined", name)}
}

func (u undefined) err() error { return fmt.Errorf("%s", u.message) }

// function is anything that can be called.
type function struct {
	name string
	call func(e *evaluator, args []any, kwargs map[string]any) (any, error)
}

// typeName names a value's type as Python does.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case safe:
		return "Markup"
	case *list:
		return v.kind
	case *dict:
		return "dict"
	case undefined:
		return "Undefined"
	case *loop:
		return "LoopContext"
	}
	return "function"
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int:
		return v != 0
	case *big.Int:
		return v.Sign() != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case safe:
		return v != ""
	case *list:
		return len(v.items) > 0
	case *dict:
		return len(v.keys) > 0
	}
	return true
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// textOf gives the text of a string, safe or not.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case safe:
		return string(v), true
	}
	return "", false
}

// like gives s the safety of the text it was made from.
func like(v any, s string) any {
	if _, ok := v.(safe); ok {
		return safe(s)
	}
	return s
}

// items lists what iterating over a value gives.
func (e *evaluator) items(v any) ([]any, error) {
	switch v := v.(type) {
	case *list:
		return v.items, nil
	case *dict:
		return slices.Clone(v.keys), e.charge(16 * len(v.keys))
	case undefined:
		return nil, nil
	case string, safe:
		s, _ := textOf(v)
		if err := e.charge(24 * len(s)); err != nil {
			return nil, err
		}
		out := make([]any, 0, utf8.RuneCountInString(s))
		for _, r := range s {
			out = append(out, string(r))
		}
		return out, nil
	}
	return nil, fmt.Errorf("'%s' object is not iterable", typeName(v))
}

// importValue copies a Go value into the template's world. Whole JSON numbers
// are integers; a type that JSON cannot hold is an error.
func (e *evaluator) importValue(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	switch v := v.(type) {
	case nil, bool, int, float64, string:
		return v, e.charge(16)
	case json.Number:
		if i, err := strconv.Atoi(v.String()); err == nil {
			return i, nil
		}
		return v.Float64()
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case []any:
		items := make([]any, len(v))
		for i, x := range v {
			item, err := e.importValue(x, depth+1)
			if err != nil {
				return nil, err
			}
			items[i] = item
		}
		return newList(items), e.charge(16)
	case map[string]any:
		d := newDict()
		for _, k := range slices.Sorted(maps.Keys(v)) {
			item, err := e.importValue(v[k], depth+1)
			if err != nil {
				return nil, err
			}
			_ = d.set(k, item) // text can be hashed
		}
		return d, e.charge(64 * len(v))
	}
	plain, err := plainValue(v)
	if err != nil {
		return nil, err
	}
	return e.importValue(plain, depth+1)
}

// plainValue turns any other Go value into JSON values.
func plainValue(v any) (any, error) {
	data, err := core.JSON(v)
	if err != nil {
		return nil, fmt.Errorf("a value of type %T cannot be used in a template", v)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var plain any
	if err := d.Decode(&plain); err != nil {
		return nil, fmt.Errorf("decoding a value of type %T: %w", v, err)
	}
	return plain, nil
}
