package template

import (
	"cmp"
	"fmt"
	"math/big"
	"sort"
	"strings"
)

// equal compares deeply; numbers and booleans compare by value.
func (e *evaluator) equal(a, b any) (bool, error) {
	if err := e.enter(); err != nil {
		return false, err
	}
	defer e.leave()
	if x, ok := toNumber(a); ok {
		y, ok := toNumber(b)
		return ok && compareNumbers(x, y) == 0, nil
	}
	if x, ok := textOf(a); ok {
		y, ok := textOf(b)
		return ok && x == y, nil
	}
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case undefined:
		_, ok := b.(undefined)
		return ok, nil
	case *list:
		b, ok := b.(*list)
		if !ok || a.kind != b.kind || len(a.items) != len(b.items) {
			return false, nil
		}
		for i := range a.items {
			if same, err := e.equal(a.items[i], b.items[i]); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case *dict:
		b, ok := b.(*dict)
		if !ok || len(a.keys) != len(b.keys) {
			return false, nil
		}
		for i, k := range a.keys {
			v, ok := b.get(k)
			if !ok {
				return false, nil
			}
			if same, err := e.equal(a.vals[i], v); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return a == b, nil
}

// compare orders numbers, texts, and lists of comparable items: negative, zero
// or positive. op is the operator in the error for other values.
func (e *evaluator) compare(a, b any, op string) (int, error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.leave()
	for _, v := range []any{a, b} {
		if u, ok := v.(undefined); ok {
			return 0, u.err()
		}
	}
	if x, ok := toNumber(a); ok {
		if y, ok := toNumber(b); ok {
			return compareNumbers(x, y), nil
		}
	}
	if x, ok := textOf(a); ok {
		if y, ok := textOf(b); ok {
			return strings.Compare(x, y), nil
		}
	}
	x, isList := a.(*list)
	y, isOther := b.(*list)
	if !isList || !isOther || x.kind != y.kind {
		return 0, fmt.Errorf("'%s' not supported between instances of '%s' and '%s'", op, typeName(a), typeName(b))
	}
	for i := 0; i < len(x.items) && i < len(y.items); i++ {
		same, err := e.equal(x.items[i], y.items[i])
		if err != nil {
			return 0, err
		}
		if !same {
			return e.compare(x.items[i], y.items[i], op)
		}
	}
	return cmp.Compare(len(x.items), len(y.items)), nil
}

// notANumber is the outcome of comparing with NaN: neither less, equal nor more.
const notANumber = 2

// compareNumbers gives -1, 0 or 1, or notANumber.
func compareNumbers(a, b any) int {
	if x, ok := a.(int); ok {
		if y, ok := b.(int); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	x, y := asFloatOrBig(a), asFloatOrBig(b)
	if f, ok := x.(float64); ok && f != f {
		return notANumber
	}
	if f, ok := y.(float64); ok && f != f {
		return notANumber
	}
	return bigFloat(x).Cmp(bigFloat(y))
}

func asFloatOrBig(v any) any {
	if i, ok := v.(int); ok {
		return big.NewInt(int64(i))
	}
	return v
}

func bigFloat(v any) *big.Float {
	switch v := v.(type) {
	case float64:
		return big.NewFloat(v)
	case *big.Int:
		return new(big.Float).SetInt(v)
	}
	return new(big.Float)
}

// contains is the "in" operator.
func (e *evaluator) contains(container, v any) (bool, error) {
	switch c := container.(type) {
	case *dict:
		_, err := hashKey(v)
		if err != nil {
			return false, err
		}
		_, ok := c.get(v)
		return ok, nil
	case *list:
		return e.indexOf(c.items, v)
	case undefined:
		return false, nil
	}
	if s, ok := textOf(container); ok {
		part, ok := textOf(v)
		if !ok {
			return false, fmt.Errorf("'in <string>' requires string as left operand, not %s", typeName(v))
		}
		return strings.Contains(s, part), nil
	}
	return false, fmt.Errorf("argument of type '%s' is not iterable", typeName(container))
}

func (e *evaluator) indexOf(items []any, v any) (bool, error) {
	for _, x := range items {
		if same, err := e.equal(x, v); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// sortBy sorts a copy of items by their keys, keeping the order of equal ones.
func (e *evaluator) sortBy(items []any, key func(any) (any, error), reverse bool) ([]any, error) {
	type pair struct{ key, item any }
	pairs := make([]pair, len(items))
	for i, item := range items {
		k, err := key(item)
		if err != nil {
			return nil, err
		}
		pairs[i] = pair{k, item}
	}
	var failed error
	sort.SliceStable(pairs, func(i, j int) bool {
		if failed != nil {
			return false
		}
		if reverse {
			i, j = j, i
		}
		c, err := e.compare(pairs[i].key, pairs[j].key, "<")
		if err != nil {
			failed = err
		}
		return c < 0
	})
	if failed != nil {
		return nil, failed
	}
	out := make([]any, len(pairs))
	for i, p := range pairs {
		out[i] = p.item
	}
	return out, e.charge(16 * len(out))
}
