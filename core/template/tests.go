package template

import (
	"fmt"
	"math/big"
	"strings"
)

// testSpec is a test: its parameters after the value, and when it holds.
type testSpec struct {
	params signature
	holds  func(e *evaluator, v any, args []any) (bool, error)
}

// kind is a test that looks at the value only.
func kind(holds func(v any) bool) testSpec {
	return testSpec{nil, func(_ *evaluator, v any, _ []any) (bool, error) { return holds(v), nil }}
}

// comparing is a test that applies an operator.
func comparing(op string) testSpec {
	return testSpec{signature{"other", required}, func(e *evaluator, v any, a []any) (bool, error) {
		return e.relation(op, v, a[0])
	}}
}

// remainder is a test of the remainder of a division.
func remainder(divisor, want int) testSpec {
	return testSpec{nil, func(e *evaluator, v any, _ []any) (bool, error) {
		m, err := e.binary("%", v, divisor)
		if err != nil {
			return false, err
		}
		return e.equal(m, want)
	}}
}

func isUndefined(v any) bool {
	_, ok := v.(undefined)
	return ok
}

func isInteger(v any) bool {
	switch v.(type) {
	case int, *big.Int:
		return true
	}
	return false
}

func isFloat(v any) bool {
	_, ok := v.(float64)
	return ok
}

func isText(v any) bool {
	_, ok := textOf(v)
	return ok
}

func isList(v any) bool {
	_, ok := v.(*list)
	return ok
}

func isDict(v any) bool {
	_, ok := v.(*dict)
	return ok
}

var tests map[string]testSpec

func init() {
	tests = map[string]testSpec{
		"boolean":   kind(func(v any) bool { return v == true || v == false }),
		"true":      kind(func(v any) bool { return v == true }),
		"false":     kind(func(v any) bool { return v == false }),
		"none":      kind(func(v any) bool { return v == nil }),
		"defined":   kind(func(v any) bool { return !isUndefined(v) }),
		"undefined": kind(isUndefined),
		"integer":   kind(isInteger),
		"float":     kind(isFloat),
		"number":    kind(func(v any) bool { _, ok := toNumber(v); return ok }),
		"string":    kind(isText),
		"mapping":   kind(isDict),
		"sequence":  kind(func(v any) bool { return isText(v) || isList(v) || isDict(v) || isUndefined(v) }),
		"iterable":  kind(func(v any) bool { return isText(v) || isList(v) || isDict(v) || isUndefined(v) }),
		"callable": kind(func(v any) bool {
			switch v := v.(type) {
			case *function:
				return true
			case *loop:
				return v.stmt.recursive
			}
			return false
		}),
		"escaped":     kind(func(v any) bool { _, ok := v.(safe); return ok }),
		"odd":         remainder(2, 1),
		"even":        remainder(2, 0),
		"lower":       caseTest(strings.ToLower),
		"upper":       caseTest(strings.ToUpper),
		"filter":      kind(func(v any) bool { s, ok := textOf(v); _, known := filters[s]; return ok && known }),
		"test":        kind(func(v any) bool { s, ok := textOf(v); _, known := tests[s]; return ok && known }),
		"divisibleby": {signature{"num", required}, divisibleBy},
		"sameas":      {signature{"other", required}, sameAs},
		"in":          {signature{"seq", required}, func(e *evaluator, v any, a []any) (bool, error) { return e.contains(a[0], v) }},
	}
	for op, names := range map[string][]string{
		"==": {"==", "eq", "equalto"}, "!=": {"!=", "ne"}, ">": {">", "gt", "greaterthan"},
		">=": {">=", "ge"}, "<": {"<", "lt", "lessthan"}, "<=": {"<=", "le"},
	} {
		for _, name := range names {
			tests[name] = comparing(op)
		}
	}
}

// caseTest holds for text with letters that a change of case leaves alone.
func caseTest(fold func(string) string) testSpec {
	return testSpec{nil, func(e *evaluator, v any, _ []any) (bool, error) {
		s, err := e.str(v)
		return fold(s) == s && strings.ToLower(s) != strings.ToUpper(s), err
	}}
}

func divisibleBy(e *evaluator, v any, a []any) (bool, error) {
	m, err := e.binary("%", v, a[0])
	if err != nil {
		return false, err
	}
	return e.equal(m, 0)
}

// sameAs holds for the same object, and for equal values of one type that
// cannot change.
func sameAs(_ *evaluator, v any, a []any) (bool, error) {
	switch v.(type) {
	case nil, bool, int, float64, string, safe, *list, *dict, *function, *loop:
		return v == a[0], nil
	}
	return false, nil
}

// is applies a test by name.
func (e *evaluator) is(name string, v any, args []any, kwargs map[string]any) (bool, error) {
	t, ok := tests[name]
	if !ok {
		return false, fmt.Errorf("No test named '%s'.", name)
	}
	bound, err := t.params.bind(name+"()", args, kwargs)
	if err != nil {
		return false, err
	}
	return t.holds(e, v, bound)
}
