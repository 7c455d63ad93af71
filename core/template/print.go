package template

import (
	"fmt"
	"html"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// str gives the text that printing a value shows.
func (e *evaluator) str(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case safe:
		return string(v), nil
	case undefined:
		return "", nil
	}
	p := printer{limit: MaxOutput}
	p.repr(v, 0)
	if p.err != nil {
		return "", p.err
	}
	return p.b.String(), e.charge(p.b.Len())
}

// markup gives a value's text with HTML escaped, unless it is safe.
func (e *evaluator) markup(v any) (safe, error) {
	if s, ok := v.(safe); ok {
		return s, nil
	}
	s, err := e.str(v)
	if err != nil {
		return "", err
	}
	s = escapeHTML(s)
	return safe(s), e.charge(len(s))
}

func escapeHTML(s string) string { return html.EscapeString(s) }

// printer writes values as Python's repr does.
type printer struct {
	b     strings.Builder
	limit int
	err   error
}

func (p *printer) write(s string) {
	if p.err == nil && p.b.Len()+len(s) > p.limit {
		p.err = errOutput
	}
	if p.err == nil {
		p.b.WriteString(s)
	}
}

func (p *printer) repr(v any, depth int) {
	if p.err != nil {
		return
	}
	if depth > maxDepth {
		p.write("...") // a list may hold itself
		return
	}
	switch v := v.(type) {
	case nil:
		p.write("None")
	case bool:
		p.write(map[bool]string{true: "True", false: "False"}[v])
	case int:
		p.write(strconv.Itoa(v))
	case *big.Int:
		p.write(v.String())
	case float64:
		p.write(floatRepr(v))
	case string:
		p.write(quote(v))
	case safe:
		p.write("Markup(" + quote(string(v)) + ")")
	case undefined:
		p.write("Undefined")
	case *list:
		p.list(v, depth)
	case *dict:
		p.write("{")
		for i, k := range v.keys {
			if i > 0 {
				p.write(", ")
			}
			p.repr(k, depth+1)
			p.write(": ")
			p.repr(v.vals[i], depth+1)
		}
		p.write("}")
	case *function:
		p.write("<function " + v.name + ">")
	default:
		p.write("<" + typeName(v) + ">")
	}
}

func (p *printer) list(l *list, depth int) {
	if l.kind == "range" {
		p.write(rangeRepr(l.items))
		return
	}
	open, end := "[", "]"
	if l.isTuple() {
		open, end = "(", ")"
		if len(l.items) == 1 {
			end = ",)"
		}
	}
	p.write(open)
	for i, x := range l.items {
		if i > 0 {
			p.write(", ")
		}
		p.repr(x, depth+1)
	}
	p.write(end)
}

// rangeRepr rebuilds the bounds of a range from its items.
func rangeRepr(items []any) string {
	if len(items) == 0 {
		return "range(0, 0)"
	}
	first, step := items[0].(int), 1
	if len(items) > 1 {
		step = items[1].(int) - first
	}
	stop := items[len(items)-1].(int) + step
	if step == 1 {
		return fmt.Sprintf("range(%d, %d)", first, stop)
	}
	return fmt.Sprintf("range(%d, %d, %d)", first, stop, step)
}

// floatRepr is the shortest text that gives the same float back: 1.0, 0.1,
// 1e+20, 1e-05, inf, nan.
func floatRepr(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(map[bool]string{true: "+inf", false: "-inf"}[f > 0], "+")
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	exp, _ := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	if exp < -4 || exp >= 16 {
		return s
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote writes text in single quotes, or in double quotes when it has single
// ones and no double ones.
func quote(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for _, r := range s {
		switch {
		case r == rune(q) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(q)
	return b.String()
}
