package template

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var verb = regexp.MustCompile(`%(?:\((\w+)\))?([-+ #0]*)(\d+|\*)?(?:\.(\d+))?[hlL]?(.)`)

// printf formats as Python's % operator does. The arguments are values in
// order, or one object for verbs with names: %(name)s.
func (e *evaluator) printf(format string, args []any) (string, error) {
	var b strings.Builder
	next := 0
	for format != "" {
		m := verb.FindStringSubmatchIndex(format)
		if m == nil {
			if strings.Contains(format, "%") {
				return "", fmt.Errorf("incomplete format")
			}
			b.WriteString(format)
			break
		}
		if strings.Contains(format[:m[0]], "%") {
			return "", fmt.Errorf("incomplete format")
		}
		b.WriteString(format[:m[0]])
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return format[m[2*i]:m[2*i+1]]
		}
		name, flags, width, precision, letter := group(1), group(2), group(3), group(4), group(5)
		format = format[m[1]:]
		if letter == "%" {
			b.WriteByte('%')
			continue
		}
		var v any
		switch d, isDict := first(args).(*dict); {
		case name != "" && !isDict:
			return "", fmt.Errorf("format requires a mapping")
		case name != "":
			var ok bool
			if v, ok = d.get(name); !ok {
				return "", fmt.Errorf("'%s'", name)
			}
			next = len(args)
		case width == "*" || next >= len(args):
			return "", fmt.Errorf("not enough arguments for format string")
		default:
			v = args[next]
			next++
		}
		s := spec{align: '>', precision: -1, zero: strings.Contains(flags, "0"), alternate: strings.Contains(flags, "#")}
		s.width, _ = strconv.Atoi(width)
		if precision != "" {
			s.precision, _ = strconv.Atoi(precision)
		}
		switch {
		case strings.Contains(flags, "+"):
			s.sign = '+'
		case strings.Contains(flags, " "):
			s.sign = ' '
		}
		if strings.Contains(flags, "-") {
			s.align, s.zero = '<', false
		}
		s.verb = letter[0]
		text, err := e.percent(s, v)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		if b.Len() > MaxOutput {
			return "", errOutput
		}
	}
	if _, isDict := first(args).(*dict); next < len(args) && !(isDict && len(args) == 1) {
		return "", fmt.Errorf("not all arguments converted during string formatting")
	}
	return b.String(), e.charge(b.Len())
}

func first(args []any) any {
	if len(args) == 1 {
		return args[0]
	}
	return nil
}

// percent formats one value for the % operator.
func (e *evaluator) percent(s spec, v any) (string, error) {
	switch s.verb {
	case 's', 'r', 'a':
		text, err := e.str(v)
		if s.verb != 's' {
			p := printer{limit: MaxOutput}
			p.repr(v, 0)
			text, err = p.b.String(), p.err
		}
		s.zero = false
		return e.pad(s, "", cut(text, s.precision)), err
	case 'c':
		if i, ok := v.(int); ok {
			v = string(rune(i))
		}
		text, err := textArg(v)
		return e.pad(s, "", text), err
	case 'i', 'u':
		s.verb = 'd'
	case 'd', 'x', 'X', 'o', 'e', 'E', 'f', 'F', 'g', 'G':
	default:
		return "", fmt.Errorf("unsupported format character '%c' (0x%x)", s.verb, s.verb)
	}
	n, ok := toNumber(v)
	if !ok {
		return "", fmt.Errorf("%%%c format: a real number is required, not %s", s.verb, typeName(v))
	}
	if f, isFloat := n.(float64); isFloat && strings.IndexByte("dxXo", s.verb) >= 0 {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return "", fmt.Errorf("cannot convert float infinity or NaN to integer")
		}
		whole, _ := big.NewFloat(f).Int(nil)
		n = normal(whole)
	}
	return e.number(s, n)
}

// spec says how to lay out one value: [[fill]align][sign][#][0][width][,][.precision][verb].
type spec struct {
	fill      string
	align     byte // one of "<>=^", or 0
	sign      byte // '+', ' ' or 0
	alternate bool
	zero      bool
	width     int
	grouping  string
	precision int // -1 when not given
	verb      byte
}

var specPattern = regexp.MustCompile(`^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$`)

