package template

import (
	"fmt"
	"strings"
)

// expr is an expression of the tree.
type expr interface {
	eval(e *evaluator) (any, error)
}

type (
	constExpr struct{ value any }
	nameExpr  struct{ name string }
	listExpr  struct{ items []expr }
	tupleExpr struct{ items []expr }
	dictExpr  struct{ keys, values []expr }
	// condExpr is "then if test else other"; other may be nil.
	condExpr struct{ test, then, other expr }
	andExpr  struct{ left, right expr }
	orExpr   struct{ left, right expr }
	notExpr  struct{ operand expr }
	signExpr struct {
		negative bool
		operand  expr
	}
	binaryExpr struct {
		op          string
		left, right expr
	}
	concatExpr  struct{ parts []expr }
	compareExpr struct {
		first expr
		ops   []string
		rest  []expr
	}
	attrExpr struct {
		object expr
		name   string
	}
	itemExpr  struct{ object, key expr }
	sliceExpr struct{ object, start, stop, step expr }
	callExpr  struct {
		function expr
		args     arguments
	}
	filterExpr struct {
		input expr // nil in a filter block
		name  string
		args  arguments
	}
	testExpr struct {
		input  expr
		name   string
		args   arguments
		negate bool
	}
)

// arguments are those of a call: f(a, k=b, *c, **d).
type arguments struct {
	list   []expr
	names  []string
	named  []expr
	splat  expr
	dsplat expr
}

func (a *arguments) eval(e *evaluator) ([]any, map[string]any, error) {
	args, err := e.evalAll(a.list)
	if err != nil {
		return nil, nil, err
	}
	var kwargs map[string]any
	if len(a.names) > 0 || a.dsplat != nil {
		kwargs = map[string]any{}
	}
	for i, name := range a.names {
		if kwargs[name], err = e.eval(a.named[i]); err != nil {
			return nil, nil, err
		}
	}
	if a.splat != nil {
		v, err := e.eval(a.splat)
		if err != nil {
			return nil, nil, err
		}
		items, err := e.items(v)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, items...)
	}
	if a.dsplat != nil {
		v, err := e.eval(a.dsplat)
		if err != nil {
			return nil, nil, err
		}
		d, ok := v.(*dict)
		if !ok {
			return nil, nil, fmt.Errorf("argument after ** must be a mapping, not %s", typeName(v))
		}
		for i, k := range d.keys {
			name, ok := textOf(k)
			if !ok {
				return nil, nil, fmt.Errorf("keywords must be strings")
			}
			kwargs[name] = d.vals[i]
		}
	}
	return args, kwargs, nil
}

func (x *constExpr) eval(*evaluator) (any, error) { return x.value, nil }

func (x *nameExpr) eval(e *evaluator) (any, error) {
	if v, ok := e.scope.get(x.name); ok {
		return v, nil
	}
	return undefinedName(x.name), nil
}

func (x *listExpr) eval(e *evaluator) (any, error) {
	items, err := e.evalAll(x.items)
	return newList(items), err
}

func (x *tupleExpr) eval(e *evaluator) (any, error) {
	items, err := e.evalAll(x.items)
	return newTuple(items...), err
}

func (x *dictExpr) eval(e *evaluator) (any, error) {
	d := newDict()
	for i := range x.keys {
		k, err := e.eval(x.keys[i])
		if err != nil {
			return nil, err
		}
		v, err := e.eval(x.values[i])
		if err != nil {
			return nil, err
		}
		if err := d.set(k, v); err != nil {
			return nil, err
		}
	}
	return d, e.charge(64 * len(x.keys))
}

func (x *condExpr) eval(e *evaluator) (any, error) {
	ok, err := e.test(x.test)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return e.eval(x.then)
	case x.other == nil:
		return undefined{"the inline if-expression evaluated to false and no else section was defined."}, nil
	}
	return e.eval(x.other)
}

func (x *andExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.left)
	if err != nil || !truthy(v) {
		return v, err
	}
	return e.eval(x.right)
}

func (x *orExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.left)
	if err != nil || truthy(v) {
		return v, err
	}
	return e.eval(x.right)
}

func (x *notExpr) eval(e *evaluator) (any, error) {
	ok, err := e.test(x.operand)
	return !ok, err
}

func (x *signExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.operand)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(undefined); ok {
		return nil, u.err()
	}
	n, ok := toNumber(v)
	if !ok {
		return nil, fmt.Errorf("bad operand type for unary %s: '%s'", map[bool]string{true: "-", false: "+"}[x.negative], typeName(v))
	}
	if !x.negative {
		return n, nil
	}
	return e.arithmetic("-", 0, n)
}

func (x *binaryExpr) eval(e *evaluator) (any, error) {
	left, err := e.eval(x.left)
	if err != nil {
		return nil, err
	}
	right, err := e.eval(x.right)
	if err != nil {
		return nil, err
	}
	return e.binary(x.op, left, right)
}

// eval of a concatenation gives safe text, with the other parts escaped, when
// escaping is on and one part is safe.
func (x *concatExpr) eval(e *evaluator) (any, error) {
	values, err := e.evalAll(x.parts)
	if err != nil {
		return nil, err
	}
	return e.join(values, "")
}

// join puts the texts of values together.
func (e *evaluator) join(values []any, separator any) (any, error) {
	escaped := false
	if e.escape {
		for _, v := range append([]any{separator}, values...) {
			if _, ok := v.(safe); ok {
				escaped = true
			}
		}
	}
	text := func(v any) (string, error) {
		if escaped {
			m, err := e.markup(v)
			return string(m), err
		}
		return e.str(v)
	}
	sep, err := text(separator)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, v := range values {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(s)
		if b.Len() > MaxOutput {
			return nil, errOutput
		}
	}
	if escaped {
		return safe(b.String()), e.charge(b.Len())
	}
	return b.String(), e.charge(b.Len())
}

func (x *compareExpr) eval(e *evaluator) (any, error) {
	left, err := e.eval(x.first)
	if err != nil {
		return nil, err
	}
	for i, op := range x.ops {
		right, err := e.eval(x.rest[i])
		if err != nil {
			return nil, err
		}
		ok, err := e.relation(op, left, right)
		if err != nil || !ok {
			return false, err
		}
		left = right
	}
	return true, nil
}

func (x *callExpr) eval(e *evaluator) (any, error) {
	f, err := e.eval(x.function)
	if err != nil {
		return nil, err
	}
	args, kwargs, err := x.args.eval(e)
	if err != nil {
		return nil, err
	}
	return e.call(f, args, kwargs)
}

func (x *filterExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.input)
	if err != nil {
		return nil, err
	}
	args, kwargs, err := x.args.eval(e)
	if err != nil {
		return nil, err
	}
	return e.filter(x.name, v, args, kwargs)
}

func (x *testExpr) eval(e *evaluator) (any, error) {
	v, err := e.eval(x.input)
	if err != nil {
		return nil, err
	}
	args, kwargs, err := x.args.eval(e)
	if err != nil {
		return nil, err
	}
	ok, err := e.is(x.name, v, args, kwargs)
	return ok != x.negate, err
}
