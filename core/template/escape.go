package template

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/runenames"
)

var simpleEscapes = map[byte]string{
	'\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\n': "",
}

var hexEscapes = map[byte]int{'x': 2, 'u': 4, 'U': 8}

// DecodeEscapes replaces the backslash escapes of Python text: \n and its like,
// octal and hexadecimal numbers, \N{NAME}, and a backslash before a line end.
// Unknown escapes and other characters stay as they are. A cut-off or
// impossible escape is an error.
func DecodeEscapes(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			b.WriteByte(c)
			i++
			continue
		}
		if i+1 == len(s) {
			return "", fmt.Errorf(`'unicodeescape' codec can't decode byte 0x5c in position %d: \ at end of string`, i)
		}
		c = s[i+1]
		switch simple, ok := simpleEscapes[c]; {
		case ok:
			b.WriteString(simple)
			i += 2
		case c >= '0' && c <= '7':
			end := i + 2
			for end < len(s) && end < i+4 && s[end] >= '0' && s[end] <= '7' {
				end++
			}
			n, _ := strconv.ParseUint(s[i+1:end], 8, 32)
			b.WriteRune(rune(n))
			i = end
		case hexEscapes[c] > 0:
			end := min(len(s), i+2+hexEscapes[c])
			n, err := strconv.ParseUint(s[i+2:end], 16, 32)
			if err != nil || end-i-2 < hexEscapes[c] {
				return "", escapeError(i, end-1, fmt.Sprintf(`truncated \%c%s escape`, c, strings.Repeat("X", hexEscapes[c])))
			}
			if n > utf8.MaxRune {
				return "", escapeError(i, end-1, "illegal Unicode character")
			}
			r := rune(n)
			if low, ok := lowSurrogate(s[end:]); ok && utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, low)
				end += 6
			}
			b.WriteRune(r)
			i = end
		case c == 'N':
			end := strings.IndexByte(s[i:], '}')
			if end < 4 || s[i+2] != '{' {
				return "", escapeError(i, len(s)-1, `malformed \N character escape`)
			}
			r, ok := runeByName(s[i+3 : i+end])
			if !ok {
				return "", escapeError(i, i+end, "unknown Unicode character name")
			}
			b.WriteRune(r)
			i += end + 1
		default:
			b.WriteByte('\\')
			i++
		}
	}
	return b.String(), nil
}

// lowSurrogate reads the second half of a pair written as two \u escapes.
func lowSurrogate(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 32)
	return rune(n), err == nil && n >= 0xdc00 && n <= 0xdfff
}

func escapeError(from, to int, why string) error {
	return fmt.Errorf("'unicodeescape' codec can't decode bytes in position %d-%d: %s", from, to, why)
}

// runeTable is built at the first use of a character's name: few texts have any.
var runeTable = sync.OnceValue(func() map[string]rune {
	names := map[string]rune{}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if name := runenames.Name(r); name != "" && name[0] != '<' {
			names[name] = r
		}
	}
	return names
})

func runeByName(name string) (rune, bool) {
	r, ok := runeTable()[strings.ToUpper(name)]
	return r, ok
}
