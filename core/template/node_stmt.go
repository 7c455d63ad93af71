package template

import (
	"fmt"
	"slices"
)

// stmt is a statement of the tree.
type stmt interface {
	run(e *evaluator) error
}

type (
	dataStmt  struct{ text string }
	printStmt struct{ value expr }
	ifStmt    struct {
		tests  []expr
		bodies [][]stmt // one more than tests when there is an else
	}
	setStmt struct {
		target target
		value  expr
	}
	setBlockStmt struct {
		name   string
		filter expr // a chain whose innermost input is the body, or nil
		body   []stmt
	}
	filterStmt struct {
		filter expr
		body   []stmt
	}
	withStmt struct {
		names  []target
		values []expr
		body   []stmt
	}
	escapeStmt struct {
		on   expr
		body []stmt
	}
	scopeStmt struct{ body []stmt }
)

func (s *dataStmt) run(e *evaluator) error { return e.write(s.text) }

func (s *printStmt) run(e *evaluator) error {
	v, err := e.eval(s.value)
	if err != nil {
		return err
	}
	if e.escape {
		m, err := e.markup(v)
		if err != nil {
			return err
		}
		return e.write(string(m))
	}
	text, err := e.str(v)
	if err != nil {
		return err
	}
	return e.write(text)
}

// run of an if has no scope of its own: what it sets stays.
func (s *ifStmt) run(e *evaluator) error {
	for i, test := range s.tests {
		ok, err := e.test(test)
		if err != nil {
			return err
		}
		if ok {
			return e.run(s.bodies[i])
		}
	}
	if len(s.bodies) > len(s.tests) {
		return e.run(s.bodies[len(s.tests)])
	}
	return nil
}

func (s *setStmt) run(e *evaluator) error {
	v, err := e.eval(s.value)
	if err != nil {
		return err
	}
	return e.assign(e.scope, s.target, v)
}

func (s *setBlockStmt) run(e *evaluator) error {
	v, err := e.filtered(s.filter, s.body)
	if err != nil {
		return err
	}
	e.scope.set(s.name, v)
	return nil
}

func (s *filterStmt) run(e *evaluator) error {
	v, err := e.filtered(s.filter, s.body)
	if err != nil {
		return err
	}
	return (&printStmt{&constExpr{v}}).run(e)
}

// bodyName holds a block's text while its filters run; no template can name it.
const bodyName = " body"

// filtered gives what a body writes, passed through a chain of filters.
func (e *evaluator) filtered(filter expr, body []stmt) (any, error) {
	inner := newScope(e.scope)
	v, err := e.capture(body, inner)
	if err != nil || filter == nil {
		return v, err
	}
	outer := e.scope
	e.scope = newScope(outer)
	e.scope.set(bodyName, v)
	v, err = e.eval(filter)
	e.scope = outer
	return v, err
}

func (s *withStmt) run(e *evaluator) error {
	return e.within(func(inner *scope) error {
		for i, t := range s.names {
			v, err := e.eval(s.values[i])
			if err != nil {
				return err
			}
			if err := e.assign(inner, t, v); err != nil {
				return err
			}
		}
		return nil
	}, s.body)
}

func (s *escapeStmt) run(e *evaluator) error {
	on, err := e.test(s.on)
	if err != nil {
		return err
	}
	outer := e.escape
	e.escape = on
	err = e.run(s.body)
	e.escape = outer
	return err
}

func (s *scopeStmt) run(e *evaluator) error {
	return e.within(func(*scope) error { return nil }, s.body)
}

// A target is what an assignment names: one variable, or several that share a
// sequence.
type target struct {
	name  string
	parts []target
}

func (e *evaluator) assign(to *scope, t target, v any) error {
	if t.parts == nil {
		to.set(t.name, v)
		return nil
	}
	items, err := e.items(v)
	if err != nil {
		return fmt.Errorf("cannot unpack non-iterable %s object", typeName(v))
	}
	switch {
	case len(items) < len(t.parts):
		return fmt.Errorf("not enough values to unpack (expected %d, got %d)", len(t.parts), len(items))
	case len(items) > len(t.parts):
		return fmt.Errorf("too many values to unpack (expected %d)", len(t.parts))
	}
	for i, part := range t.parts {
		if err := e.assign(to, part, items[i]); err != nil {
			return err
		}
	}
	return nil
}

// A macro is a function whose result is what its body writes.
type macro struct {
	name     string
	params   []string
	defaults []expr // of the last parameters
	body     []stmt
}

type macroStmt struct{ macro }

func (s *macroStmt) run(e *evaluator) error {
	e.scope.set(s.name, s.bind(e.scope))
	return nil
}

// callStmt calls a macro that may call the block's body as caller().
type callStmt struct {
	call   *callExpr
	caller macro
}

func (s *callStmt) run(e *evaluator) error {
	f, err := e.eval(s.call.function)
	if err != nil {
		return err
	}
	args, kwargs, err := s.call.args.eval(e)
	if err != nil {
		return err
	}
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	kwargs["caller"] = s.caller.bind(e.scope)
	v, err := e.call(f, args, kwargs)
	if err != nil {
		return err
	}
	return (&printStmt{&constExpr{v}}).run(e)
}

// bind makes the macro a value whose body sees the variables of a scope.
func (m *macro) bind(around *scope) *function {
	return &function{m.name, func(e *evaluator, args []any, kwargs map[string]any) (any, error) {
		inner := newScope(around)
		varargs := newTuple()
		if len(args) > len(m.params) {
			varargs.items = args[len(m.params):]
			args = args[:len(m.params)]
		}
		extra := newDict()
		for name, v := range kwargs {
			i := slices.Index(m.params, name)
			switch {
			case name == "caller":
			case i < 0:
				_ = extra.set(name, v) // text can be hashed
			case i < len(args):
				return nil, fmt.Errorf("macro '%s' got multiple values for argument '%s'", m.name, name)
			}
			inner.set(name, v)
		}
		inner.set("varargs", varargs)
		inner.set("kwargs", extra)
		outer := e.scope
		defer func() { e.scope = outer }()
		e.scope = inner
		for i, name := range m.params {
			if i < len(args) {
				inner.set(name, args[i])
				continue
			}
			if _, given := kwargs[name]; given {
				continue
			}
			at := i - (len(m.params) - len(m.defaults))
			if at < 0 {
				inner.set(name, undefined{fmt.Sprintf("parameter '%s' was not provided", name)})
				continue
			}
			v, err := e.eval(m.defaults[at])
			if err != nil {
				return nil, err
			}
			inner.set(name, v)
		}
		return e.capture(m.body, inner)
	}}
}
