package template

import "fmt"

// forStmt is a loop; test skips items, otherwise runs when there are none.
type forStmt struct {
	target    target
	iterable  expr
	test      expr
	body      []stmt
	otherwise []stmt
	recursive bool
}

func (s *forStmt) run(e *evaluator) error {
	v, err := e.eval(s.iterable)
	if err != nil {
		return err
	}
	return s.over(e, v, 0)
}

// over runs the loop over the items of a value.
func (s *forStmt) over(e *evaluator, v any, depth int) error {
	items, err := e.items(v)
	if err != nil {
		return err
	}
	if s.test != nil {
		if items, err = s.selected(e, items); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return e.within(func(*scope) error { return nil }, s.otherwise)
	}
	l := &loop{stmt: s, scope: e.scope, items: items, depth: depth}
	for l.at = range items {
		err := e.within(func(inner *scope) error {
			inner.set("loop", l)
			return e.assign(inner, s.target, items[l.at])
		}, s.body)
		if err != nil {
			return err
		}
	}
	return nil
}

// selected gives the items for which the loop's test holds.
func (s *forStmt) selected(e *evaluator, items []any) ([]any, error) {
	outer := e.scope
	defer func() { e.scope = outer }()
	var kept []any
	for _, item := range items {
		e.scope = newScope(outer)
		if err := e.assign(e.scope, s.target, item); err != nil {
			return nil, err
		}
		ok, err := e.test(s.test)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, item)
		}
	}
	return kept, e.charge(16 * len(kept))
}

// loop is the variable of that name inside a loop.
type loop struct {
	stmt  *forStmt
	scope *scope
	items []any
	at    int
	depth int
	last  any // what changed() saw last
	seen  bool
}

func (l *loop) attribute(name string) (any, bool) {
	n := len(l.items)
	switch name {
	case "index":
		return l.at + 1, true
	case "index0":
		return l.at, true
	case "revindex":
		return n - l.at, true
	case "revindex0":
		return n - l.at - 1, true
	case "first":
		return l.at == 0, true
	case "last":
		return l.at == n-1, true
	case "length":
		return n, true
	case "depth":
		return l.depth + 1, true
	case "depth0":
		return l.depth, true
	case "previtem":
		if l.at == 0 {
			return undefined{"there is no previous item"}, true
		}
		return l.items[l.at-1], true
	case "nextitem":
		if l.at == n-1 {
			return undefined{"there is no next item"}, true
		}
		return l.items[l.at+1], true
	case "cycle":
		return &function{name, func(_ *evaluator, args []any, _ map[string]any) (any, error) {
			if len(args) == 0 {
				return nil, fmt.Errorf("no items for cycling given")
			}
			return args[l.at%len(args)], nil
		}}, true
	case "changed":
		return &function{name, l.changed}, true
	}
	return nil, false
}

func (l *loop) changed(e *evaluator, args []any, _ map[string]any) (any, error) {
	now := newTuple(args...)
	if l.seen {
		same, err := e.equal(now, l.last)
		if err != nil || same {
			return false, err
		}
	}
	l.last, l.seen = now, true
	return true, nil
}

// recurse runs a recursive loop again over other items and gives its text.
func (l *loop) recurse(e *evaluator, args []any) (any, error) {
	if !l.stmt.recursive {
		return nil, fmt.Errorf("The loop must have the 'recursive' marker to be called recursively.")
	}
	if len(args) != 1 {
		return nil, fmt.Errorf("loop() takes exactly one argument")
	}
	again := &recursion{l.stmt, args[0], l.depth + 1}
	return e.capture([]stmt{again}, newScope(l.scope))
}

type recursion struct {
	stmt  *forStmt
	items any
	depth int
}

func (r *recursion) run(e *evaluator) error { return r.stmt.over(e, r.items, r.depth) }

// globalRange is the only global of a template.
var globalRange = &function{"range", func(e *evaluator, args []any, _ map[string]any) (any, error) {
	bounds := make([]int, len(args))
	for i, a := range args {
		n, ok := a.(int)
		if b, isBool := a.(bool); isBool {
			n, ok = boolInt(b), true
		}
		if u, isUndefined := a.(undefined); isUndefined {
			return nil, u.err()
		}
		if !ok {
			return nil, fmt.Errorf("'%s' object cannot be interpreted as an integer", typeName(a))
		}
		bounds[i] = n
	}
	start, stop, step := 0, 0, 1
	switch len(bounds) {
	case 1:
		stop = bounds[0]
	case 2:
		start, stop = bounds[0], bounds[1]
	case 3:
		start, stop, step = bounds[0], bounds[1], bounds[2]
	default:
		return nil, fmt.Errorf("range expected 1 to 3 arguments, got %d", len(args))
	}
	if step == 0 {
		return nil, fmt.Errorf("range() arg 3 must not be zero")
	}
	n := rangeLength(start, stop, step)
	if n > MaxItems {
		return nil, fmt.Errorf("range() too large (%d items, max %d)", n, MaxItems)
	}
	items := make([]any, n)
	for i := range items {
		items[i] = start + i*step
	}
	return &list{kind: "range", items: items}, e.charge(24 * len(items))
}}

// rangeLength counts the items of a range without overflowing.
func rangeLength(start, stop, step int) uint {
	var distance, stride uint
	switch {
	case step > 0 && start < stop:
		distance, stride = uint(stop)-uint(start), uint(step)
	case step < 0 && start > stop:
		distance, stride = uint(start)-uint(stop), -uint(step)
	default:
		return 0
	}
	return (distance-1)/stride + 1
}
