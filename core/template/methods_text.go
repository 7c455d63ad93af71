package template

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textMethod is a method that makes text of text.
func textMethod(f func(string) string) methodSpec {
	return methodSpec{nil, func(e *evaluator, self any, _ []any) (any, error) {
		s, _ := textOf(self)
		out := f(s)
		return like(self, out), e.reserve(len(out))
	}}
}

// checkMethod is a method that tests every character of a text that is not empty.
func checkMethod(f func(rune) bool) methodSpec {
	return methodSpec{nil, func(_ *evaluator, self any, _ []any) (any, error) {
		s, _ := textOf(self)
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !f(r) }) < 0, nil
	}}
}

// stripMethod trims the characters given, or white space.
func stripMethod(space func(string) string, chars func(string, string) string) methodSpec {
	return methodSpec{signature{"chars", nil}, func(e *evaluator, self any, a []any) (any, error) {
		s, _ := textOf(self)
		if a[0] == nil {
			return like(self, space(s)), nil
		}
		set, err := textArg(a[0])
		if err != nil {
			return nil, err
		}
		return like(self, chars(s, set)), nil
	}}
}

// affixMethod tests a text against one or several affixes.
func affixMethod(has func(string, string) bool) methodSpec {
	return methodSpec{signature{"prefix", required}, func(_ *evaluator, self any, a []any) (any, error) {
		s, _ := textOf(self)
		options := []any{a[0]}
		if l, ok := a[0].(*list); ok && l.isTuple() {
			options = l.items
		}
		for _, o := range options {
			affix, err := textArg(o)
			if err != nil {
				return nil, err
			}
			if has(s, affix) {
				return true, nil
			}
		}
		return false, nil
	}}
}

// findMethod gives the place of a part in characters; absent says what to do
// when there is none.
func findMethod(find func(string, string) int, absent error) methodSpec {
	return methodSpec{signature{"sub", required}, func(_ *evaluator, self any, a []any) (any, error) {
		s, _ := textOf(self)
		sub, err := textArg(a[0])
		if err != nil {
			return nil, err
		}
		i := find(s, sub)
		if i < 0 {
			return i, absent
		}
		return utf8.RuneCountInString(s[:i]), nil
	}}
}

// padMethod fills a text up to a width; share gives the part that goes left.
func padMethod(share func(total, width int) int) methodSpec {
	return methodSpec{signature{"width", required, "fillchar", " "}, func(e *evaluator, self any, a []any) (any, error) {
		s, _ := textOf(self)
		width, err := intArg(a[0])
		if err != nil {
			return nil, err
		}
		fill, err := textArg(a[1])
		if err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(fill) != 1 {
			return nil, fmt.Errorf("The fill character must be exactly one character long")
		}
		total := width - utf8.RuneCountInString(s)
		if total <= 0 {
			return self, nil
		}
		if err := e.reserve(len(s) + min(total, MaxOutput+1)*len(fill)); err != nil {
			return nil, err
		}
		left := share(total, width)
		return like(self, strings.Repeat(fill, left)+s+strings.Repeat(fill, total-left)), nil
	}}
}

// textList gives a list of texts as safe as the text they come from.
func (e *evaluator) textList(from any, parts []string) (any, error) {
	items := make([]any, len(parts))
	for i, part := range parts {
		items[i] = like(from, part)
	}
	return newList(items), e.charge(32 * len(items))
}

var textMethods map[string]methodSpec

