package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textFilter is a filter that makes text of a value's text.
func textFilter(f func(string) string) filterSpec {
	return filterSpec{nil, func(e *evaluator, v any, _ []any) (any, error) {
		s, err := e.str(v)
		if err != nil {
			return nil, err
		}
		out := f(s)
		return like(v, out), e.reserve(len(out))
	}}
}

var (
	word          = regexp.MustCompile(`[\p{L}\p{N}_]+`)
	wordBeginning = regexp.MustCompile(`[-\s({\[<]+`)
)

var textFilters = map[string]filterSpec{
	"upper": textFilter(strings.ToUpper), "lower": textFilter(strings.ToLower),
	"capitalize": textFilter(capitalize), "title": textFilter(titleWords),
	"string": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		s, err := e.str(v)
		return like(v, s), err
	}},
	"trim": {signature{"chars", nil}, func(e *evaluator, v any, a []any) (any, error) {
		s, err := e.str(v)
		if err != nil || a[0] == nil {
			return like(v, strings.TrimSpace(s)), err
		}
		set, err := textArg(a[0])
		return like(v, strings.Trim(s, set)), err
	}},
	"center": {signature{"width", 80}, func(e *evaluator, v any, a []any) (any, error) {
		s, err := e.str(v)
		if err != nil {
			return nil, err
		}
		return textMethods["center"].call(e, like(v, s), []any{a[0], " "})
	}},
	"replace": {signature{"old", required, "new", required, "count", nil}, func(e *evaluator, v any, a []any) (any, error) {
		if a[2] == nil {
			a[2] = -1
		}
		for i, x := range append([]any{v}, a[:2]...) {
			s, err := e.str(x)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				v = like(v, s)
			} else {
				a[i-1] = s
			}
		}
		return e.replace(v, a[0], a[1], a[2])
	}},
	"indent":   {signature{"width", 4, "first", false, "blank", false}, indent},
	"truncate": {signature{"length", 255, "killwords", false, "end", "...", "leeway", nil}, truncate},
	"wordcount": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		s, err := e.str(v)
		return len(word.FindAllStringIndex(s, -1)), err
	}},
	"wordwrap": {signature{"width", 79, "break_long_words", true, "wrapstring", nil, "break_on_hyphens", true}, wordWrap},
	"attr": {signature{"name", required}, func(e *evaluator, v any, a []any) (any, error) {
		name, err := textArg(a[0])
		if err != nil {
			return nil, err
		}
		if u, ok := v.(undefined); ok {
			return nil, u.err()
		}
		if m, ok := method(v, name); ok {
			return m, nil
		}
		return missingAttribute(v, name), nil
	}},
}

// titleWords starts words with upper case; an apostrophe does not start one.
func titleWords(s string) string {
	var b strings.Builder
	part := func(text string) {
		_, n := utf8.DecodeRuneInString(text)
		b.WriteString(strings.ToUpper(text[:n]) + strings.ToLower(text[n:]))
	}
	at := 0
	for _, m := range wordBeginning.FindAllStringIndex(s, -1) {
		part(s[at:m[0]])
		part(s[m[0]:m[1]])
		at = m[1]
	}
	part(s[at:])
	return b.String()
}

