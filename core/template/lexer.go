package template

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenData tokenKind = iota
	tokenPrintBegin
	tokenPrintEnd
	tokenBlockBegin
	tokenBlockEnd
	tokenName
	tokenString
	tokenInteger
	tokenFloat
	tokenOperator
	tokenEnd
)

// A token is a piece of the source. The text of a string is already decoded.
type token struct {
	kind tokenKind
	text string
	line int
}

func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "end of template"
	case tokenPrintEnd:
		return "end of print statement"
	case tokenBlockEnd:
		return "end of statement block"
	}
	return t.text
}

// syntaxError is a mistake in the source of a template.
func syntaxError(line int, format string, args ...any) error {
	return fmt.Errorf("%s (line %d)", fmt.Sprintf(format, args...), line)
}

type lexer struct {
	src    string
	pos    int
	line   int
	tokens []token
	// trimNext drops the white space at the start of the next data.
	trimNext bool
}

const space = " \t\n\r\v\f"

// lex splits a template into tokens. Line ends become "\n", and one at the end
// of the source is dropped.
func lex(src string) ([]token, error) {
	src = strings.ReplaceAll(src, "\r\n", "\n")
	src = strings.ReplaceAll(src, "\r", "\n")
	l := &lexer{src: strings.TrimSuffix(src, "\n"), line: 1}
	for l.pos < len(l.src) {
		if err := l.data(); err != nil {
			return nil, err
		}
	}
	l.emit(tokenEnd, "")
	return l.tokens, nil
}

func (l *lexer) emit(kind tokenKind, text string) {
	l.tokens = append(l.tokens, token{kind, text, l.line})
}

// advance moves on by n bytes and counts the lines in them.
func (l *lexer) advance(n int) string {
	text := l.src[l.pos : l.pos+n]
	l.pos += n
	l.line += strings.Count(text, "\n")
	return text
}

// data reads text up to the next tag, and the tag.
func (l *lexer) data() error {
	rest := l.src[l.pos:]
	end := len(rest)
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && strings.IndexByte("{%#", rest[i+1]) >= 0 {
			end = i
			break
		}
	}
	text := rest[:end]
	if l.trimNext {
		text = strings.TrimLeft(text, space)
	}
	l.trimNext = false
	if end+2 < len(rest) && rest[end+2] == '-' {
		text = strings.TrimRight(text, space)
	}
	if text != "" {
		l.emit(tokenData, text)
	}
	l.advance(end)
	if end == len(rest) {
		return nil
	}
	open := l.advance(2)
	if l.pos < len(l.src) && (l.src[l.pos] == '-' || l.src[l.pos] == '+' && open != "{{") {
		l.advance(1)
	}
	switch open {
	case "{#":
		return l.comment()
	case "{{":
		l.emit(tokenPrintBegin, open)
		return l.expression("}}", tokenPrintEnd)
	}
	if ok, err := l.raw(); ok || err != nil {
		return err
	}
	l.emit(tokenBlockBegin, open)
	return l.expression("%}", tokenBlockEnd)
}

func (l *lexer) comment() error {
	i := strings.Index(l.src[l.pos:], "#}")
	if i < 0 {
		return syntaxError(l.line, "Missing end of comment tag")
	}
	l.trimNext = i > 0 && l.src[l.pos+i-1] == '-'
	l.advance(i + 2)
	return nil
}

// raw reads a raw block whose begin tag was opened, if it is one.
func (l *lexer) raw() (bool, error) {
	trim, n, ok := blockTag(l.src[l.pos:], "raw")
	if !ok {
		return false, nil
	}
	start := l.line
	l.advance(n)
	for i := l.pos; ; i += 2 {
		next := strings.Index(l.src[i:], "{%")
		if next < 0 {
			return true, syntaxError(start, "Missing end of raw directive")
		}
		i += next
		tag := l.src[i+2:]
		trimLeft := strings.HasPrefix(tag, "-")
		tag = strings.TrimLeft(tag, "-+")
		after, n, ok := blockTag(tag, "endraw")
		if !ok {
			continue
		}
		text := l.src[l.pos:i]
		if trim {
			text = strings.TrimLeft(text, space)
		}
		if trimLeft {
			text = strings.TrimRight(text, space)
		}
		if text != "" {
			l.emit(tokenData, text)
		}
		l.trimNext = after
		l.advance(len(l.src) - len(tag) + n - l.pos)
		return true, nil
	}
}

