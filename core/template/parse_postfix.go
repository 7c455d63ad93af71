package template

import "strconv"

// postfix reads the attributes, items and calls after an operand.
func (p *parser) postfix(x expr) (expr, error) {
	for {
		var err error
		switch {
		case p.skipOp("."):
			x, err = p.member(x)
		case p.skipOp("["):
			x, err = p.subscript(x)
		case p.isOp("("):
			x, err = p.call(x)
		default:
			return x, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) member(x expr) (expr, error) {
	switch t := p.next(); t.kind {
	case tokenName:
		return &attrExpr{x, t.text}, nil
	case tokenInteger:
		i, err := strconv.Atoi(t.text)
		if err != nil {
			return nil, syntaxError(t.line, "invalid number '%s'", t.text)
		}
		return &itemExpr{x, &constExpr{i}}, nil
	default:
		return nil, syntaxError(t.line, "expected name or number")
	}
}

// subscript reads "key]" or "start:stop:step]".
func (p *parser) subscript(x expr) (expr, error) {
	var parts [3]expr
	n := 0
	for {
		if !p.isOp(":") && !p.isOp("]") {
			part, err := p.tuple(true)
			if err != nil {
				return nil, err
			}
			parts[n] = part
		}
		if p.skipOp("]") {
			break
		}
		if n == 2 || !p.skipOp(":") {
			return nil, p.fail("expected token ']', got '%s'", p.current())
		}
		n++
	}
	if n > 0 {
		return &sliceExpr{x, parts[0], parts[1], parts[2]}, nil
	}
	if parts[0] == nil {
		return nil, p.fail("expected subscript expression")
	}
	return &itemExpr{x, parts[0]}, nil
}

func (p *parser) call(x expr) (expr, error) {
	c := &callExpr{function: x}
	var err error
	c.args, err = p.arguments()
	return c, err
}

// arguments reads "(a, b=c, *d, **e)".
func (p *parser) arguments() (arguments, error) {
	var a arguments
	if err := p.expectOp("("); err != nil {
		return a, err
	}
	for first := true; !p.skipOp(")"); first = false {
		if !first {
			if err := p.expectOp(","); err != nil {
				return a, err
			}
			if p.skipOp(")") {
				break
			}
		}
		name := ""
		switch t := p.current(); {
		case p.skipOp("**"):
			name = "**"
		case p.skipOp("*"):
			name = "*"
		case t.kind == tokenName && p.peek().kind == tokenOperator && p.peek().text == "=":
			name = t.text
			p.next()
			p.next()
		}
		x, err := p.expression()
		if err != nil {
			return a, err
		}
		switch {
		case name == "**" && a.dsplat == nil:
			a.dsplat = x
		case name == "*" && a.splat == nil && a.dsplat == nil:
			a.splat = x
		case name == "" && len(a.names) == 0 && a.dsplat == nil && a.splat == nil:
			a.list = append(a.list, x)
		case name != "" && name[0] != '*' && a.dsplat == nil:
			a.names, a.named = append(a.names, name), append(a.named, x)
		default:
			return a, p.fail("invalid syntax for function call expression")
		}
	}
	return a, nil
}

// filters reads the filters and tests after an operand.
func (p *parser) filters(x expr) (expr, error) {
	for {
		var err error
		switch {
		case p.skipOp("|"):
			x, err = p.filterCall(x)
		case p.isName("is"):
			x, err = p.testCall(x)
		case p.isOp("("):
			x, err = p.call(x)
		default:
			return x, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// dotted reads a name that may hold dots.
func (p *parser) dotted() (string, error) {
	name, err := p.name()
	for err == nil && p.skipOp(".") {
		var part string
		part, err = p.name()
		name += "." + part
	}
	return name, err
}

func (p *parser) filterCall(x expr) (expr, error) {
	f := &filterExpr{input: x}
	var err error
	if f.name, err = p.dotted(); err != nil {
		return nil, err
	}
	if p.isOp("(") {
		f.args, err = p.arguments()
	}
	return f, err
}

func (p *parser) testCall(x expr) (expr, error) {
	p.next()
	t := &testExpr{input: x, negate: p.skipName("not")}
	var err error
	if t.name, err = p.dotted(); err != nil {
		return nil, err
	}
	switch next := p.current(); {
	case p.isOp("("):
		t.args, err = p.arguments()
	case next.kind == tokenString, next.kind == tokenInteger, next.kind == tokenFloat,
		p.isOp("["), p.isOp("{"),
		next.kind == tokenName && !wordsAfterTest[next.text]:
		if next.text == "is" && next.kind == tokenName {
			return nil, p.fail("You cannot chain multiple tests with is")
		}
		var arg expr
		if arg, err = p.primary(); err == nil {
			arg, err = p.postfix(arg)
		}
		t.args.list = []expr{arg}
	}
	return t, err
}

// wordsAfterTest cannot start the argument of a test without parentheses.
var wordsAfterTest = map[string]bool{"else": true, "or": true, "and": true, "if": true, "in": true, "not": true, "recursive": true}