func init() {
	textMethods = map[string]methodSpec{
		"upper": textMethod(strings.ToUpper), "lower": textMethod(strings.ToLower), "casefold": textMethod(strings.ToLower),
		"title": textMethod(pyTitle), "capitalize": textMethod(capitalize),
		"swapcase": textMethod(func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsUpper(r) {
					return unicode.ToLower(r)
				}
				return unicode.ToUpper(r)
			}, s)
		}),
		"strip":      stripMethod(strings.TrimSpace, strings.Trim),
		"lstrip":     stripMethod(func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) }, strings.TrimLeft),
		"rstrip":     stripMethod(func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }, strings.TrimRight),
		"isdigit":    checkMethod(unicode.IsDigit),
		"isdecimal":  checkMethod(unicode.IsDigit),
		"isnumeric":  checkMethod(unicode.IsNumber),
		"isalpha":    checkMethod(unicode.IsLetter),
		"isalnum":    checkMethod(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
		"isspace":    checkMethod(unicode.IsSpace),
		"isupper":    caseMethod(strings.ToUpper, unicode.IsUpper),
		"islower":    caseMethod(strings.ToLower, unicode.IsLower),
		"startswith": affixMethod(strings.HasPrefix),
		"endswith":   affixMethod(strings.HasSuffix),
		"find":       findMethod(strings.Index, nil),
		"rfind":      findMethod(strings.LastIndex, nil),
		"index":      findMethod(strings.Index, fmt.Errorf("substring not found")),
		"rindex":     findMethod(strings.LastIndex, fmt.Errorf("substring not found")),
		"ljust":      padMethod(func(int, int) int { return 0 }),
		"rjust":      padMethod(func(total, _ int) int { return total }),
		"center":     padMethod(centerShare),
		"replace": {signature{"old", required, "new", required, "count", -1}, func(e *evaluator, self any, a []any) (any, error) {
			return e.replace(self, a[0], a[1], a[2])
		}},
		"split":      {signature{"sep", nil, "maxsplit", -1}, splitMethod(false)},
		"rsplit":     {signature{"sep", nil, "maxsplit", -1}, splitMethod(true)},
		"splitlines": {nil, func(e *evaluator, self any, _ []any) (any, error) { return e.textList(self, lines(self)) }},
		"join": {signature{"iterable", required}, func(e *evaluator, self any, a []any) (any, error) {
			items, err := e.items(a[0])
			if err != nil {
				return nil, err
			}
			for i, x := range items {
				if _, ok := textOf(x); !ok {
					return nil, fmt.Errorf("sequence item %d: expected str instance, %s found", i, typeName(x))
				}
			}
			return e.join(items, self)
		}},
		"count": {signature{"sub", required}, func(_ *evaluator, self any, a []any) (any, error) {
			s, _ := textOf(self)
			sub, err := textArg(a[0])
			return strings.Count(s, sub), err
		}},
		"partition":    {signature{"sep", required}, partitionMethod(strings.Index)},
		"rpartition":   {signature{"sep", required}, partitionMethod(strings.LastIndex)},
		"removeprefix": {signature{"prefix", required}, cutMethod(strings.TrimPrefix)},
		"removesuffix": {signature{"suffix", required}, cutMethod(strings.TrimSuffix)},
		"zfill": {signature{"width", required}, func(e *evaluator, self any, a []any) (any, error) {
			s, _ := textOf(self)
			width, err := intArg(a[0])
			if err != nil {
				return nil, err
			}
			fill := max(0, width-utf8.RuneCountInString(s))
			if err := e.reserve(len(s) + fill); err != nil {
				return nil, err
			}
			sign := ""
			if s != "" && (s[0] == '-' || s[0] == '+') {
				sign, s = s[:1], s[1:]
			}
			return like(self, sign+strings.Repeat("0", fill)+s), nil
		}},
		"format": {rest, func(e *evaluator, self any, a []any) (any, error) {
			s, _ := textOf(self)
			out, err := e.format(s, a[0].([]any), a[1].(*dict))
			return like(self, out), err
		}},
	}
}

// centerShare puts the odd blank where Python does.
func centerShare(total, width int) int { return total/2 + total&width&1 }

func caseMethod(fold func(string) string, is func(rune) bool) methodSpec {
	return methodSpec{nil, func(_ *evaluator, self any, _ []any) (any, error) {
		s, _ := textOf(self)
		return fold(s) == s && strings.IndexFunc(s, is) >= 0, nil
	}}
}

