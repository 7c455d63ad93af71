package builtin

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// run executes a block by name and counts what it emits.
func run(t *testing.T, block string, in core.Values, r *core.Run) (outputs []any, err error) {
	t.Helper()
	_, registry := registered(t)
	b, ok := registry.BlockByName(block)
	require.True(t, ok)
	err = core.Execute(t.Context(), b, r, in, func(_ string, v any) error {
		outputs = append(outputs, v)
		return nil
	})
	return outputs, err
}

func nest(list []any, levels int) []any {
	for range levels {
		list = []any{list}
	}
	return list
}

func TestLimits(t *testing.T) {
	object := map[string]any{}
	for i := range maxItems + 1 {
		object[strings.Repeat("k", i)] = i
	}
	cases := []struct {
		name, block string
		in          core.Values
		err         string // "" when the input is just within the limit
	}{
		{"items", "StepThroughItemsBlock", core.Values{"items": make([]any, maxItems)}, ""},
		{"too many items", "StepThroughItemsBlock", core.Values{"items": make([]any, maxItems+1)}, "Too many items: 10001 > 10000"},
		{"too many members", "StepThroughItemsBlock", core.Values{"items_object": object}, "Too many items: 10001 > 10000"},
		{"items as text", "StepThroughItemsBlock", core.Values{"items_str": "[" + strings.Repeat(" ", maxItemsText-2) + "]"}, ""},
		{"too much text", "StepThroughItemsBlock", core.Values{"items_str": strings.Repeat(" ", maxItemsText+1)}, "Input too large: 1048577 bytes > 1048576 bytes"},
		{"replacing", "TextReplaceBlock", core.Values{"text": strings.Repeat("a", 10_000), "old": "a", "new": strings.Repeat("b", 10_000)}, "the result would be 100000000 bytes long, more than 67108864"},
		{"XML", "XMLParserBlock", core.Values{"input_xml": strings.Repeat("x", maxXML+1)}, "XML too large: 10485761 bytes > 10485760 bytes"},
		{"nested XML", "XMLParserBlock", core.Values{"input_xml": strings.Repeat("<a>", maxXMLDepth) + strings.Repeat("</a>", maxXMLDepth)}, ""},
		{"too deep XML", "XMLParserBlock", core.Values{"input_xml": strings.Repeat("<a>", maxXMLDepth+1) + strings.Repeat("</a>", maxXMLDepth+1)}, "XML is nested too deeply."},
		{"nested lists", "FlattenListBlock", core.Values{"nested_list": nest([]any{1}, maxFlattenDepth-1)}, ""},
		{"too deep lists", "FlattenListBlock", core.Values{"nested_list": nest([]any{1}, maxFlattenDepth)}, "Flattening exceeded maximum depth of 1000 levels. Input may be too deeply nested."},
		{"zipping", "ZipListsBlock", core.Values{"pad_to_longest": true, "lists": append(nest(make([]any, 20_000), 1), emptyLists(1000)...)}, "the result would hold 20020000 items, more than 10000000"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(t, c.block, c.in, &core.Run{})
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.err)
		})
	}
}

func emptyLists(n int) []any {
	lists := make([]any, n)
	for i := range lists {
		lists[i] = []any{}
	}
	return lists
}

