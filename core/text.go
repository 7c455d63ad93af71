package core

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Text gives the text form that a value takes where text is wanted: JSON with
// ", " and ": " separators, non-ASCII characters escaped and floats that stay
// floats (5.0). Text itself is returned as it is. Object members are in sorted
// order. A value without a JSON form gives "".
func Text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b strings.Builder
	writeText(&b, v)
	return b.String()
}

func writeText(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		b.WriteString(floatText(v))
	case string:
		quoteText(b, v)
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeText(b, x)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, k := range SortedKeys(v) {
			if i > 0 {
				b.WriteString(", ")
			}
			quoteText(b, k)
			b.WriteString(": ")
			writeText(b, v[k])
		}
		b.WriteByte('}')
	default:
		if plain, err := viaJSON(v); err == nil {
			writeText(b, plain)
		}
	}
}

// floatText writes the floats that JSON has no form for as existing agents
// expect them.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return FormatFloat(f)
}

// shortEscapes are the characters that JSON escapes by a letter.
var shortEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
}

func quoteText(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch short, ok := shortEscapes[r]; {
		case ok:
			b.WriteString(short)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			escapeUnit(b, hi)
			escapeUnit(b, lo)
		default:
			escapeUnit(b, r)
		}
	}
	b.WriteByte('"')
}

// escapeUnit writes a UTF-16 unit as four hex digits.
func escapeUnit(b *strings.Builder, r rune) {
	hex := strconv.FormatInt(int64(r), 16)
	b.WriteString(`\u` + strings.Repeat("0", 4-len(hex)) + hex)
}
