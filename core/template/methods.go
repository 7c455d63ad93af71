package template

import (
	"fmt"
	"slices"
)

// method gives a bound method of a value.
func method(v any, name string) (*function, bool) {
	switch v := v.(type) {
	case string, safe:
		if m, ok := textMethods[name]; ok {
			return bind(name, v, m), true
		}
	case *list:
		if m, ok := listMethods[name]; ok && (v.kind == "list" || name == "index" || name == "count") {
			return bind(name, v, m), true
		}
	case *dict:
		if m, ok := dictMethods[name]; ok {
			return bind(name, v, m), true
		}
	case float64:
		if name == "is_integer" {
			return bind(name, v, methodSpec{nil, func(_ *evaluator, self any, _ []any) (any, error) {
				f := self.(float64)
				return f == float64(int(f)), nil
			}}), true
		}
	}
	return nil, false
}

// methodSpec is a method: its parameters, and what it does.
type methodSpec struct {
	params signature
	call   func(e *evaluator, self any, args []any) (any, error)
}

// rest marks a method that takes its arguments as they come: a list and, for
// format, a dict of the named ones.
var rest = signature{"*", missing}

func bind(name string, self any, m methodSpec) *function {
	return &function{name, func(e *evaluator, args []any, kwargs map[string]any) (any, error) {
		if len(m.params) > 0 && m.params[0] == "*" {
			named := newDict()
			for k, v := range kwargs {
				_ = named.set(k, v) // text can be hashed
			}
			return m.call(e, self, []any{args, named})
		}
		bound, err := m.params.bind(name+"()", args, kwargs)
		if err != nil {
			return nil, err
		}
		return m.call(e, self, bound)
	}}
}

var listMethods = map[string]methodSpec{
	"append": {signature{"object", required}, func(e *evaluator, self any, a []any) (any, error) {
		l := self.(*list)
		l.items = append(l.items, a[0])
		return nil, e.charge(32)
	}},
	"extend": {signature{"iterable", required}, func(e *evaluator, self any, a []any) (any, error) {
		items, err := e.items(a[0])
		if err != nil {
			return nil, err
		}
		l := self.(*list)
		l.items = append(l.items, items...)
		return nil, e.charge(32 * len(items))
	}},
	"insert": {signature{"index", required, "object", required}, func(e *evaluator, self any, a []any) (any, error) {
		i, err := intArg(a[0])
		if err != nil {
			return nil, err
		}
		l := self.(*list)
		if i < 0 {
			i = max(0, i+len(l.items))
		}
		l.items = slices.Insert(l.items, min(i, len(l.items)), a[1])
		return nil, e.charge(32)
	}},
	"pop": {signature{"index", -1}, func(_ *evaluator, self any, a []any) (any, error) {
		l := self.(*list)
		i, ok := index(a[0], len(l.items))
		if !ok {
			return nil, fmt.Errorf("pop index out of range")
		}
		v := l.items[i]
		l.items = slices.Delete(slices.Clone(l.items), i, i+1)
		return v, nil
	}},
	"remove": {signature{"value", required}, func(e *evaluator, self any, a []any) (any, error) {
		l := self.(*list)
		i, err := e.find(l.items, a[0])
		if err != nil {
			return nil, err
		}
		if i < 0 {
			return nil, fmt.Errorf("list.remove(x): x not in list")
		}
		l.items = slices.Delete(slices.Clone(l.items), i, i+1)
		return nil, nil
	}},
	"index": {signature{"value", required}, func(e *evaluator, self any, a []any) (any, error) {
		i, err := e.find(self.(*list).items, a[0])
		if err == nil && i < 0 {
			err = fmt.Errorf("value is not in list")
		}
		return i, err
	}},
	"count": {signature{"value", required}, func(e *evaluator, self any, a []any) (any, error) {
		n := 0
		for _, x := range self.(*list).items {
			same, err := e.equal(x, a[0])
			if err != nil {
				return nil, err
			}
			n += boolInt(same)
		}
		return n, nil
	}},
	"reverse": {nil, func(e *evaluator, self any, _ []any) (any, error) {
		l := self.(*list)
		l.items = slices.Clone(l.items)
		slices.Reverse(l.items)
		return nil, e.charge(16 * len(l.items))
	}},
	"sort": {signature{"reverse", false}, func(e *evaluator, self any, a []any) (any, error) {
		l := self.(*list)
		sorted, err := e.sortBy(l.items, func(v any) (any, error) { return v, nil }, truthy(a[0]))
		if err == nil {
			l.items = sorted
		}
		return nil, err
	}},
	"clear": {nil, func(_ *evaluator, self any, _ []any) (any, error) {
		self.(*list).items = nil
		return nil, nil
	}},
	"copy": {nil, func(e *evaluator, self any, _ []any) (any, error) {
		items := slices.Clone(self.(*list).items)
		return newList(items), e.charge(16 * len(items))
	}},
}

// find gives the place of the first equal item, or -1.
func (e *evaluator) find(items []any, v any) (int, error) {
	for i, x := range items {
		if same, err := e.equal(x, v); same || err != nil {
			return i, err
		}
	}
	return -1, nil
}

var dictMethods = map[string]methodSpec{
	"items": {nil, func(e *evaluator, self any, _ []any) (any, error) {
		d := self.(*dict)
		return newList(d.items()), e.charge(64 * len(d.keys))
	}},
	"keys": {nil, func(e *evaluator, self any, _ []any) (any, error) {
		d := self.(*dict)
		return newList(slices.Clone(d.keys)), e.charge(16 * len(d.keys))
	}},
	"values": {nil, func(e *evaluator, self any, _ []any) (any, error) {
		d := self.(*dict)
		return newList(slices.Clone(d.vals)), e.charge(16 * len(d.vals))
	}},
	"get": {signature{"key", required, "default", nil}, func(_ *evaluator, self any, a []any) (any, error) {
		if v, ok := self.(*dict).get(a[0]); ok {
			return v, nil
		}
		return a[1], nil
	}},
	"pop": {signature{"key", required, "default", missing}, func(e *evaluator, self any, a []any) (any, error) {
		v, ok := self.(*dict).remove(a[0])
		switch {
		case ok:
			return v, nil
		case a[1] != missing:
			return a[1], nil
		}
		p := printer{limit: MaxOutput}
		p.repr(a[0], 0)
		return nil, fmt.Errorf("%s", p.b.String())
	}},
	"setdefault": {signature{"key", required, "default", nil}, func(e *evaluator, self any, a []any) (any, error) {
		d := self.(*dict)
		if v, ok := d.get(a[0]); ok {
			return v, nil
		}
		return a[1], anyError(d.set(a[0], a[1]), e.charge(64))
	}},
	"update": {rest, func(e *evaluator, self any, a []any) (any, error) {
		d := self.(*dict)
		for _, from := range append(slices.Clone(a[0].([]any)), a[1]) {
			source, ok := from.(*dict)
			if !ok {
				return nil, fmt.Errorf("'%s' object is not a mapping", typeName(from))
			}
			for i, k := range source.keys {
				if err := anyError(d.set(k, source.vals[i]), e.charge(64)); err != nil {
					return nil, err
				}
			}
		}
		return nil, nil
	}},
	"clear": {nil, func(_ *evaluator, self any, _ []any) (any, error) {
		*self.(*dict) = *newDict()
		return nil, nil
	}},
	"copy": {nil, func(e *evaluator, self any, _ []any) (any, error) {
		d := self.(*dict).copy()
		return d, e.charge(64 * len(d.keys))
	}},
}

func anyError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
