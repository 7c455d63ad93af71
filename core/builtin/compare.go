package builtin

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"agentserver/core"
)

// number gives a value as a number as comparisons see it: true is 1.
func number(v any) (float64, bool) {
	if b, ok := v.(bool); ok {
		if b {
			return 1, true
		}
		return 0, true
	}
	return core.Number(v)
}

// equal compares plain JSON values deeply; 1, 1.0 and true are equal.
func equal(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, x := range a {
			y, ok := b[k]
			if !ok || !equal(x, y) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}

// order compares numbers, texts, and lists item by item. The operator stands in
// the error for values that have no order. Nothing is less or more than NaN.
func order(a, b any, operator string) (result int, ordered bool, err error) {
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return cmp.Compare(x, y), !math.IsNaN(x) && !math.IsNaN(y), nil
		}
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), true, nil
		}
	}
	x, isList := a.([]any)
	y, isOther := b.([]any)
	if !isList || !isOther {
		return 0, false, core.Errorf(core.Invalid, "'%s' not supported between instances of '%s' and '%s'", operator, core.PythonType(a), core.PythonType(b))
	}
	for i := 0; i < len(x) && i < len(y); i++ {
		if !equal(x[i], y[i]) {
			return order(x[i], y[i], operator)
		}
	}
	return cmp.Compare(len(x), len(y)), true, nil
}

// identity gives a text that is the same for equal values only.
func identity(v any) string {
	var b strings.Builder
	writeIdentity(&b, v)
	return b.String()
}

func writeIdentity(b *strings.Builder, v any) {
	if f, ok := number(v); ok {
		b.WriteString(strconv.FormatFloat(f, 'g', -1, 64))
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case string:
		b.WriteString(strconv.Quote(v))
	case []any:
		b.WriteByte('[')
		for _, x := range v {
			writeIdentity(b, x)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for _, k := range core.SortedKeys(v) {
			b.WriteString(strconv.Quote(k) + ":")
			writeIdentity(b, v[k])
			b.WriteByte(',')
		}
		b.WriteByte('}')
	}
}