func indent(e *evaluator, v any, a []any) (any, error) {
	s, err := e.str(v)
	if err != nil {
		return nil, err
	}
	prefix, isText := textOf(a[0])
	if !isText {
		width, err := intArg(a[0])
		if err != nil {
			return nil, err
		}
		if width > MaxItems {
			return nil, errRepeat
		}
		prefix = strings.Repeat(" ", max(0, width))
	}
	rows := strings.Split(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n")
	if err := e.reserve(len(s) + len(rows)*len(prefix)); err != nil {
		return nil, err
	}
	for i, row := range rows {
		if i == 0 && !truthy(a[1]) || row == "" && i > 0 && !truthy(a[2]) {
			continue
		}
		rows[i] = prefix + row
	}
	return like(v, strings.Join(rows, "\n")), nil
}

func truncate(e *evaluator, v any, a []any) (any, error) {
	s, err := e.str(v)
	if err != nil {
		return nil, err
	}
	length, err := intArg(a[0])
	if err != nil {
		return nil, err
	}
	end, err := textArg(a[2])
	if err != nil {
		return nil, err
	}
	leeway := 5
	if a[3] != nil {
		if leeway, err = intArg(a[3]); err != nil {
			return nil, err
		}
	}
	keep := length - utf8.RuneCountInString(end)
	if keep < 0 {
		return nil, fmt.Errorf("expected length >= %d, got %d", utf8.RuneCountInString(end), length)
	}
	if leeway < 0 {
		return nil, fmt.Errorf("expected leeway >= 0, got %d", leeway)
	}
	if utf8.RuneCountInString(s) <= length+leeway {
		return like(v, s), nil
	}
	short := cut(s, keep)
	if !truthy(a[1]) {
		if i := strings.LastIndex(short, " "); i >= 0 {
			short = short[:i]
		}
	}
	return like(v, short+end), nil
}

func wordWrap(e *evaluator, v any, a []any) (any, error) {
	s, err := e.str(v)
	if err != nil {
		return nil, err
	}
	width, err := intArg(a[0])
	if err != nil {
		return nil, err
	}
	if width <= 0 {
		return nil, fmt.Errorf("invalid width %d (must be > 0)", width)
	}
	newline := "\n"
	if a[2] != nil {
		if newline, err = textArg(a[2]); err != nil {
			return nil, err
		}
	}
	var out []string
	for _, line := range lines(s) {
		out = append(out, wrapLine(line, width, truthy(a[1]), truthy(a[3]))...)
	}
	text := strings.Join(out, newline)
	return like(v, text), e.reserve(len(text))
}

// wrapLine breaks a line at white space, and after hyphens if asked, so that no
// row is longer than width; longer words are broken if asked.
func wrapLine(line string, width int, breakLong, hyphens bool) []string {
	var rows []string
	var row []string
	used := 0
	flush := func() {
		for len(row) > 0 && strings.TrimSpace(row[len(row)-1]) == "" {
			row = row[:len(row)-1]
		}
		if len(row) > 0 {
			rows = append(rows, strings.Join(row, ""))
		}
		row, used = nil, 0
	}
	chunks := wrapChunks(line, hyphens)
	for i := 0; i < len(chunks); i++ {
		chunk := chunks[i]
		n := utf8.RuneCountInString(chunk)
		if used == 0 && len(rows) > 0 && strings.TrimSpace(chunk) == "" {
			continue
		}
		if used+n <= width {
			row, used = append(row, chunk), used+n
			continue
		}
		if n > width && breakLong {
			room := width - used
			row = append(row, runeSlice(chunk, 0, room))
			chunks[i] = runeSlice(chunk, room, n)
			i--
			flush()
			continue
		}
		if used > 0 {
			flush()
			i--
			continue
		}
		row = append(row, chunk)
		flush()
	}
	flush()
	if len(rows) == 0 {
		return []string{""}
	}
	return rows
}

// wrapChunks splits a line into words and the white space between them.
func wrapChunks(line string, hyphens bool) []string {
	var chunks []string
	start := 0
	runes := []rune(line)
	for i := 1; i <= len(runes); i++ {
		atEnd := i == len(runes)
		turn := !atEnd && unicode.IsSpace(runes[i]) != unicode.IsSpace(runes[i-1])
		hyphen := hyphens && !atEnd && i >= 2 && runes[i-1] == '-' && unicode.IsLetter(runes[i-2]) && unicode.IsLetter(runes[i])
		if atEnd || turn || hyphen {
			chunks = append(chunks, string(runes[start:i]))
			start = i
		}
	}
	return slices.DeleteFunc(chunks, func(s string) bool { return s == "" })
}
