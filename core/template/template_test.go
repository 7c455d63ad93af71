package template_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/template"
)

// vectors are templates with what Jinja 3.1 makes of them.
type vectors struct {
	Values map[string]any
	Cases  []struct {
		Template   string
		EscapeHTML bool `json:"escape_html"`
		Want       *string
		Error      string
	}
}

func loadVectors(t testing.TB) vectors {
	t.Helper()
	f, err := os.Open("testdata/jinja.json")
	require.NoError(t, err)
	defer f.Close()
	d := json.NewDecoder(f)
	d.UseNumber()
	var v vectors
	require.NoError(t, d.Decode(&v))
	return v
}

func TestJinja(t *testing.T) {
	v := loadVectors(t)
	require.NotEmpty(t, v.Cases)
	for _, c := range v.Cases {
		t.Run(c.Template, func(t *testing.T) {
			got, err := template.Render(t.Context(), c.Template, v.Values, template.Options{EscapeHTML: c.EscapeHTML})
			if c.Want == nil {
				require.EqualError(t, err, c.Error)
				require.Equal(t, core.Invalid, core.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, *c.Want, got)
		})
	}
}

// TestOwn holds what differs from Jinja or is not in it.
func TestOwn(t *testing.T) {
	values := map[string]any{
		"o":     5,
		"m":     map[string]any{"b": 1, "a": 2.0},
		"when":  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"typed": struct{ Name string }{"x"},
		"ints":  []int{1, 2},
	}
	deep := func(n int, open, inner, end string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	cases := []struct{ name, template, want, err string }{
		{"members are sorted", "{{ m }}{% for k in m %}{{ k }}{% endfor %}", "{'a': 2.0, 'b': 1}ab", ""},
		{"time", "{{ when }}", "2026-01-02T03:04:05Z", ""},
		{"Go values become JSON values", "{{ typed.Name }}{{ ints }}{{ typed.String }}", "x[1, 2]", ""},
		{"attribute of a missing name", "{{ x.y }}", "", "'x' is undefined"},
		{"attribute of a missing attribute", "{{ o.x.y }}", "", "'int object' has no attribute 'x'"},
		{"underscore attributes", "{{ o.__class__ }}|{{ x.__class__ }}", "|", ""},
		{"blocked attributes lead nowhere", "{{ [].__class__.__base__ }}|", "|", ""},
		{"no self", "{{ self }}|{{ cycler }}|{{ joiner }}", "||", ""},
		{"one line end is dropped", "a\n\n", "a\n", ""},

		{"range at the limit", "{{ range(10000)|length }}", "10000", ""},
		{"range over the limit", "{{ range(10001) }}", "", "range() too large (10001 items, max 10000)"},
		{"range of the largest integers", "{{ range(-9223372036854775807, 9223372036854775807) }}", "", "range() too large (18446744073709551614 items, max 10000)"},
		{"base", "{{ 999999999**100 }}", "", "Base too large for exponentiation (max 1000)"},
		{"exponent", "{{ 2**1001 }}", "", "Exponent too large (max 1000)"},
		{"negative exponent", "{{ 2**-1001 }}", "", "Exponent too large (max 1000)"},
		{"repeat text", "{{ 'x' * 10001 }}", "", "Sequence repeat too large (max 10000 items)"},
		{"repeat list", "{{ [1, 2] * 5001 }}", "", "Sequence repeat too large (max 10000 items)"},
		{"repeat from the left", "{{ 10001 * 'x' }}", "", "Sequence repeat too large (max 10000 items)"},
		{"repeat by less than nothing", "{{ 'x' * -1 }}|", "|", ""},
		{"output", "{% for i in range(2000) %}{{ 'x' * 10000 }}{% endfor %}", "", "Template output is too large (max 10485760 bytes)"},
		{"text", "{% set a = 'x' * 10000 %}" + strings.Repeat("{% set a = a ~ a %}", 20), "", "Template output is too large (max 10485760 bytes)"},
		{"list", "{% set a = [1] * 10000 %}" + strings.Repeat("{% set a = a + a %}", 20), "", "Template needs too much memory"},
		{"integer", "{% set a = 10 ** 1000 %}" + strings.Repeat("{% set a = a * a %}", 20), "", "Template needs too much memory"},
		{"padding", "{{ 'x'.center(100000000000) }}", "", "Template output is too large (max 10485760 bytes)"},
		{"format width", "{{ '%999999999d' % 1 == 0 }}", "False", ""},
		{"replace", "{% set a = 'x' * 10000 %}{{ a.replace('x', a) }}", "", "Template output is too large (max 10485760 bytes)"},
		{"list that holds itself", "{% set a = [] %}{{ a.append(a) }}{{ (a|string)[:9] }}", "None[[[[[[[[[", ""},
		{"comparing what holds itself", "{% set a = [] %}{% set b = [] %}{{ a.append(b) }}{{ b.append(a) }}{{ a == b }}", "", "Template is nested too deeply"},
		{"macro without end", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "", "Template is nested too deeply"},
		{"deep source", "{{ " + deep(100_000, "(", "1", ")") + " }}", "", "Template is nested too deeply"},
		{"deep lists", "{{ " + deep(100_000, "[", "", "]") + " }}", "", "Template is nested too deeply"},
		{"deep not", "{{ " + deep(100_000, "not ", "1", "") + " }}", "", "Template is nested too deeply"},
		{"deep sign", "{{ " + deep(100_000, "-", "1", "") + " }}", "", "Template is nested too deeply"},
		{"deep blocks", deep(100_000, "{% if 1 %}", "", "{% endif %}"), "", "Template is nested too deeply"},
		{"long sum", "{{ 1" + strings.Repeat(" + 1", 100_000) + " }}", "", "Template is nested too deeply"},
		{"long attribute", "{{ x" + strings.Repeat(".a", 100_000) + " }}", "", "Template is nested too deeply"},

		{"syntax errors name the line", "a\n{{ a b }}", "", "expected token 'end of print statement', got 'b' (line 2)"},
		{"no expression", "{{ }}", "", "unexpected 'end of print statement' (line 1)"},
		{"open expression", "{{ 1 +", "", `unexpected end of template, expected "}}" (line 1)`},
		{"open block", "{% if 1 %}x", "", "Unexpected end of template. Jinja was looking for the tag 'endif'. (line 1)"},
		{"wrong end", "{% for x in a %}{% endif %}", "", "Encountered unknown tag 'endif'. (line 1)"},
		{"brackets", "{{ (1 }}", "", "unexpected '}', expected ')' (line 1)"},
		{"open comment", "{# x", "", "Missing end of comment tag (line 1)"},
		{"open raw", "{% raw %}x", "", "Missing end of raw directive (line 1)"},
		{"namespace attribute", "{% set a.b = 1 %}", "", "cannot assign attribute on non-namespace object (line 1)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := template.Render(t.Context(), c.template, values, template.Options{})
			if c.err != "" {
				require.EqualError(t, err, c.err)
				require.Equal(t, core.Invalid, core.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// endless loops for years if nothing stops it.
const endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% if 0 %}{% endif %}{% endfor %}{% endfor %}{% endfor %}"

func TestEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := template.Render(ctx, endless, nil, template.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestTimesOut(t *testing.T) {
	// Ranges that exist already take no memory, so it is time that ends this.
	loops := "{% set r = range(9999) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}"
	_, err := template.RenderWithin(t.Context(), time.Millisecond, loops, nil, template.Options{})
	require.EqualError(t, err, "Template rendering timed out after 10s (expression too complex)")
	require.Equal(t, core.Invalid, core.KindOf(err))
}

func TestLeavesValuesAlone(t *testing.T) {
	values := map[string]any{"l": []any{1}, "m": map[string]any{"a": 1}}
	got, err := template.Render(t.Context(), "{{ l.append(2) }}{{ m.update({'b': 2}) }}{{ l }}{{ m }}", values, template.Options{})
	require.NoError(t, err)
	require.Equal(t, "NoneNone[1, 2]{'a': 1, 'b': 2}", got)
	require.Equal(t, map[string]any{"l": []any{1}, "m": map[string]any{"a": 1}}, values)
}

func TestDecodeEscapes(t *testing.T) {
	cases := []struct{ in, want, err string }{
		{`plain é世`, "plain é世", ""},
		{`\n\t\r\\\'\"\a\b\f\v`, "\n\t\r\\'\"\a\b\f\v", ""},
		{`\101\x41\u0041\U00000041\7`, "AAAA\a", ""},
		{`\N{BULLET}\N{latin small letter a}`, "•a", ""},
		{"a\\\nb", "ab", ""},
		{`\d\z`, `\d\z`, ""},
		{`\ud83d\ude00`, "😀", ""},
		{`\`, "", `'unicodeescape' codec can't decode byte 0x5c in position 0: \ at end of string`},
		{`ab\x4`, "", `'unicodeescape' codec can't decode bytes in position 2-4: truncated \xXX escape`},
		{`\u00`, "", `'unicodeescape' codec can't decode bytes in position 0-3: truncated \uXXXX escape`},
		{`\U00110000`, "", `'unicodeescape' codec can't decode bytes in position 0-9: illegal Unicode character`},
		{`\N{NO SUCH}`, "", `'unicodeescape' codec can't decode bytes in position 0-10: unknown Unicode character name`},
		{`\N`, "", `'unicodeescape' codec can't decode bytes in position 0-1: malformed \N character escape`},
	}
	for _, c := range cases {
		t.Run(c.in, func(t *testing.T) {
			got, err := template.DecodeEscapes(c.in)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// FuzzRender looks for templates that crash the process.
func FuzzRender(f *testing.F) {
	v := loadVectors(f)
	for _, c := range v.Cases {
		f.Add(c.Template, c.EscapeHTML)
	}
	f.Fuzz(func(t *testing.T, source string, escape bool) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		out, err := template.Render(ctx, source, v.Values, template.Options{EscapeHTML: escape})
		if err != nil && out != "" {
			t.Fatalf("an error came with output %q", out)
		}
		if len(out) > template.MaxOutput {
			t.Fatalf("%d bytes of output", len(out))
		}
	})
}

func BenchmarkRender(b *testing.B) {
	values := map[string]any{"name": "Alice", "items": []any{1, 2, 3}}
	for b.Loop() {
		_, err := template.Render(b.Context(), "Hello {{ name|upper }}{% for i in items %} {{ i * 2 }}{% endfor %}", values, template.Options{})
		if err != nil {
			b.Fatal(err)
		}
	}
}