func parseSpec(text string) (spec, error) {
	m := specPattern.FindStringSubmatch(text)
	if m == nil {
		return spec{}, fmt.Errorf("Invalid format specifier '%s'", text)
	}
	s := spec{fill: m[1], alternate: m[4] != "", zero: m[5] != "", grouping: m[7], precision: -1}
	if m[2] != "" {
		s.align = m[2][0]
	}
	if m[3] != "" && m[3] != "-" {
		s.sign = m[3][0]
	}
	s.width, _ = strconv.Atoi(m[6])
	if m[8] != "" {
		s.precision, _ = strconv.Atoi(m[8])
	}
	if m[9] != "" {
		s.verb = m[9][0]
	}
	return s, nil
}

// maxWidth bounds widths and precisions.
const maxWidth = 100_000

// pad fills a text up to the width; a sign stays in front of zeros.
func (e *evaluator) pad(s spec, sign, text string) string {
	missing := min(s.width, maxWidth) - utf8.RuneCountInString(sign+text)
	if missing <= 0 {
		return sign + text
	}
	fill := s.fill
	if fill == "" {
		fill = " "
	}
	if s.zero && (s.align == 0 || s.align == '>' && s.fill == "") {
		return sign + strings.Repeat("0", missing) + text
	}
	switch s.align {
	case '=':
		return sign + strings.Repeat(fill, missing) + text
	case '<':
		return sign + text + strings.Repeat(fill, missing)
	case '^':
		return strings.Repeat(fill, missing/2) + sign + text + strings.Repeat(fill, missing-missing/2)
	}
	return strings.Repeat(fill, missing) + sign + text
}

// cut keeps the first n characters, or all when n is negative.
func cut(s string, n int) string {
	if n < 0 || n >= utf8.RuneCountInString(s) {
		return s
	}
	return runeSlice(s, 0, n)
}

// number formats an int, *big.Int or float64.
func (e *evaluator) number(s spec, n any) (string, error) {
	if s.precision > maxWidth {
		return "", fmt.Errorf("precision too large")
	}
	if s.verb == 0 || s.verb == 'n' {
		s.verb = 'd'
		if _, isFloat := n.(float64); isFloat {
			s.verb = 'r'
			if s.precision >= 0 {
				s.verb = 'g'
			}
		}
	}
	var text string
	switch s.verb {
	case 'd', 'b', 'o', 'x', 'X', 'c':
		if _, isFloat := n.(float64); isFloat {
			return "", fmt.Errorf("Unknown format code '%c' for object of type 'float'", s.verb)
		}
		if s.verb == 'c' {
			return e.pad(s, "", string(rune(toFloat(n)))), nil
		}
		base := map[byte]int{'d': 10, 'b': 2, 'o': 8, 'x': 16, 'X': 16}[s.verb]
		text = toBig(n).Text(base)
		if s.verb == 'X' {
			text = strings.ToUpper(text)
		}
		if s.alternate && base != 10 {
			rest, negative := strings.CutPrefix(text, "-")
			text = "0" + string(s.verb) + rest
			if negative {
				text = "-" + text
			}
		}
	default:
		text = formatFloat(s, toFloat(n))
	}
	sign := ""
	switch {
	case strings.HasPrefix(text, "-"):
		sign, text = "-", text[1:]
	case s.sign != 0:
		sign = string(s.sign)
	}
	if s.grouping != "" {
		text = group(text, s.grouping)
	}
	return e.pad(s, sign, text), nil
}

func formatFloat(s spec, f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return floatRepr(f)
	}
	precision := s.precision
	if precision < 0 {
		precision = 6
	}
	switch s.verb {
	case 'r':
		return floatRepr(f)
	case '%':
		return strconv.FormatFloat(f*100, 'f', precision, 64) + "%"
	case 'g', 'G':
		return general(f, max(precision, 1), s)
	case 'F':
		return strconv.FormatFloat(f, 'f', precision, 64)
	}
	return strconv.FormatFloat(f, s.verb, precision, 64)
}

// general is the g verb: the shorter of fixed and exponent form, without
// trailing zeros.
func general(f float64, precision int, s spec) string {
	text := strconv.FormatFloat(f, 'e', precision-1, 64)
	digits, exponent, _ := strings.Cut(text, "e")
	exp, _ := strconv.Atoi(exponent)
	fixed := exp >= -4 && exp < precision
	if fixed {
		digits = strconv.FormatFloat(f, 'f', precision-1-exp, 64)
	}
	if !s.alternate && strings.Contains(digits, ".") {
		digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
	}
	if !fixed {
		digits += "e" + exponent
	}
	if s.verb == 'G' {
		return strings.ToUpper(digits)
	}
	return digits
}

// group separates the whole part's thousands.
func group(text, separator string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(text)
	}
	whole, tail := text[:end], text[end:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + separator + whole[i:]
	}
	return whole + tail
}
