package template

import "errors"

var errLoader = errors.New("no loader for this environment specified")

// block reads a statement after its name.
func (p *parser) block(name string) (stmt, error) {
	switch name {
	case "if":
		return p.ifBlock()
	case "for":
		return p.forBlock()
	case "set":
		return p.setBlock()
	case "macro":
		return p.macroBlock()
	case "call":
		return p.callBlock()
	case "filter":
		return p.filterBlock()
	case "with":
		return p.withBlock()
	case "autoescape":
		on, err := p.expression()
		if err != nil {
			return nil, err
		}
		body, err := p.closed("endautoescape")
		return &escapeStmt{on, body}, err
	case "block":
		return p.namedBlock()
	case "include", "extends", "import", "from":
		return nil, errLoader
	}
	return nil, p.fail("Encountered unknown tag '%s'.", name)
}

func (p *parser) ifBlock() (stmt, error) {
	s := &ifStmt{}
	for {
		test, err := p.tuple(false)
		if err != nil {
			return nil, err
		}
		body, end, err := p.section("elif", "else", "endif")
		if err != nil {
			return nil, err
		}
		s.tests, s.bodies = append(s.tests, test), append(s.bodies, body)
		switch end {
		case "else":
			body, err := p.closed("endif")
			s.bodies = append(s.bodies, body)
			return s, err
		case "endif":
			return s, p.expectKind(tokenBlockEnd)
		}
	}
}

func (p *parser) forBlock() (stmt, error) {
	s := &forStmt{}
	var err error
	if s.target, err = p.target(true); err != nil {
		return nil, err
	}
	if !p.skipName("in") {
		return nil, p.fail("expected token 'in', got '%s'", p.current())
	}
	if s.iterable, err = p.tuple(false); err != nil {
		return nil, err
	}
	if p.skipName("if") {
		if s.test, err = p.expression(); err != nil {
			return nil, err
		}
	}
	s.recursive = p.skipName("recursive")
	var end string
	if s.body, end, err = p.section("else", "endfor"); err != nil {
		return nil, err
	}
	if end == "else" {
		s.otherwise, err = p.closed("endfor")
		return s, err
	}
	return s, p.expectKind(tokenBlockEnd)
}

// target reads the names on the left of an assignment; several make a tuple
// when that is allowed, and parentheses nest.
func (p *parser) target(many bool) (target, error) {
	if err := p.nested(); err != nil {
		return target{}, err
	}
	defer func() { p.depth-- }()
	var parts []target
	comma := false
	for {
		var t target
		var err error
		if p.skipOp("(") {
			if t, err = p.target(true); err == nil {
				err = p.expectOp(")")
			}
		} else {
			t.name, err = p.name()
		}
		if err != nil {
			return target{}, err
		}
		switch t.name {
		case "true", "false", "none", "True", "False", "None":
			return target{}, p.fail("can't assign to '%s'", t.name)
		}
		parts = append(parts, t)
		if !many || !p.skipOp(",") {
			break
		}
		comma = true
		if p.isName("in") || p.isOp("=") || p.isOp(")") {
			break
		}
	}
	if !comma {
		return parts[0], nil
	}
	return target{parts: parts}, nil
}

func (p *parser) setBlock() (stmt, error) {
	t, err := p.target(true)
	if err != nil {
		return nil, err
	}
	if p.skipOp("=") {
		value, err := p.tuple(true)
		if err != nil {
			return nil, err
		}
		return &setStmt{t, value}, p.expectKind(tokenBlockEnd)
	}
	if p.isOp(".") {
		return nil, p.fail("cannot assign attribute on non-namespace object")
	}
	s := &setBlockStmt{name: t.name}
	if p.isOp("|") {
		if s.filter, err = p.filters(&nameExpr{bodyName}); err != nil {
			return nil, err
		}
	}
	s.body, err = p.closed("endset")
	return s, err
}

// params reads "(a, b=1)".
func (p *parser) params(m *macro) error {
	if err := p.expectOp("("); err != nil {
		return err
	}
	for !p.skipOp(")") {
		if len(m.params) > 0 {
			if err := p.expectOp(","); err != nil {
				return err
			}
		}
		name, err := p.name()
		if err != nil {
			return err
		}
		m.params = append(m.params, name)
		if p.skipOp("=") {
			value, err := p.expression()
			if err != nil {
				return err
			}
			m.defaults = append(m.defaults, value)
		} else if len(m.defaults) > 0 {
			return p.fail("non-default argument follows default argument")
		}
	}
	return nil
}

func (p *parser) macroBlock() (stmt, error) {
	s := &macroStmt{}
	var err error
	if s.name, err = p.name(); err != nil {
		return nil, err
	}
	if err := p.params(&s.macro); err != nil {
		return nil, err
	}
	s.body, err = p.closed("endmacro")
	return s, err
}

func (p *parser) callBlock() (stmt, error) {
	s := &callStmt{caller: macro{name: "caller"}}
	if p.isOp("(") {
		if err := p.params(&s.caller); err != nil {
			return nil, err
		}
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	call, ok := x.(*callExpr)
	if !ok {
		return nil, p.fail("expected call")
	}
	s.call = call
	s.caller.body, err = p.closed("endcall")
	return s, err
}

func (p *parser) filterBlock() (stmt, error) {
	filter, err := p.filterCall(&nameExpr{bodyName})
	if err != nil {
		return nil, err
	}
	if filter, err = p.filters(filter); err != nil {
		return nil, err
	}
	body, err := p.closed("endfilter")
	return &filterStmt{filter, body}, err
}

func (p *parser) withBlock() (stmt, error) {
	s := &withStmt{}
	for p.current().kind != tokenBlockEnd {
		if len(s.names) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
		}
		t, err := p.target(false)
		if err != nil {
			return nil, err
		}
		if err := p.expectOp("="); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		s.names, s.values = append(s.names, t), append(s.values, value)
	}
	var err error
	s.body, err = p.closed("endwith")
	return s, err
}

// namedBlock reads a block, which renders in place: there is no inheritance.
func (p *parser) namedBlock() (stmt, error) {
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	p.skipName("scoped")
	p.skipName("required")
	body, _, err := p.section("endblock")
	if err != nil {
		return nil, err
	}
	p.skipName(name)
	return &scopeStmt{body}, p.expectKind(tokenBlockEnd)
}
