package template

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"unicode/utf8"
)

// filterSpec is a filter: its parameters after the value, and what it does. A
// filter with rest as its parameters gets [args, kwargs].
type filterSpec struct {
	params signature
	call   func(e *evaluator, v any, args []any) (any, error)
}

var filters map[string]filterSpec

// The filters that take filters by name refer back to the table, hence init.
func init() {
	filters = map[string]filterSpec{}
	for _, group := range []map[string]filterSpec{textFilters, htmlFilters, numberFilters, listFilters, groupFilters, selectFilters} {
		for name, f := range group {
			filters[name] = f
		}
	}
	for alias, name := range map[string]string{"d": "default", "e": "escape", "count": "length"} {
		filters[alias] = filters[name]
	}
}

// filter applies a filter by name.
func (e *evaluator) filter(name string, v any, args []any, kwargs map[string]any) (any, error) {
	f, ok := filters[name]
	if !ok {
		return nil, fmt.Errorf("No filter named '%s'.", name)
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	if len(f.params) > 0 && f.params[0] == "*" {
		return f.call(e, v, []any{args, kwargs})
	}
	bound, err := f.params.bind(name+"()", args, kwargs)
	if err != nil {
		return nil, err
	}
	return f.call(e, v, bound)
}

var listFilters = map[string]filterSpec{
	"default": {signature{"default_value", "", "boolean", false}, func(_ *evaluator, v any, a []any) (any, error) {
		if _, isUndefined := v.(undefined); isUndefined || truthy(a[1]) && !truthy(v) {
			return a[0], nil
		}
		return v, nil
	}},
	"length": {nil, func(_ *evaluator, v any, _ []any) (any, error) {
		switch v := v.(type) {
		case *list:
			return len(v.items), nil
		case *dict:
			return len(v.keys), nil
		case undefined:
			return 0, nil
		}
		if s, ok := textOf(v); ok {
			return utf8.RuneCountInString(s), nil
		}
		return nil, fmt.Errorf("object of type '%s' has no len()", typeName(v))
	}},
	"list": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		items, err := e.items(v)
		return newList(slices.Clone(items)), anyError(err, e.charge(16*len(items)))
	}},
	"items": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		switch v := v.(type) {
		case *dict:
			return newList(v.items()), e.charge(64 * len(v.keys))
		case undefined:
			return newList(nil), nil
		}
		return nil, fmt.Errorf("Can only get item pairs from a mapping.")
	}},
	"first": {nil, func(e *evaluator, v any, _ []any) (any, error) { return e.pick(v, "first", func(int) int { return 0 }) }},
	"last": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		return e.pick(v, "last", func(n int) int { return n - 1 })
	}},
	"random": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		return e.pick(v, "random", rand.IntN) // #nosec G404 -- a template's choice guards nothing
	}},
	"reverse": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		items = slices.Clone(items)
		slices.Reverse(items)
		if _, isText := textOf(v); isText {
			joined, err := e.join(items, "")
			s, _ := textOf(joined)
			return like(v, s), err
		}
		return newList(items), e.charge(16 * len(items))
	}},
	"join": {signature{"d", "", "attribute", nil}, func(e *evaluator, v any, a []any) (any, error) {
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		if a[1] != nil {
			if items, err = e.each(items, func(x any) (any, error) { return e.path(x, a[1], nil) }); err != nil {
				return nil, err
			}
		}
		return e.join(items, a[0])
	}},
	"batch": {signature{"linecount", required, "fill_with", nil}, func(e *evaluator, v any, a []any) (any, error) {
		items, size, err := e.pieces(v, a[0])
		if err != nil {
			return nil, err
		}
		var out []any
		for chunk := range slices.Chunk(items, size) {
			row := slices.Clone(chunk)
			for a[1] != nil && len(row) < size {
				row = append(row, a[1])
			}
			out = append(out, newList(row))
		}
		return newList(out), e.charge(48*len(out) + 16*len(items))
	}},
	"slice": {signature{"slices", required, "fill_with", nil}, func(e *evaluator, v any, a []any) (any, error) {
		items, n, err := e.pieces(v, a[0])
		if err != nil {
			return nil, err
		}
		out := make([]any, n)
		size, extra, at := len(items)/n, len(items)%n, 0
		for i := range out {
			end := at + size + boolInt(i < extra)
			row := slices.Clone(items[at:end])
			if a[1] != nil && i >= extra && extra > 0 {
				row = append(row, a[1])
			}
			out[i], at = newList(row), end
		}
		return newList(out), e.charge(48*n + 16*len(items))
	}},
	"sum": {signature{"attribute", nil, "start", 0}, func(e *evaluator, v any, a []any) (any, error) {
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		total := a[1]
		for _, x := range items {
			if a[0] != nil {
				if x, err = e.path(x, a[0], nil); err != nil {
					return nil, err
				}
			}
			if total, err = e.binary("+", total, x); err != nil {
				return nil, err
			}
		}
		return total, nil
	}},
}

// pick gives one item of a sequence, or an undefined value when it is empty.
func (e *evaluator) pick(v any, what string, at func(n int) int) (any, error) {
	items, err := e.items(v)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return undefined{fmt.Sprintf("No %s item, sequence was empty.", what)}, nil
	}
	return items[at(len(items))], nil
}

// pieces gives the items of a sequence and the number to cut it by.
func (e *evaluator) pieces(v, count any) ([]any, int, error) {
	items, err := e.items(v)
	if err != nil {
		return nil, 0, err
	}
	n, err := intArg(count)
	if err != nil {
		return nil, 0, err
	}
	if n < 1 || n > MaxItems {
		return nil, 0, fmt.Errorf("the number of parts must be between 1 and %d", MaxItems)
	}
	return items, n, nil
}

// each gives what f makes of every item.
func (e *evaluator) each(items []any, f func(any) (any, error)) ([]any, error) {
	out := make([]any, len(items))
	for i, x := range items {
		v, err := f(x)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, e.charge(16 * len(out))
}
