package template

import (
	"fmt"
	"strconv"
	"strings"
)

// path follows an attribute such as "a.b.0" or 2 from an item. A value that is
// missing becomes otherwise, unless that is nil.
func (e *evaluator) path(v, attribute, otherwise any) (any, error) {
	var parts []any
	if name, ok := textOf(attribute); ok {
		for part := range strings.SplitSeq(name, ".") {
			if i, err := strconv.Atoi(part); err == nil {
				parts = append(parts, i)
			} else {
				parts = append(parts, part)
			}
		}
	} else {
		parts = []any{attribute}
	}
	for _, part := range parts {
		var err error
		if v, err = e.item(v, part); err != nil {
			return nil, err
		}
		if _, isUndefined := v.(undefined); isUndefined && otherwise != nil {
			v = otherwise
		}
	}
	return v, nil
}

// key makes the function that sorting and grouping compare by. Text is folded
// to lower case unless caseSensitive.
func (e *evaluator) key(attribute, otherwise, caseSensitive any) func(any) (any, error) {
	return func(v any) (any, error) {
		if attribute != nil {
			var err error
			if v, err = e.path(v, attribute, otherwise); err != nil {
				return nil, err
			}
		}
		return folded(v, caseSensitive), nil
	}
}

func folded(v, caseSensitive any) any {
	if s, ok := textOf(v); ok && !truthy(caseSensitive) {
		return strings.ToLower(s)
	}
	return v
}

// keys is key for a list of attributes separated by commas.
func (e *evaluator) keys(attribute, caseSensitive any) func(any) (any, error) {
	names, ok := textOf(attribute)
	if !ok || !strings.Contains(names, ",") {
		return e.key(attribute, nil, caseSensitive)
	}
	return func(v any) (any, error) {
		key := newTuple()
		for name := range strings.SplitSeq(names, ",") {
			part, err := e.key(name, nil, caseSensitive)(v)
			if err != nil {
				return nil, err
			}
			key.items = append(key.items, part)
		}
		return key, nil
	}
}

var groupFilters = map[string]filterSpec{
	"sort": {signature{"reverse", false, "case_sensitive", false, "attribute", nil}, func(e *evaluator, v any, a []any) (any, error) {
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		sorted, err := e.sortBy(items, e.keys(a[2], a[1]), truthy(a[0]))
		return newList(sorted), err
	}},
	"dictsort": {signature{"case_sensitive", false, "by", "key", "reverse", false}, func(e *evaluator, v any, a []any) (any, error) {
		d, ok := v.(*dict)
		if !ok {
			return nil, fmt.Errorf("'%s' has no attribute 'items'", objectName(v))
		}
		at := 0
		switch a[1] {
		case "key":
		case "value":
			at = 1
		default:
			return nil, fmt.Errorf(`You can only sort by either "key" or "value"`)
		}
		sorted, err := e.sortBy(d.items(), e.key(at, nil, a[0]), truthy(a[2]))
		return newList(sorted), err
	}},
	"groupby": {signature{"attribute", required, "default", nil, "case_sensitive", false}, groupBy},
	"unique": {signature{"case_sensitive", false, "attribute", nil}, func(e *evaluator, v any, a []any) (any, error) {
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		seen := map[any]bool{}
		var out []any
		for _, x := range items {
			key, err := e.key(a[1], nil, a[0])(x)
			if err != nil {
				return nil, err
			}
			h, err := hashKey(key)
			if err != nil {
				return nil, err
			}
			if !seen[h] {
				seen[h] = true
				out = append(out, x)
			}
		}
		return newList(out), e.charge(64 * len(items))
	}},
	"min": {signature{"case_sensitive", false, "attribute", nil}, extreme("min", -1)},
	"max": {signature{"case_sensitive", false, "attribute", nil}, extreme("max", 1)},
}

// groupBy gives (grouper, list) pairs, sorted by what they group by.
func groupBy(e *evaluator, v any, a []any) (any, error) {
	items, err := e.items(v)
	if err != nil {
		return nil, err
	}
	key := e.key(a[0], a[1], a[2])
	sorted, err := e.sortBy(items, key, false)
	if err != nil {
		return nil, err
	}
	var out []any
	var last any
	for i, x := range sorted {
		k, err := key(x)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			same, err := e.equal(k, last)
			if err != nil {
				return nil, err
			}
			if same {
				group := out[len(out)-1].(*list).at(1).(*list)
				group.items = append(group.items, x)
				continue
			}
		}
		last = k
		grouper, err := e.path(x, a[0], a[1])
		if err != nil {
			return nil, err
		}
		pair := newTuple(grouper, newList([]any{x}))
		pair.names = []string{"grouper", "list"}
		out = append(out, pair)
	}
	return newList(out), e.charge(96*len(out) + 16*len(items))
}

// extreme gives the item that compares furthest in one direction.
func extreme(name string, direction int) func(*evaluator, any, []any) (any, error) {
	return func(e *evaluator, v any, a []any) (any, error) {
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return undefined{"No aggregated item, sequence was empty."}, nil
		}
		key := e.key(a[1], nil, a[0])
		best, bestKey := items[0], any(nil)
		if bestKey, err = key(best); err != nil {
			return nil, err
		}
		op := map[string]string{"min": "<", "max": ">"}[name]
		for _, x := range items[1:] {
			k, err := key(x)
			if err != nil {
				return nil, err
			}
			c, err := e.compare(k, bestKey, op)
			if err != nil {
				return nil, err
			}
			if c == direction {
				best, bestKey = x, k
			}
		}
		return best, nil
	}
}
