package template

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

var numberFilters = map[string]filterSpec{
	"abs": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		n, err := numeric(v, "bad operand type for abs(): '%s'")
		if err != nil {
			return nil, err
		}
		if compareNumbers(n, 0) < 0 {
			return e.arithmetic("-", 0, n)
		}
		return n, nil
	}},
	"int": {signature{"default", 0, "base", 10}, func(_ *evaluator, v any, a []any) (any, error) {
		base, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		return toInt(v, a[0], base)
	}},
	"float": {signature{"default", 0.0}, func(_ *evaluator, v any, a []any) (any, error) {
		if u, ok := v.(undefined); ok {
			return nil, u.err()
		}
		if f, ok := parseFloat(v); ok {
			return f, nil
		}
		return a[0], nil
	}},
	"round": {signature{"precision", 0, "method", "common"}, round},
	"filesizeformat": {signature{"binary", false}, func(_ *evaluator, v any, a []any) (any, error) {
		if u, ok := v.(undefined); ok {
			return nil, u.err()
		}
		f, ok := parseFloat(v)
		if !ok {
			return nil, floatError(v)
		}
		return fileSize(f, truthy(a[0])), nil
	}},
	"format": {rest, func(e *evaluator, v any, a []any) (any, error) {
		args := a[0].([]any)
		if len(args) == 0 {
			return v, nil
		}
		if u, ok := v.(undefined); ok {
			return nil, u.err()
		}
		f, ok := parseFloat(v)
		if !ok {
			return nil, floatError(v)
		}
		format, err := textArg(args[0])
		if err != nil {
			return nil, err
		}
		return e.printf(format, []any{f})
	}},
}

func numeric(v any, message string) (any, error) {
	if u, ok := v.(undefined); ok {
		return nil, u.err()
	}
	n, ok := toNumber(v)
	if !ok {
		return nil, fmt.Errorf(message, typeName(v))
	}
	return n, nil
}

func floatError(v any) error {
	if s, ok := textOf(v); ok {
		return fmt.Errorf("could not convert string to float: %s", quote(s))
	}
	return fmt.Errorf("float() argument must be a string or a real number, not '%s'", typeName(v))
}

// parseFloat reads a number or the text of one.
func parseFloat(v any) (float64, bool) {
	if n, ok := toNumber(v); ok {
		return toFloat(n), true
	}
	s, ok := textOf(v)
	if !ok || strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return f, err == nil || math.IsInf(f, 0)
}

// toInt reads a whole number: text in the base, else the whole part of a
// number. What is not a number gives the default.
func toInt(v, otherwise any, base int) (any, error) {
	if u, ok := v.(undefined); ok {
		return nil, u.err()
	}
	if s, ok := textOf(v); ok {
		s = strings.TrimSpace(s)
		if len(s) > maxBits/4 {
			return otherwise, nil
		}
		if base == 16 || base == 8 || base == 2 {
			s = strings.TrimPrefix(strings.ToLower(s), map[int]string{16: "0x", 8: "0o", 2: "0b"}[base])
		}
		if base >= 2 && base <= 36 {
			if n, ok := new(big.Int).SetString(strings.ReplaceAll(s, "_", ""), base); ok {
				return normal(n), nil
			}
		}
	}
	if n, ok := toNumber(v); ok {
		if _, isFloat := n.(float64); !isFloat {
			return n, nil
		}
	}
	f, ok := parseFloat(v)
	if !ok || math.IsInf(f, 0) || math.IsNaN(f) {
		return otherwise, nil
	}
	n, _ := big.NewFloat(f).Int(nil)
	return normal(n), nil
}

// round rounds half to even, or up or down, at a number of decimals.
func round(e *evaluator, v any, a []any) (any, error) {
	n, err := numeric(v, "type %s doesn't define __round__ method")
	if err != nil {
		return nil, err
	}
	precision, err := intArg(a[0])
	if err != nil {
		return nil, err
	}
	precision = max(-400, min(400, precision))
	method, _ := textOf(a[1])
	f := toFloat(n)
	scale := math.Pow(10, float64(precision))
	switch method {
	case "common":
	case "ceil":
		return math.Ceil(f*scale) / scale, nil
	case "floor":
		return math.Floor(f*scale) / scale, nil
	default:
		return nil, fmt.Errorf("method must be common, ceil or floor")
	}
	_, isFloat := n.(float64)
	switch {
	case !isFloat && precision >= 0:
		return n, nil
	case math.IsInf(f, 0) || math.IsNaN(f):
		return f, nil
	case precision >= 0:
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', precision, 64), 64)
		return rounded, nil
	}
	unit := math.Pow(10, float64(-precision))
	f = math.RoundToEven(f/unit) * unit
	if !isFloat {
		return toInt(f, 0, 10)
	}
	return f, nil
}

// fileSize writes a number of bytes for people.
func fileSize(bytes float64, binary bool) string {
	base, units := 1000.0, []string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}
	if binary {
		base, units = 1024, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
	}
	switch {
	case bytes == 1:
		return "1 Byte"
	case bytes < base:
		return fmt.Sprintf("%d Bytes", int(bytes))
	}
	unit := base
	for i, name := range units {
		if bytes < unit*base || i == len(units)-1 {
			return fmt.Sprintf("%.1f %s", bytes/unit, name)
		}
		unit *= base
	}
	return ""
}
