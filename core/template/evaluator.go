package template

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	errOutput = fmt.Errorf("Template output is too large (max %d bytes)", MaxOutput)
	errMemory = errors.New("Template needs too much memory")
	errDepth  = errors.New("Template is nested too deeply")
)

// An evaluator renders one template once.
type evaluator struct {
	ctx    context.Context
	escape bool
	out    *strings.Builder
	scope  *scope
	// steps, memory and depth are what the limits count.
	steps  int
	memory int
	depth  int
}

// enter counts a step and a level of nesting; leave ends the level.
func (e *evaluator) enter() error {
	e.steps++
	if e.steps&0xff == 0 && e.ctx.Err() != nil {
		return context.Cause(e.ctx)
	}
	if e.depth >= maxDepth {
		return errDepth
	}
	e.depth++
	return nil
}

func (e *evaluator) leave() { e.depth-- }

// charge counts an allocation of n bytes.
func (e *evaluator) charge(n int) error {
	e.memory += n
	if e.memory > maxMemory {
		return errMemory
	}
	return nil
}

// reserve checks the length of a text before it is made, and counts it.
func (e *evaluator) reserve(n int) error {
	if n < 0 || n > MaxOutput {
		return errOutput
	}
	return e.charge(n)
}

// eval gives the value of an expression.
func (e *evaluator) eval(x expr) (any, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	return x.eval(e)
}

// evalAll gives the values of several expressions.
func (e *evaluator) evalAll(xs []expr) ([]any, error) {
	out := make([]any, len(xs))
	for i, x := range xs {
		v, err := e.eval(x)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, e.charge(16 * len(xs))
}

// test gives the truth of an expression.
func (e *evaluator) test(x expr) (bool, error) {
	v, err := e.eval(x)
	return truthy(v), err
}

// run executes statements in the current scope.
func (e *evaluator) run(body []stmt) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	for _, s := range body {
		if err := e.enter(); err != nil {
			return err
		}
		err := s.run(e)
		e.leave()
		if err != nil {
			return err
		}
	}
	return nil
}

// write appends to the output.
func (e *evaluator) write(s string) error {
	if e.out.Len()+len(s) > MaxOutput {
		return errOutput
	}
	e.out.WriteString(s)
	return nil
}

// capture executes statements in a scope and gives what they write. The text
// is safe when escaping is on, because its parts are escaped already.
func (e *evaluator) capture(body []stmt, in *scope) (any, error) {
	out, outer := e.out, e.scope
	e.out, e.scope = &strings.Builder{}, in
	err := e.run(body)
	text := e.out.String()
	e.out, e.scope = out, outer
	if err != nil {
		return nil, err
	}
	if e.escape {
		return safe(text), e.charge(len(text))
	}
	return text, e.charge(len(text))
}

// within executes statements in a new scope under the current one.
func (e *evaluator) within(fill func(*scope) error, body []stmt) error {
	outer := e.scope
	inner := newScope(outer)
	if err := fill(inner); err != nil {
		return err
	}
	e.scope = inner
	err := e.run(body)
	e.scope = outer
	return err
}

// call calls a value with arguments.
func (e *evaluator) call(f any, args []any, kwargs map[string]any) (any, error) {
	switch f := f.(type) {
	case *function:
		return f.call(e, args, kwargs)
	case *loop:
		return f.recurse(e, args)
	case undefined:
		return nil, f.err()
	}
	return nil, fmt.Errorf("'%s' object is not callable", typeName(f))
}

// scope holds variables. A block's scope sees those around it; setting a
// variable changes the innermost one only.
type scope struct {
	vars   map[string]any
	parent *scope
}

func newScope(parent *scope) *scope { return &scope{parent: parent} }

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s *scope) set(name string, v any) {
	if s.vars == nil {
		s.vars = map[string]any{}
	}
	s.vars[name] = v
}
