package builtin

import (
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2"

	"agentserver/core"
)

// maxMatchTime bounds all the matching that one block does.
const maxMatchTime = 5 * time.Second

// compilePattern compiles a regular expression in Python's dialect. Text is
// matched with backtracking, so it must be used with a time limit.
func compilePattern(pattern string, caseSensitive, dotAll bool) (*regexp2.Regexp, error) {
	options := regexp2.None
	if !caseSensitive {
		options |= regexp2.IgnoreCase
	}
	if dotAll {
		options |= regexp2.Singleline
	}
	re, err := regexp2.Compile(fromPython(pattern), options)
	if err != nil {
		return nil, core.Errorf(core.Invalid, "the pattern is not a valid regular expression: %w", err)
	}
	re.MatchTimeout = maxMatchTime
	return re, nil
}

// fromPython rewrites what Python's regular expressions spell differently from
// .NET's, which the engine follows: named groups become numbered ones, because
// .NET would number them after the others.
func fromPython(pattern string) string {
	t := patternTranslator{in: pattern, groups: map[string]int{}}
	for t.at < len(t.in) {
		t.step()
	}
	return t.out.String()
}

type patternTranslator struct {
	in      string
	at      int
	out     strings.Builder
	groups  map[string]int // numbers of the named groups
	count   int            // groups opened so far
	inClass bool
}

func (t *patternTranslator) rest() string { return t.in[t.at:] }

// put writes a text in place of the next n bytes.
func (t *patternTranslator) put(text string, n int) {
	t.out.WriteString(text)
	t.at += n
}

func (t *patternTranslator) step() {
	c := t.in[t.at]
	switch {
	case c == '\\' && t.at+1 < len(t.in):
		t.escape()
	case t.inClass:
		t.class(c)
	case c == '[':
		t.inClass = true
		n := 1
		if strings.HasPrefix(t.rest(), "[^") {
			n = 2
		}
		t.put(t.rest()[:n], n)
		if strings.HasPrefix(t.rest(), "]") { // a bracket that comes first is a character
			t.put(`\]`, 1)
		}
	case c == '(':
		t.group()
	case strings.HasPrefix(t.rest(), "{,"):
		t.put("{0,", 2)
	default:
		t.put(t.in[t.at:t.at+1], 1)
	}
}

func (t *patternTranslator) class(c byte) {
	switch c {
	case ']':
		t.inClass = false
		t.put("]", 1)
	case '[': // .NET could read a subtraction of classes
		t.put(`\[`, 1)
	default:
		t.put(t.in[t.at:t.at+1], 1)
	}
}

func (t *patternTranslator) escape() {
	switch c := t.in[t.at+1]; {
	case c == 'Z' && !t.inClass:
		t.put(`\z`, 2)
	case c == 'U' && t.at+10 <= len(t.in):
		n, err := strconv.ParseUint(t.in[t.at+2:t.at+10], 16, 32)
		if err != nil {
			t.put(t.in[t.at:t.at+2], 2)
			return
		}
		t.put(regexp2.Escape(string(rune(n))), 10)
	default:
		t.put(t.in[t.at:t.at+2], 2)
	}
}

func (t *patternTranslator) group() {
	rest := t.rest()
	if !strings.HasPrefix(rest, "(?") {
		t.count++
		t.put("(", 1)
		return
	}
	if name, n, ok := between(rest, "(?P<", ">"); ok {
		t.count++
		t.groups[name] = t.count
		t.put("(", n)
		return
	}
	if name, n, ok := between(rest, "(?P=", ")"); ok {
		if number, known := t.groups[name]; known {
			t.put(`(?:\`+strconv.Itoa(number)+")", n)
			return
		}
	}
	if name, n, ok := between(rest, "(?(", ")"); ok {
		if number, known := t.groups[name]; known {
			t.put("(?("+strconv.Itoa(number)+")", n)
			return
		}
	}
	if flags, n, ok := between(rest, "(?", ")"); ok && strings.Trim(flags, "aiLmsux") == "" && flags != "" {
		if flags = strings.NewReplacer("a", "", "L", "", "u", "").Replace(flags); flags == "" {
			t.put("", n) // only what has no meaning here
		} else {
			t.put("(?"+flags+")", n)
		}
		return
	}
	t.put("(?", 2)
}

// between gives what stands between a prefix of s and the end after it, and the
// length of all three.
func between(s, prefix, end string) (inner string, n int, ok bool) {
	s, ok = strings.CutPrefix(s, prefix)
	if !ok {
		return "", 0, false
	}
	inner, _, ok = strings.Cut(s, end)
	return inner, len(prefix) + len(inner) + len(end), ok
}
