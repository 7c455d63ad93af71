package template

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

func (x *attrExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.object)
	if err != nil {
		return nil, err
	}
	return e.attribute(v, x.name)
}

// attribute gives v.name: a method or, for objects, a member.
func (e *evaluator) attribute(v any, name string) (any, error) {
	if u, ok := v.(undefined); ok && !strings.HasPrefix(name, "__") {
		return nil, u.err()
	}
	if l, ok := v.(*loop); ok {
		if a, ok := l.attribute(name); ok {
			return a, nil
		}
	}
	if l, ok := v.(*list); ok {
		if i := slices.Index(l.names, name); i >= 0 {
			return l.items[i], nil
		}
	}
	if m, ok := method(v, name); ok {
		return m, nil
	}
	if d, ok := v.(*dict); ok {
		if member, ok := d.get(name); ok {
			return member, nil
		}
	}
	if f, ok := v.(*function); ok && name == "name" {
		return f.name, nil
	}
	return missingAttribute(v, name), nil
}

func missingAttribute(v any, name string) undefined {
	if strings.HasPrefix(name, "__") {
		return undefined{fmt.Sprintf("access to attribute '%s' of '%s' object is unsafe.", name, typeName(v))}
	}
	return undefined{fmt.Sprintf("'%s' has no attribute '%s'", objectName(v), name)}
}

// objectName names a value in the message about what it lacks.
func objectName(v any) string {
	if v == nil {
		return "None"
	}
	return typeName(v) + " object"
}

func (x *itemExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.object)
	if err != nil {
		return nil, err
	}
	key, err := e.eval(x.key)
	if err != nil {
		return nil, err
	}
	return e.item(v, key)
}

// item gives v[key]. Text keys fall back to attributes.
func (e *evaluator) item(v, key any) (any, error) {
	if u, ok := v.(undefined); ok {
		return nil, u.err()
	}
	switch c := v.(type) {
	case *dict:
		if member, ok := c.get(key); ok {
			return member, nil
		}
	case *list:
		if i, ok := index(key, len(c.items)); ok {
			return c.items[i], nil
		}
	case string, safe:
		s, _ := textOf(v)
		if i, ok := index(key, utf8.RuneCountInString(s)); ok {
			return like(v, runeSlice(s, i, i+1)), nil
		}
	}
	if name, ok := textOf(key); ok {
		return e.attribute(v, name)
	}
	text, err := e.str(key)
	if err != nil {
		return nil, err
	}
	return undefined{fmt.Sprintf("%s has no element %s", objectName(v), text)}, nil
}

// index gives the place of an integer key that lies within n items.
func index(key any, n int) (int, bool) {
	if b, ok := key.(bool); ok {
		key = boolInt(b)
	}
	i, ok := key.(int)
	if ok && i < 0 {
		i += n
	}
	return i, ok && i >= 0 && i < n
}

// runeSlice gives the characters from i up to j.
func runeSlice(s string, i, j int) string {
	if len(s) == utf8.RuneCountInString(s) {
		return s[i:j]
	}
	from, to, n := len(s), len(s), 0
	for at := range s {
		if n == i {
			from = at
		}
		if n == j {
			to = at
			break
		}
		n++
	}
	if from > to {
		return ""
	}
	return s[from:to]
}

func (x *sliceExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.object)
	if err != nil {
		return nil, err
	}
	var bounds [3]*int
	for i, part := range []expr{x.start, x.stop, x.step} {
		if part == nil {
			continue
		}
		b, err := e.eval(part)
		if err != nil {
			return nil, err
		}
		n, ok := b.(int)
		if !ok && b != nil {
			return nil, fmt.Errorf("slice indices must be integers or None or have an __index__ method")
		}
		if ok {
			bounds[i] = &n
		}
	}
	switch c := v.(type) {
	case *list:
		places, err := slicePlaces(len(c.items), bounds)
		if err != nil {
			return nil, err
		}
		out := make([]any, len(places))
		for i, at := range places {
			out[i] = c.items[at]
		}
		return c.slice(out), e.charge(24 * len(out))
	case string, safe:
		s, _ := textOf(v)
		if err := e.charge(12 * len(s)); err != nil {
			return nil, err
		}
		runes := []rune(s)
		places, err := slicePlaces(len(runes), bounds)
		if err != nil {
			return nil, err
		}
		out := make([]rune, len(places))
		for i, at := range places {
			out[i] = runes[at]
		}
		return like(v, string(out)), nil
	case undefined:
		return nil, c.err()
	}
	return undefined{fmt.Sprintf("'%s' object is not subscriptable", typeName(v))}, nil
}

// slicePlaces lists the places that [start:stop:step] picks out of n items.
func slicePlaces(n int, bounds [3]*int) ([]int, error) {
	step := 1
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, fmt.Errorf("slice step cannot be zero")
	}
	low, high := 0, n
	if step < 0 {
		low, high = -1, n-1
	}
	clamp := func(b *int, otherwise int) int {
		if b == nil {
			return otherwise
		}
		i := *b
		if i < 0 {
			i += n
		}
		return max(low, min(high, i))
	}
	start, stop := low, high
	if step < 0 {
		start, stop = high, low
	}
	start, stop = clamp(bounds[0], start), clamp(bounds[1], stop)
	step = max(-n-1, min(n+1, step)) // a longer step picks one item, too
	var places []int
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		places = append(places, i)
	}
	return places, nil
}
