package core_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestDecodeJSON(t *testing.T) {
	for text, want := range map[string]any{
		`5`: 5, `5.0`: 5.0, `-0`: 0, `1e3`: 1000.0, `9223372036854775807`: math.MaxInt64,
		`9223372036854775808`: 9223372036854775808.0, `1e999`: math.MaxFloat64, `-1e999`: -math.MaxFloat64,
		`"5"`: "5", `null`: nil, `true`: true, ` [1,[2.5]] `: []any{1, []any{2.5}},
		`{"a":{"b":1}}`: map[string]any{"a": map[string]any{"b": 1}},
	} {
		got, err := core.DecodeJSON([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{``, `{`, `1 2`, `{} []`, `nope`} {
		_, err := core.DecodeJSON([]byte(text))
		require.Error(t, err, text)
	}
}

func TestValuesFromJSON(t *testing.T) {
	var v core.Values
	require.NoError(t, json.Unmarshal([]byte(`{"a":1,"b":[1.5]}`), &v))
	require.Equal(t, core.Values{"a": 1, "b": []any{1.5}}, v)
	require.NoError(t, json.Unmarshal([]byte(`null`), &v))
	require.Nil(t, v)
	for text, want := range map[string]string{
		`[1]`: "an object is expected, got array", `"a"`: "an object is expected, got string",
		`1`: "an object is expected, got number", `true`: "an object is expected, got boolean",
	} {
		require.EqualError(t, json.Unmarshal([]byte(text), &v), want)
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct{ value, want any }{
		{nil, nil},
		{"a", "a"},
		{5, 5},
		{5.5, 5.5},
		{math.Inf(1), nil},
		{math.NaN(), nil},
		{int64(7), 7},
		{json.Number("5"), 5},
		{[]string{"a"}, []any{"a"}},
		{struct {
			A int `json:"a"`
		}{1}, map[string]any{"a": 1}},
		{time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), "2024-05-06T00:00:00Z"},
		{core.NewObject("a", 1), map[string]any{"a": 1}},
		{core.Secret("x"), "**********"},
	} {
		got, err := core.Plain(c.value)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	_, err := core.Plain(make(chan int))
	require.Error(t, err)
}

func TestTruthy(t *testing.T) {
	for _, v := range []any{nil, false, "", []any{}, map[string]any{}, 0, 0.0, int64(0), json.Number("0")} {
		require.False(t, core.Truthy(v), "%#v", v)
	}
	for _, v := range []any{true, "0", " ", []any{nil}, map[string]any{"a": nil}, -1, 0.5, json.Number("2"), struct{}{}} {
		require.True(t, core.Truthy(v), "%#v", v)
	}
}

func TestNumber(t *testing.T) {
	for _, v := range []any{2, int64(2), int32(2), 2.0, float32(2), json.Number("2")} {
		f, ok := core.Number(v)
		require.True(t, ok)
		require.Equal(t, 2.0, f)
	}
	for _, v := range []any{true, "2", nil, json.Number("x")} {
		_, ok := core.Number(v)
		require.False(t, ok, "%#v", v)
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"as it is é", "as it is é"},
		{nil, "null"},
		{true, "true"},
		{5, "5"},
		{5.0, "5.0"},
		{0.1, "0.1"},
		{1e20, "1e+20"},
		{1e-5, "1e-05"},
		{math.Inf(1), "Infinity"},
		{math.Inf(-1), "-Infinity"},
		{math.NaN(), "NaN"},
		{[]any{1, "a", nil, 2.0}, `[1, "a", null, 2.0]`},
		{map[string]any{"b": 1, "a": []any{}}, `{"a": [], "b": 1}`},
		{map[string]any{}, `{}`},
		{[]any{"é😀\u007f"}, `["\u00e9\ud83d\ude00\u007f"]`},
		{[]any{"\"\\\b\f\n\r\t\x01</script>"}, `["\"\\\b\f\n\r\t\u0001</script>"]`},
		{[]string{"a"}, `["a"]`},
		{int64(7), "7"},
		{core.NewObject("b", 1, "a", 2), `{"a": 2, "b": 1}`},
		{make(chan int), ""},
	} {
		require.Equal(t, c.want, core.Text(c.value))
	}
}

func TestRepr(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "None"},
		{true, "True"},
		{false, "False"},
		{5, "5"},
		{5.0, "5.0"},
		{1e20, "1e+20"},
		{1e16, "1e+16"},
		{123456789012345.0, "123456789012345.0"},
		{0.0001, "0.0001"},
		{0.00001, "1e-05"},
		{math.NaN(), "nan"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
		{"text", "'text'"},
		{"it's", `"it's"`},
		{`it's "so"`, `'it\'s "so"'`},
		{`"so"`, `'"so"'`},
		{"a\\b\n\r\t", `'a\\b\n\r\t'`},
		{"é", "'é'"},
		{[]any{1, 2}, "[1, 2]"},
		{[]any{}, "[]"},
		{map[string]any{"k": "v", "a": []any{nil}}, "{'a': [None], 'k': 'v'}"},
		{map[string]any{}, "{}"},
		{json.Number("5"), "5"},
	} {
		require.Equal(t, c.want, core.Repr(c.value))
	}
}

func TestSortedKeys(t *testing.T) {
	require.Equal(t, []string{"a", "b"}, core.SortedKeys(map[string]int{"b": 1, "a": 2}))
	require.Empty(t, core.SortedKeys[int](nil))
}
