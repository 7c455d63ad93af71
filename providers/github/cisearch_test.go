package github

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWildcards(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		fit, not []string
	}{
		{"build", []string{"build", "BUILD"}, []string{"builds", "a build", ""}},
		{"build-*", []string{"build-", "Build-linux / x64", "build-\n"}, []string{"build"}},
		{"*lint*", []string{"lint", "CI / golint (1.25)"}, []string{"line"}},
		{"?x", []string{"ax", "éx"}, []string{"x", "aax"}},
		{"[a-c]1", []string{"a1", "C1"}, []string{"d1", "1", "[a-c]1"}},
		{"[!a-c]1", []string{"d1", "!1"}, []string{"a1"}},
		{"[]x]", []string{"]", "x"}, []string{"[]x]"}},
		{"[!]x]", []string{"y"}, []string{"]", "x"}},
		{"[^a]", []string{"^", "a"}, []string{"b"}},
		{`[\d]`, []string{`\`, "d"}, []string{"1"}},
		{"[[:alpha:]]", []string{"a]", "[]", ":]"}, []string{"b"}},
		{"a[b", []string{"a[b"}, []string{"ab"}},
		{"[!]", []string{"[!]"}, []string{"x"}},
		{"a.b(c)+", []string{"a.b(c)+"}, []string{"axbc"}},
		{"**", []string{"", "anything"}, nil},
	} {
		re, err := compileWildcard(c.pattern)
		require.NoError(t, err, c.pattern)
		for _, name := range c.fit {
			require.True(t, re.MatchString(name), "%q and %q", c.pattern, name)
		}
		for _, name := range c.not {
			require.False(t, re.MatchString(name), "%q and %q", c.pattern, name)
		}
	}
	re, err := compileWildcard("")
	require.NoError(t, err)
	require.Nil(t, re)
	_, err = compileWildcard("[z-a]")
	require.ErrorContains(t, err, "the filter of check names is not a valid pattern")
}

// A pattern without brackets always compiles, and fits itself.
func FuzzWildcards(f *testing.F) {
	for _, seed := range []string{"", "*lint*", "a?b", `\d+(`, "[!a]", "[]", "[a", "é*"} {
		f.Add(seed)
	}
	brackets := regexp.MustCompile(`[\[\]]`)
	f.Fuzz(func(t *testing.T, pattern string) {
		re, err := compileWildcard(pattern)
		if err != nil || re == nil || brackets.MatchString(pattern) {
			return
		}
		require.True(t, re.MatchString(pattern), "%q", pattern)
	})
}

func TestSearches(t *testing.T) {
	text := "one\ntwo\nthree\nfour"
	results := []CheckRunItem{{Name: "none"}, {Name: "check", OutputText: &text}}
	for pattern, want := range map[string][]int{
		"": nil, "T": {2, 3}, "^t.*e$": {3}, "one|four": {1, 4}, "(?-i)T": nil, "x": nil, ".": {1, 2, 3, 4},
	} {
		re, err := compileSearch(pattern)
		require.NoError(t, err)
		var got []int
		for _, line := range searchReports(results, re) {
			require.Equal(t, "check", line.CheckName)
			got = append(got, line.LineNumber)
		}
		require.Equal(t, want, got, pattern)
	}
	re, err := compileSearch("four")
	require.NoError(t, err)
	require.Equal(t, []string{"two", "three", "four"}, searchReports(results, re)[0].Context)
	for _, pattern := range []string{"(?=look)", `(a)\1`, "a)(b", "["} {
		_, err := compileSearch(pattern)
		require.ErrorContains(t, err, "the search pattern is not a valid regular expression", pattern)
	}
}
