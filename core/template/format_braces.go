package template

import (
	"fmt"
	"strconv"
	"strings"
)

// format replaces "{}", "{0}" and "{name}", each with an optional "!r" or "!s"
// and ":spec", by arguments. Attributes and items of arguments cannot be named.
func (e *evaluator) format(text string, args []any, named *dict) (string, error) {
	var b strings.Builder
	auto := 0
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i])
		brace := text[i]
		text = text[i+1:]
		if text != "" && text[0] == brace {
			b.WriteByte(brace)
			text = text[1:]
			continue
		}
		end := strings.IndexByte(text, '}')
		if brace == '}' || end < 0 {
			return "", fmt.Errorf("Single '%c' encountered in format string", brace)
		}
		field, layout, _ := strings.Cut(text[:end], ":")
		text = text[end+1:]
		field, conversion, _ := strings.Cut(field, "!")
		v, err := formatField(field, &auto, args, named)
		if err != nil {
			return "", err
		}
		out, err := e.formatValue(v, conversion, layout)
		if err != nil {
			return "", err
		}
		b.WriteString(out)
		if b.Len() > MaxOutput {
			return "", errOutput
		}
	}
	return b.String(), e.charge(b.Len())
}

func formatField(field string, auto *int, args []any, named *dict) (any, error) {
	if field == "" {
		field = strconv.Itoa(*auto)
		*auto++
	}
	if i, err := strconv.Atoi(field); err == nil {
		if i < 0 || i >= len(args) {
			return nil, fmt.Errorf("Replacement index %d out of range for positional args tuple", i)
		}
		return args[i], nil
	}
	v, ok := named.get(field)
	if !ok {
		return nil, fmt.Errorf("'%s'", field)
	}
	return v, nil
}

func (e *evaluator) formatValue(v any, conversion, layout string) (string, error) {
	switch conversion {
	case "":
	case "s":
		text, err := e.str(v)
		if err != nil {
			return "", err
		}
		v = text
	case "r":
		p := printer{limit: MaxOutput}
		p.repr(v, 0)
		if p.err != nil {
			return "", p.err
		}
		v = p.b.String()
	default:
		return "", fmt.Errorf("Unknown conversion specifier '%s'", conversion)
	}
	if layout == "" {
		return e.str(v)
	}
	s, err := parseSpec(layout)
	if err != nil {
		return "", err
	}
	if n, ok := toNumber(v); ok && s.verb != 's' {
		return e.number(s, n)
	}
	text, isText := textOf(v)
	if !isText {
		return "", fmt.Errorf("unsupported format string passed to %s.__format__", typeName(v))
	}
	if s.verb != 0 && s.verb != 's' {
		return "", fmt.Errorf("Unknown format code '%c' for object of type 'str'", s.verb)
	}
	if s.align == 0 {
		s.align = '<'
	}
	return e.pad(s, "", cut(text, s.precision)), nil
}
