package builtin

import (
	"strings"
	"unicode/utf8"
)

type xmlToken struct {
	open, close bool
	text        string // what stands in the tag, or text without white space around it
}

// xmlTokens goes through a text. At each place it looks for, in this order: an
// escaped character and a comment, which are left out, the start of a tag, the end
// of one, text. A < that begins none of them is left out, too.
type xmlTokens struct {
	text string
	at   int
	// Where the next of each is, from the last place that asked. They are kept so
	// that a text in which they are missing is not searched to its end each time.
	commentEnd, tagEnd, openEnd finder
}

func newXMLTokens(text string) *xmlTokens {
	return &xmlTokens{
		text:       text,
		commentEnd: finder{find: func(s string) int { return strings.Index(s, "-->") }},
		tagEnd:     finder{find: func(s string) int { return strings.IndexByte(s, '>') }},
		openEnd:    finder{find: func(s string) int { return strings.IndexAny(s, ">/") }},
	}
}

// finder remembers the next place of something.
type finder struct {
	find    func(string) int
	at      int // of the next, or the end of the text
	checked bool
}

// from gives the next place from a place on, which never goes back. It is the
// end of the text when there is none.
func (f *finder) from(text string, start int) int {
	if start = min(start, len(text)); f.checked && f.at >= start {
		return f.at
	}
	f.checked = true
	if i := f.find(text[start:]); i >= 0 {
		f.at = start + i
	} else {
		f.at = len(text)
	}
	return f.at
}

func (x *xmlTokens) next() (xmlToken, bool) {
	for x.at < len(x.text) {
		t, end := x.token()
		x.at = end
		if t.open || t.close || t.text != "" {
			return t, true
		}
	}
	return xmlToken{}, false
}

// token gives what begins here and where it ends. What is left out has no text.
func (x *xmlTokens) token() (t xmlToken, end int) {
	rest := x.text[x.at:]
	switch {
	case rest[0] == '\\' && len(rest) > 1:
		_, size := utf8.DecodeRuneInString(rest[1:])
		return t, x.at + 1 + size
	case rest[0] != '<':
		end = strings.IndexByte(rest, '<')
		if end < 0 {
			end = len(rest)
		}
		return xmlToken{text: strings.TrimSpace(rest[:end])}, x.at + end
	case strings.HasPrefix(rest, "<!--"):
		if end = x.commentEnd.from(x.text, x.at+4); end < len(x.text) {
			return t, end + 3
		}
	}
	start := x.at + 1
	if end = x.openEnd.from(x.text, start); end > start && end < len(x.text) && x.text[end] == '>' {
		return xmlToken{open: true, text: x.text[start:end]}, end + 1
	}
	if start++; strings.HasPrefix(rest, "</") {
		if end = x.tagEnd.from(x.text, start); end > start && end < len(x.text) {
			return xmlToken{close: true, text: x.text[start:end]}, end + 1
		}
	}
	return t, x.at + 1
}

// tagName gives the name in a tag: in lower case, with underscores for blanks.
func tagName(s string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(strings.TrimSpace(s), isBlank), "_"))
}

func isBlank(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' && r != '\v' }
