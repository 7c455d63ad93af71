package github

import (
	"regexp"
	"strings"

	"agentserver/core"
)

const (
	// maxPattern bounds the patterns of users, in bytes.
	maxPattern = 1000
	// contextLines is how many lines around a match are given.
	contextLines = 2
)

// MatchedLine is a line of a report that fits a pattern.
type MatchedLine struct {
	CheckName  string   `json:"check_name" doc:"Name of the check"`
	LineNumber int      `json:"line_number" doc:"Number of the line in the report, from 1"`
	Line       string   `json:"line" doc:"The line"`
	Context    []string `json:"context" doc:"The line with the two before and the two after it"`
}

// compileSearch compiles a user's pattern, which fits in any case. It is nil for
// no pattern. Patterns are matched in linear time.
func compileSearch(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	if len(pattern) > maxPattern {
		return nil, core.Errorf(core.Invalid, "the search pattern is longer than %d bytes", maxPattern)
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, core.Errorf(core.Invalid, "the search pattern is not a valid regular expression: %w", err)
	}
	return regexp.Compile("(?i:" + pattern + ")")
}

// searchReports gives the lines of the reports that hold the pattern.
func searchReports(results []CheckRunItem, pattern *regexp.Regexp) []MatchedLine {
	var found []MatchedLine
	if pattern == nil {
		return nil
	}
	for _, c := range results {
		text := strings.TrimSuffix(strings.ReplaceAll(textOf(c.OutputText), "\r\n", "\n"), "\n")
		if text == "" {
			continue
		}
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			if pattern.MatchString(line) {
				around := lines[max(i-contextLines, 0):min(i+contextLines+1, len(lines))]
				found = append(found, MatchedLine{CheckName: c.Name, LineNumber: i + 1, Line: line, Context: around})
			}
		}
	}
	return found
}

// compileWildcard compiles a pattern of the shell, which fits whole names in any
// case: * is any text, ? a character, […] one of several, [!…] any other. It is
// nil for no pattern.
func compileWildcard(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	if len(pattern) > maxPattern {
		return nil, core.Errorf(core.Invalid, "the filter of check names is longer than %d bytes", maxPattern)
	}
	re, err := regexp.Compile("(?is)^" + fromWildcard(pattern) + "$")
	if err != nil {
		return nil, core.Errorf(core.Invalid, "the filter of check names is not a valid pattern: %w", err)
	}
	return re, nil
}

// fromWildcard gives the regular expression for a pattern of the shell. A
// bracket without its end is a character.
func fromWildcard(pattern string) string {
	var b strings.Builder
	for pattern != "" {
		first := pattern[0]
		switch {
		case first == '*':
			b.WriteString(".*")
		case first == '?':
			b.WriteString(".")
		case first == '[':
			if set, rest, ok := cutSet(pattern); ok {
				b.WriteString(set)
				pattern = rest
				continue
			}
			b.WriteString(`\[`)
		default:
			n := strings.IndexAny(pattern[1:], "*?[") + 1
			if n == 0 {
				n = len(pattern)
			}
			b.WriteString(regexp.QuoteMeta(pattern[:n]))
			pattern = pattern[n:]
			continue
		}
		pattern = pattern[1:]
	}
	return b.String()
}

// cutSet gives the class for a set in brackets, and what follows it. A closing
// bracket that comes first is a member.
func cutSet(pattern string) (set, rest string, ok bool) {
	body, negated := strings.CutPrefix(pattern[1:], "!")
	if body == "" {
		return "", "", false
	}
	end := strings.IndexByte(body[1:], ']')
	if end < 0 {
		return "", "", false
	}
	members, rest := body[:end+1], body[end+2:]
	members = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(members)
	if negated {
		return "[^" + members + "]", rest, true
	}
	return "[" + members + "]", rest, true
}