func TestStepThroughStops(t *testing.T) {
	_, registry := registered(t)
	b, _ := registry.BlockByName("StepThroughItemsBlock")
	ctx, cancel := context.WithCancel(t.Context())
	emitted := 0
	err := core.Execute(ctx, b, &core.Run{}, core.Values{"items": make([]any, 100)}, func(string, any) error {
		emitted++
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, emitted, 100)
}

// slow takes years of backtracking on slowText.
const slow = `(a+)+$`

var slowText = strings.Repeat("a", 60) + "!"

func TestPatternsAreBounded(t *testing.T) {
	re, err := compilePattern(slow, true, true)
	require.NoError(t, err)
	require.Equal(t, maxMatchTime, re.MatchTimeout)
	re.MatchTimeout = time.Millisecond
	_, err = re.MatchString(slowText)
	require.Error(t, err)
	require.Empty(t, extract(t.Context(), re, slowText, 0, true))
}

func TestExtractIsBounded(t *testing.T) {
	re, err := compilePattern("a+|b", true, true)
	require.NoError(t, err)
	require.Len(t, extract(t.Context(), re, strings.Repeat("b", maxExtracts+1), 0, true), maxExtracts)
	got := extract(t.Context(), re, strings.Repeat("a", maxExtractMatch+1), 0, true)
	require.Equal(t, []string{strings.Repeat("a", maxExtractMatch)}, got)
	require.Empty(t, extract(t.Context(), re, strings.Repeat("x", maxExtractText)+"b", 0, true), "text beyond the limit is not looked at")
}

func TestFromPython(t *testing.T) {
	cases := []struct{ in, want string }{
		{`(?P<a>x)(y)(?P<b>z)(?P=b)`, `(x)(y)(z)(?:\3)`},
		{`(?P<a>x)?(?(a)y|z)`, `(x)?(?(1)y|z)`},
		{`(?:x)(?=y)(?!z)(?<=a)(?<!b)`, `(?:x)(?=y)(?!z)(?<=a)(?<!b)`},
		{`a\Z`, `a\z`},
		{`[\Z(]`, `[\Z(]`},
		{`a{,3}`, `a{0,3}`},
		{`[a-z-[aeiou]]`, `[a-z-\[aeiou]]`},
		{`[]a]`, `[\]a]`},
		{`[^]a]`, `[^\]a]`},
		{`\(?P<a>`, `\(?P<a>`},
		{`(?a)x(?iu)y`, `x(?i)y`},
		{`\U0001f600`, "😀"},
		{`\`, `\`},
		{`(?P<a`, `(?P<a`},
	}
	for _, c := range cases {
		t.Run(c.in, func(t *testing.T) { require.Equal(t, c.want, fromPython(c.in)) })
	}
}

func FuzzFromPython(f *testing.F) {
	for _, s := range []string{`(?P<a>x)(?P=a)`, `[]a]`, `\U0001f600`, `(?(a)b|c)`, `(?i)x{,3}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		re, err := compilePattern(pattern, true, true)
		if err != nil {
			return
		}
		re.MatchTimeout = 10 * time.Millisecond
		_ = extract(t.Context(), re, "some text <a>1</a>", 1, true)
	})
}

// xmlPattern is what xmlTokens finds, as a regular expression.
var xmlPattern = regexp.MustCompile(`(?s)(\\.)|(<!--.*?-->)|<(\s*[^>/]+\s*)>|</(\s*[^>]+\s*)>|([^<]+)`)

func FuzzXML(f *testing.F) {
	for _, s := range []string{
		"<a><b>1</b></a>", "<a/>", `\<a>`, "<!-- x --><a></a>", "<!---->", "<!--->", "< >x</ >", "<></>", "</a/>", "<a b='/'>", "\\", "a\\<b>",
		"<!-- <a> > -->", "<<a>>", "<a>&lt;&#x41;</a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<A b\tc>x</a_b_C>", "<a>\xff</a>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want []xmlToken
		for _, m := range xmlPattern.FindAllStringSubmatch(s, -1) {
			switch {
			case m[3] != "":
				want = append(want, xmlToken{open: true, text: m[3]})
			case m[4] != "":
				want = append(want, xmlToken{close: true, text: m[4]})
			case strings.TrimSpace(m[5]) != "":
				want = append(want, xmlToken{text: strings.TrimSpace(m[5])})
			}
		}
		var got []xmlToken
		for tokens := newXMLTokens(s); ; {
			token, ok := tokens.next()
			if !ok {
				break
			}
			got = append(got, token)
		}
		require.Equal(t, want, got)
		if checkXML(s) != nil {
			return
		}
		if root, err := treeOfXML(s); err == nil {
			root.value()
		}
	})
}