// blockTag matches the rest of a tag that holds just the name, and gives
// whether it trims what follows and its length.
func blockTag(s, name string) (trim bool, n int, ok bool) {
	rest := strings.TrimLeft(s, space)
	rest, ok = strings.CutPrefix(rest, name)
	if !ok {
		return false, 0, false
	}
	rest = strings.TrimLeft(rest, space)
	rest, trim = strings.CutPrefix(rest, "-")
	if !trim {
		rest = strings.TrimPrefix(rest, "+")
	}
	rest, ok = strings.CutPrefix(rest, "%}")
	return trim, len(s) - len(rest), ok
}

var operators = []string{
	"**", "//", "==", "!=", "<=", ">=",
	"+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ":", "|", ",", "(", ")", "[", "]", "{", "}", ";",
}

// expression reads the tokens of a tag up to its end.
func (l *lexer) expression(end string, kind tokenKind) error {
	var open []byte
	for {
		l.advance(len(l.src[l.pos:]) - len(strings.TrimLeft(l.src[l.pos:], space)))
		rest := l.src[l.pos:]
		if rest == "" {
			return syntaxError(l.line, "unexpected end of template, expected %q", end)
		}
		if len(open) == 0 {
			trimmed := strings.TrimPrefix(rest, "-")
			if kind == tokenBlockEnd && trimmed == rest {
				trimmed = strings.TrimPrefix(rest, "+")
			}
			if strings.HasPrefix(trimmed, end) {
				l.emit(kind, end)
				l.trimNext = rest[0] == '-'
				l.advance(len(rest) - len(trimmed) + len(end))
				return nil
			}
		}
		c, _ := utf8.DecodeRuneInString(rest)
		switch {
		case c == '"' || c == '\'':
			if err := l.quoted(byte(c)); err != nil {
				return err
			}
			continue
		case c >= '0' && c <= '9':
			l.number()
			continue
		case c == '_' || unicode.IsLetter(c):
			i := strings.IndexFunc(rest, func(r rune) bool {
				return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
			})
			if i < 0 {
				i = len(rest)
			}
			l.emit(tokenName, rest[:i])
			l.advance(i)
			continue
		}
		op := ""
		for _, candidate := range operators {
			if strings.HasPrefix(rest, candidate) {
				op = candidate
				break
			}
		}
		switch op {
		case "":
			return syntaxError(l.line, "unexpected char %q", string(c))
		case "(", "[", "{":
			open = append(open, map[string]byte{"(": ')', "[": ']', "{": '}'}[op])
		case ")", "]", "}":
			if len(open) == 0 {
				return syntaxError(l.line, "unexpected '%s'", op)
			}
			if want := open[len(open)-1]; want != op[0] {
				return syntaxError(l.line, "unexpected '%s', expected '%c'", op, want)
			}
			open = open[:len(open)-1]
		}
		l.emit(tokenOperator, op)
		l.advance(len(op))
	}
}

func (l *lexer) quoted(quote byte) error {
	rest := l.src[l.pos:]
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case quote:
			text, err := DecodeEscapes(rest[1:i])
			if err != nil {
				return syntaxError(l.line, "%s", err.Error())
			}
			l.emit(tokenString, text)
			l.advance(i + 1)
			return nil
		}
	}
	return syntaxError(l.line, "unexpected char %q", string(quote))
}

// number reads an integer (decimal, 0x, 0o or 0b) or a float; underscores may
// separate digits. "1." is an integer and a dot.
func (l *lexer) number() {
	rest := l.src[l.pos:]
	digits := func(i int, set string) int {
		for i < len(rest) && (strings.IndexByte(set, rest[i]) >= 0 || rest[i] == '_' && i+1 < len(rest) && strings.IndexByte(set, rest[i+1]) >= 0) {
			i++
		}
		return i
	}
	const decimal = "0123456789"
	if len(rest) > 2 && rest[0] == '0' {
		sets := map[byte]string{'x': decimal + "abcdefABCDEF", 'o': "01234567", 'b': "01"}
		if set := sets[rest[1]|0x20]; set != "" {
			if i := digits(2, set); i > 2 {
				l.emit(tokenInteger, rest[:i])
				l.advance(i)
				return
			}
		}
	}
	kind, i := tokenInteger, digits(0, decimal)
	if i < len(rest) && rest[i] == '.' && !l.afterDot() {
		if j := digits(i+1, decimal); j > i+1 {
			kind, i = tokenFloat, j
		}
	}
	if i < len(rest) && rest[i]|0x20 == 'e' {
		j := i + 1
		if j < len(rest) && (rest[j] == '+' || rest[j] == '-') {
			j++
		}
		if k := digits(j, decimal); k > j {
			kind, i = tokenFloat, k
		}
	}
	l.emit(kind, rest[:i])
	l.advance(i)
}

// afterDot tells "x.0.1", two accesses, from a float.
func (l *lexer) afterDot() bool {
	last := l.tokens[len(l.tokens)-1]
	return last.kind == tokenOperator && last.text == "."
}
