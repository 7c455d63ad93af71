package template

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// toNumber gives an int, *big.Int or float64; booleans count as 0 and 1.
func toNumber(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return boolInt(v), true
	case int, *big.Int, float64:
		return v, true
	}
	return nil, false
}

func toFloat(n any) float64 {
	switch n := n.(type) {
	case int:
		return float64(n)
	case float64:
		return n
	case *big.Int:
		f, _ := new(big.Float).SetInt(n).Float64()
		return f
	}
	return 0
}

func toBig(n any) *big.Int {
	switch n := n.(type) {
	case int:
		return big.NewInt(int64(n))
	case *big.Int:
		return n
	}
	return new(big.Int)
}

// normal gives a big integer that fits as int.
func normal(n *big.Int) any {
	if n.IsInt64() {
		return int(n.Int64())
	}
	return n
}

// binary applies an arithmetic operator.
func (e *evaluator) binary(op string, a, b any) (any, error) {
	for _, v := range []any{a, b} {
		if u, ok := v.(undefined); ok {
			return nil, u.err()
		}
	}
	x, isNumber := toNumber(a)
	y, isOther := toNumber(b)
	if isNumber && isOther {
		return e.arithmetic(op, x, y)
	}
	switch op {
	case "+":
		return e.add(a, b)
	case "*":
		if isNumber {
			a, b = b, a
		}
		if v, ok, err := e.repeat(a, b); ok {
			return v, err
		}
	case "%":
		if format, ok := textOf(a); ok {
			args := []any{b}
			if l, ok := b.(*list); ok && l.isTuple() {
				args = l.items
			}
			s, err := e.printf(format, args)
			return like(a, s), err
		}
	case "**":
		op = "** or pow()"
	}
	return nil, fmt.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", op, typeName(a), typeName(b))
}

func (e *evaluator) add(a, b any) (any, error) {
	if s, ok := textOf(a); ok {
		t, ok := textOf(b)
		if !ok {
			return nil, fmt.Errorf(`can only concatenate str (not "%s") to str`, typeName(b))
		}
		_, safeA := a.(safe)
		_, safeB := b.(safe)
		if safeA || safeB {
			x, err := e.markup(a)
			if err != nil {
				return nil, err
			}
			y, err := e.markup(b)
			if err != nil {
				return nil, err
			}
			return x + y, e.reserve(len(x) + len(y))
		}
		if err := e.reserve(len(s) + len(t)); err != nil {
			return nil, err
		}
		return s + t, nil
	}
	x, ok := a.(*list)
	y, other := b.(*list)
	if ok && other && x.kind == y.kind && x.kind != "range" {
		if err := e.charge(16 * (len(x.items) + len(y.items))); err != nil {
			return nil, err
		}
		return x.slice(append(x.items[:len(x.items):len(x.items)], y.items...)), nil
	}
	if ok {
		return nil, fmt.Errorf(`can only concatenate %s (not "%s") to %s`, x.kind, typeName(b), x.kind)
	}
	return nil, fmt.Errorf("unsupported operand type(s) for +: '%s' and '%s'", typeName(a), typeName(b))
}

var errRepeat = fmt.Errorf("Sequence repeat too large (max %d items)", MaxItems)

// repeat is sequence * count; ok is false for other operands.
func (e *evaluator) repeat(seq, count any) (v any, ok bool, err error) {
	if b, isBool := count.(bool); isBool {
		count = boolInt(b)
	}
	if big, isBig := count.(*big.Int); isBig && big.Sign() > 0 {
		count = MaxItems + 1
	}
	n, isInt := count.(int)
	if !isInt {
		return nil, false, nil
	}
	n = max(n, 0)
	if s, isText := textOf(seq); isText {
		if n > MaxItems || len(s)*n > MaxOutput {
			return nil, true, errRepeat
		}
		return like(seq, strings.Repeat(s, n)), true, e.reserve(len(s) * n)
	}
	l, isList := seq.(*list)
	if !isList || l.kind == "range" {
		return nil, false, nil
	}
	if n > MaxItems || len(l.items)*n > MaxItems {
		return nil, true, errRepeat
	}
	items := make([]any, 0, len(l.items)*n)
	for range n {
		items = append(items, l.items...)
	}
	return l.slice(items), true, e.charge(16 * len(items))
}

var errZero = errors.New("division by zero")

// arithmetic applies an operator to two numbers. Integers grow as needed.
func (e *evaluator) arithmetic(op string, a, b any) (any, error) {
	if op == "**" {
		return e.power(a, b)
	}
	_, floatA := a.(float64)
	_, floatB := b.(float64)
	if op == "/" || floatA || floatB {
		return floatArithmetic(op, toFloat(a), toFloat(b))
	}
	x, y := toBig(a), toBig(b)
	if x.BitLen()+y.BitLen() > maxBits {
		return nil, errMemory
	}
	z := new(big.Int)
	switch op {
	case "+":
		z.Add(x, y)
	case "-":
		z.Sub(x, y)
	case "*":
		z.Mul(x, y)
	default:
		if y.Sign() == 0 {
			if op == "%" {
				return nil, errors.New("integer modulo by zero")
			}
			return nil, errors.New("integer division or modulo by zero")
		}
		q, m := new(big.Int).QuoRem(x, y, new(big.Int))
		if m.Sign() != 0 && m.Sign() != y.Sign() { // floor, not truncate
			q.Sub(q, big.NewInt(1))
			m.Add(m, y)
		}
		z = q
		if op == "%" {
			z = m
		}
	}
	return normal(z), e.charge(z.BitLen()/8 + 16)
}

func floatArithmetic(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	}
	if y == 0 {
		switch op {
		case "//":
			return nil, errors.New("float floor division by zero")
		case "%":
			return nil, errors.New("float modulo")
		}
		return nil, errZero
	}
	switch op {
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	m := math.Mod(x, y)
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m, nil
}

func (e *evaluator) power(a, b any) (any, error) {
	if math.Abs(toFloat(b)) > MaxPower {
		return nil, fmt.Errorf("Exponent too large (max %d)", MaxPower)
	}
	if math.Abs(toFloat(a)) > MaxPower {
		return nil, fmt.Errorf("Base too large for exponentiation (max %d)", MaxPower)
	}
	x, intA := a.(int)
	y, intB := b.(int)
	if intA && intB && y >= 0 {
		z := new(big.Int).Exp(big.NewInt(int64(x)), big.NewInt(int64(y)), nil)
		return normal(z), e.charge(z.BitLen()/8 + 16)
	}
	base, exponent := toFloat(a), toFloat(b)
	switch {
	case base == 0 && exponent < 0:
		return nil, errors.New("0.0 cannot be raised to a negative power")
	case base < 0 && exponent != math.Trunc(exponent):
		return nil, errors.New("a negative number cannot be raised to a fractional power")
	}
	f := math.Pow(base, exponent)
	if math.IsInf(f, 0) {
		return nil, errors.New("(34, 'Numerical result out of range')")
	}
	return f, nil
}

// relation applies a comparison operator.
func (e *evaluator) relation(op string, a, b any) (bool, error) {
	switch op {
	case "==", "!=":
		same, err := e.equal(a, b)
		return same == (op == "=="), err
	case "in", "not in":
		found, err := e.contains(b, a)
		return found == (op == "in"), err
	}
	c, err := e.compare(a, b, op)
	if err != nil || c == notANumber {
		return false, err
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}
