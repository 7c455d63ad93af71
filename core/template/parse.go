package template

import "slices"

// parser builds the tree from tokens.
type parser struct {
	tokens []token
	at     int
	depth  int
}

// parse reads a template.
func parse(src string) ([]stmt, error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	body, _, err := p.body(nil)
	return body, err
}

func (p *parser) current() token { return p.tokens[p.at] }

func (p *parser) peek() token {
	return p.tokens[min(p.at+1, len(p.tokens)-1)]
}

func (p *parser) next() token {
	t := p.tokens[p.at]
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

func (p *parser) isOp(text string) bool {
	t := p.current()
	return t.kind == tokenOperator && t.text == text
}

func (p *parser) isName(text string) bool {
	t := p.current()
	return t.kind == tokenName && t.text == text
}

func (p *parser) skipOp(text string) bool {
	if p.isOp(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) skipName(text string) bool {
	if p.isName(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) fail(format string, args ...any) error {
	return syntaxError(p.current().line, format, args...)
}

func (p *parser) expectOp(text string) error {
	if !p.skipOp(text) {
		return p.fail("expected token '%s', got '%s'", text, p.current())
	}
	return nil
}

func (p *parser) expectKind(kind tokenKind) error {
	if p.current().kind != kind {
		return p.fail("expected token '%s', got '%s'", token{kind: kind}, p.current())
	}
	p.next()
	return nil
}

func (p *parser) name() (string, error) {
	t := p.current()
	if t.kind != tokenName {
		return "", p.fail("expected token 'name', got '%s'", t)
	}
	p.next()
	return t.text, nil
}

// nested guards the recursion of the parser: the source is the user's.
func (p *parser) nested() error {
	p.depth++
	if p.depth > maxNesting {
		return errDepth
	}
	return nil
}

// body reads statements up to a block tag with one of the names, which it
// consumes, or up to the end of the template when there are no names.
func (p *parser) body(ends []string) ([]stmt, string, error) {
	if err := p.nested(); err != nil {
		return nil, "", err
	}
	defer func() { p.depth-- }()
	var out []stmt
	for {
		switch t := p.next(); t.kind {
		case tokenEnd:
			if len(ends) > 0 {
				return nil, "", syntaxError(t.line, "Unexpected end of template. Jinja was looking for the tag '%s'.", ends[len(ends)-1])
			}
			return out, "", nil
		case tokenData:
			out = append(out, &dataStmt{t.text})
		case tokenPrintBegin:
			x, err := p.tuple(true)
			if err != nil {
				return nil, "", err
			}
			if err := p.expectKind(tokenPrintEnd); err != nil {
				return nil, "", err
			}
			out = append(out, &printStmt{x})
		default:
			name, err := p.name()
			if err != nil {
				return nil, "", err
			}
			if slices.Contains(ends, name) {
				return out, name, nil
			}
			s, err := p.block(name)
			if err != nil {
				return nil, "", err
			}
			out = append(out, s)
		}
	}
}

// section reads the end of a begin tag, a body, and the end tag.
func (p *parser) section(ends ...string) ([]stmt, string, error) {
	if err := p.expectKind(tokenBlockEnd); err != nil {
		return nil, "", err
	}
	return p.body(ends)
}

// closed is a section with one possible end tag, which takes no arguments.
func (p *parser) closed(end string) ([]stmt, error) {
	body, _, err := p.section(end)
	if err != nil {
		return nil, err
	}
	return body, p.expectKind(tokenBlockEnd)
}
