package db

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// dropped reports whether a character is taken out of stored text: U+0000 to
// U+0008, U+000B, U+000C, U+000E to U+001F and U+007F.
func dropped(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return false
	default:
		return r >= 0 && r < 0x20 || r == 0x7f
	}
}

// Clean makes text fit to be stored by both engines: it drops control
// characters other than tab, line feed and carriage return, and replaces what
// is not UTF-8. Text that is fit already comes back without a copy.
func Clean(s string) string {
	if strings.IndexFunc(s, dropped) >= 0 {
		s = strings.Map(func(r rune) rune {
			if dropped(r) {
				return -1
			}
			return r
		}, s)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// cleanJSON does the work of Clean inside the strings of encoded JSON. In valid
// JSON those characters occur only inside strings, escaped, except U+007F,
// which needs no escape; so documents without either are left alone at the cost
// of two scans.
func cleanJSON(doc []byte) []byte {
	if !utf8.Valid(doc) {
		doc = bytes.ToValidUTF8(doc, []byte("\uFFFD"))
	}
	if bytes.IndexByte(doc, '\\') < 0 && bytes.IndexByte(doc, 0x7f) < 0 {
		return doc
	}
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); {
		if doc[i] == 0x7f {
			i++
			continue
		}
		if doc[i] != '\\' || i+1 == len(doc) {
			out = append(out, doc[i])
			i++
			continue
		}
		n, drop := escape(doc[i:])
		if !drop {
			out = append(out, doc[i:i+n]...)
		}
		i += n
	}
	return out
}

// escape gives the length of the escape sequence at the start of s and whether
// its character is dropped.
func escape(s []byte) (n int, drop bool) {
	switch s[1] {
	case 'b', 'f':
		return 2, true
	case 'u':
		if len(s) < 6 {
			return 2, false
		}
		code, err := strconv.ParseUint(string(s[2:6]), 16, 16)
		return 6, err == nil && dropped(rune(code))
	default:
		return 2, false
	}
}