func cutMethod(cut func(string, string) string) func(*evaluator, any, []any) (any, error) {
	return func(_ *evaluator, self any, a []any) (any, error) {
		s, _ := textOf(self)
		affix, err := textArg(a[0])
		return like(self, cut(s, affix)), err
	}
}

func partitionMethod(find func(string, string) int) func(*evaluator, any, []any) (any, error) {
	return func(_ *evaluator, self any, a []any) (any, error) {
		s, _ := textOf(self)
		sep, err := textArg(a[0])
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, fmt.Errorf("empty separator")
		}
		i := find(s, sep)
		switch {
		case i >= 0:
			return newTuple(like(self, s[:i]), like(self, sep), like(self, s[i+len(sep):])), nil
		case find("aa", "a") == 1:
			return newTuple(like(self, ""), like(self, ""), self), nil
		}
		return newTuple(self, like(self, ""), like(self, "")), nil
	}
}

func splitMethod(fromRight bool) func(*evaluator, any, []any) (any, error) {
	return func(e *evaluator, self any, a []any) (any, error) {
		s, _ := textOf(self)
		limit, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		if err := e.charge(len(s)); err != nil {
			return nil, err
		}
		var parts []string
		switch sep, isText := textOf(a[0]); {
		case a[0] == nil:
			parts = splitSpace(s, limit, fromRight)
		case !isText:
			return nil, fmt.Errorf("must be str or None, not %s", typeName(a[0]))
		case sep == "":
			return nil, fmt.Errorf("empty separator")
		case limit < 0:
			parts = strings.Split(s, sep)
		case !fromRight:
			parts = strings.SplitN(s, sep, limit+1)
		default:
			parts = strings.Split(s, sep)
			if extra := len(parts) - limit - 1; extra > 0 {
				parts = append([]string{strings.Join(parts[:extra+1], sep)}, parts[extra+1:]...)
			}
		}
		return e.textList(self, parts)
	}
}

// splitSpace splits at runs of white space, at most limit times unless that is
// negative; what is left keeps its inner white space.
func splitSpace(s string, limit int, fromRight bool) []string {
	if limit < 0 {
		return strings.Fields(s)
	}
	var parts []string
	s = strings.TrimSpace(s)
	for s != "" {
		i := strings.IndexFunc(s, unicode.IsSpace)
		if fromRight {
			i = strings.LastIndexFunc(s, unicode.IsSpace)
		}
		if i < 0 || len(parts) == limit {
			parts = append(parts, s)
			break
		}
		left, right := strings.TrimSpace(s[:i]), strings.TrimSpace(s[i:])
		if fromRight {
			left, right = right, left
		}
		parts, s = append(parts, left), right
	}
	if fromRight {
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
	}
	return parts
}

// lines splits text at line ends.
func lines(v any) []string {
	s, _ := textOf(v)
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// pyTitle starts every run of letters with an upper-case one.
func pyTitle(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		letter := unicode.IsLetter(r)
		defer func() { inWord = letter }()
		if inWord {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + strings.ToLower(s[n:])
}

// replace puts new in place of the first count occurrences of old, or of all.
func (e *evaluator) replace(self, old, with, count any) (any, error) {
	s, _ := textOf(self)
	from, err := textArg(old)
	if err != nil {
		return nil, err
	}
	to, err := textArg(with)
	if err != nil {
		return nil, err
	}
	n, err := intArg(count)
	if err != nil {
		return nil, err
	}
	hits := strings.Count(s, from)
	if n >= 0 {
		hits = min(n, hits)
	}
	if err := e.reserve(len(s) + hits*max(0, len(to)-len(from))); err != nil {
		return nil, err
	}
	return like(self, strings.Replace(s, from, to, n)), nil
}
