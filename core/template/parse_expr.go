package template

import (
	"math/big"
	"strconv"
	"strings"
)

// tuple reads an expression, or several separated by commas, which make a
// tuple. Without conditions an "if" ends it, as it does in a for tag.
func (p *parser) tuple(conditions bool) (expr, error) {
	one := p.expression
	if !conditions {
		one = p.or
	}
	var items []expr
	for {
		x, err := one()
		if err != nil {
			return nil, err
		}
		items = append(items, x)
		if !p.skipOp(",") {
			if len(items) == 1 {
				return x, nil
			}
			return &tupleExpr{items}, nil
		}
		if p.tupleEnds() {
			return &tupleExpr{items}, nil
		}
	}
}

func (p *parser) tupleEnds() bool {
	switch t := p.current(); t.kind {
	case tokenPrintEnd, tokenBlockEnd:
		return true
	case tokenOperator:
		return t.text == ")"
	}
	return false
}

// expression reads "a if b else c".
func (p *parser) expression() (expr, error) {
	if err := p.nested(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	for p.skipName("if") {
		c := &condExpr{then: x}
		if c.test, err = p.or(); err != nil {
			return nil, err
		}
		if p.skipName("else") {
			if c.other, err = p.expression(); err != nil {
				return nil, err
			}
		}
		x = c
	}
	return x, nil
}

func (p *parser) or() (expr, error) {
	x, err := p.and()
	for err == nil && p.skipName("or") {
		var right expr
		right, err = p.and()
		x = &orExpr{x, right}
	}
	return x, err
}

func (p *parser) and() (expr, error) {
	x, err := p.not()
	for err == nil && p.skipName("and") {
		var right expr
		right, err = p.not()
		x = &andExpr{x, right}
	}
	return x, err
}

func (p *parser) not() (expr, error) {
	if !p.skipName("not") {
		return p.comparison()
	}
	if err := p.nested(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	x, err := p.not()
	return &notExpr{x}, err
}

func (p *parser) comparison() (expr, error) {
	x, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := &compareExpr{first: x}
	for {
		op := ""
		switch t := p.current(); {
		case t.kind == tokenOperator && strings.Contains(" == != < > <= >= ", " "+t.text+" "):
			op = t.text
		case p.isName("in"):
			op = "in"
		case p.isName("not") && p.peek().kind == tokenName && p.peek().text == "in":
			p.next()
			op = "not in"
		}
		if op == "" {
			break
		}
		p.next()
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, right)
	}
	if len(c.ops) == 0 {
		return x, nil
	}
	return c, nil
}

// leftToRight reads operands of one rank of binary operators.
func (p *parser) leftToRight(operand func() (expr, error), ops ...string) (expr, error) {
	x, err := operand()
	for err == nil {
		op := ""
		for _, candidate := range ops {
			if p.skipOp(candidate) {
				op = candidate
				break
			}
		}
		if op == "" {
			break
		}
		var right expr
		right, err = operand()
		x = &binaryExpr{op, x, right}
	}
	return x, err
}

func (p *parser) sum() (expr, error) { return p.leftToRight(p.concat, "+", "-") }

func (p *parser) concat() (expr, error) {
	x, err := p.product()
	if err != nil || !p.isOp("~") {
		return x, err
	}
	parts := []expr{x}
	for p.skipOp("~") {
		if x, err = p.product(); err != nil {
			return nil, err
		}
		parts = append(parts, x)
	}
	return &concatExpr{parts}, nil
}

func (p *parser) product() (expr, error) { return p.leftToRight(p.power, "*", "/", "//", "%") }

func (p *parser) power() (expr, error) {
	return p.leftToRight(func() (expr, error) { return p.unary(true) }, "**")
}

// unary reads a sign and its operand. The filters after a negative number
// belong to the negative number.
func (p *parser) unary(filters bool) (expr, error) {
	if err := p.nested(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var x expr
	var err error
	switch {
	case p.isOp("-"), p.isOp("+"):
		negative := p.next().text == "-"
		x, err = p.unary(false)
		x = &signExpr{negative, x}
	default:
		x, err = p.primary()
	}
	if err == nil {
		x, err = p.postfix(x)
	}
	if err == nil && filters {
		x, err = p.filters(x)
	}
	return x, err
}

var constants = map[string]any{"true": true, "True": true, "false": false, "False": false, "none": nil, "None": nil}

func (p *parser) primary() (expr, error) {
	switch t := p.current(); t.kind {
	case tokenName:
		p.next()
		if v, ok := constants[t.text]; ok {
			return &constExpr{v}, nil
		}
		return &nameExpr{t.text}, nil
	case tokenString:
		var b strings.Builder
		for p.current().kind == tokenString {
			b.WriteString(p.next().text)
		}
		return &constExpr{b.String()}, nil
	case tokenInteger:
		p.next()
		n, ok := new(big.Int).SetString(t.text, 0)
		if !ok { // leading zeros
			n, ok = new(big.Int).SetString(strings.ReplaceAll(t.text, "_", ""), 10)
		}
		if !ok || n.BitLen() > maxBits {
			return nil, p.fail("invalid number '%s'", t.text)
		}
		return &constExpr{normal(n)}, nil
	case tokenFloat:
		p.next()
		f, err := strconv.ParseFloat(strings.ReplaceAll(t.text, "_", ""), 64)
		if err != nil && f == 0 {
			return nil, p.fail("invalid number '%s'", t.text)
		}
		return &constExpr{f}, nil
	case tokenOperator:
		switch t.text {
		case "(":
			p.next()
			if p.skipOp(")") {
				return &tupleExpr{}, nil
			}
			x, err := p.tuple(true)
			if err != nil {
				return nil, err
			}
			return x, p.expectOp(")")
		case "[":
			p.next()
			items, err := p.items("]")
			return &listExpr{items}, err
		case "{":
			return p.dict()
		}
	}
	return nil, p.fail("unexpected '%s'", p.current())
}

// items reads expressions up to the closing bracket.
func (p *parser) items(end string) ([]expr, error) {
	var items []expr
	for !p.skipOp(end) {
		if len(items) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
			if p.skipOp(end) {
				break
			}
		}
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	return items, nil
}

func (p *parser) dict() (expr, error) {
	p.next()
	d := &dictExpr{}
	for !p.skipOp("}") {
		if len(d.keys) > 0 {
			if err := p.expectOp(","); err != nil {
				return nil, err
			}
			if p.skipOp("}") {
				break
			}
		}
		k, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expectOp(":"); err != nil {
			return nil, err
		}
		v, err := p.expression()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
	}
	return d, nil
}
