package db_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
)

func TestClean(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"fit already":       {"línea\t1\r\n😀", "línea\t1\r\n😀"},
		"nul":               {"a\x00b", "ab"},
		"all that go":       {"\x01\x08\x0b\x0c\x0e\x1f\x7fx", "x"},
		"broken utf-8":      {"a\xffb", "a\uFFFDb"},
		"c1 controls stay":  {"a\u0085b", "a\u0085b"},
		"empty":             {"", ""},
		"only what goes":    {"\x00\x00", ""},
		"replacement stays": {"\uFFFD", "\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, db.Clean(c.in)) })
	}
}

func TestJSONText(t *testing.T) {
	for name, c := range map[string]struct {
		in   any
		want any
	}{
		"compact and unescaped":  {map[string]any{"b": "<é&>", "a": []any{1, nil}}, `{"a":[1,null],"b":"<é&>"}`},
		"controls go":            {map[string]any{"k\x00ey": "a\x00\x08\x0c\x0b\x7fb\n\t"}, `{"key":"ab\n\t"}`},
		"nested":                 {[]any{map[string]any{"x": []string{"\x01y"}}}, `[{"x":["y"]}]`},
		"an escaped backslash":   {`\u0000 as text`, `"\\u0000 as text"`},
		"ends in a backslash":    {"a\\\x00", `"a\\"`},
		"raw, escaped":           {json.RawMessage(`{"a":"\u0000\u001F\u007f\b\f\u0041\ud83d\ude00"}`), `{"a":"\u0041\ud83d\ude00"}`},
		"raw, spaces":            {json.RawMessage(`[1, 2]`), `[1,2]`},
		"raw, not utf-8":         {json.RawMessage("\"\xff\""), "\"\uFFFD\""},
		"nil map":                {map[string]any(nil), nil},
		"nil pointer":            {(*int)(nil), nil},
		"nil slice":              {[]string(nil), nil},
		"nil":                    {nil, nil},
		"empty map is not null":  {map[string]any{}, `{}`},
		"zero struct is not nil": {struct{ A int }{}, `{"A":0}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := db.AsJSON(c.in).Value()
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := db.AsJSON[any](make(chan int)).Value()
	require.ErrorContains(t, err, "encoding a JSON column")
}

func TestJSONScan(t *testing.T) {
	kept := db.AsJSON(map[string]int{"old": 1})
	require.NoError(t, kept.Scan(`{"new":2}`))
	require.Equal(t, map[string]int{"new": 2}, kept.V, "what was there before must not stay")
	require.NoError(t, kept.Scan(nil))
	require.Nil(t, kept.V)

	raw := db.JSON[json.RawMessage]{}
	buffer := []byte(`{"a":1}`)
	require.NoError(t, raw.Scan(buffer))
	copy(buffer, "xxxxxxx")
	require.JSONEq(t, `{"a":1}`, string(raw.V))

	require.ErrorContains(t, kept.Scan(`{`), "decoding a JSON column")
	require.ErrorContains(t, kept.Scan(7), "got int")
}

func TestJSONIsTransparent(t *testing.T) {
	type answer struct {
		Meta db.JSON[map[string]string] `json:"meta"`
	}
	data, err := json.Marshal(answer{Meta: db.AsJSON(map[string]string{"a": "b"})})
	require.NoError(t, err)
	require.Equal(t, `{"meta":{"a":"b"}}`, string(data))
	var back answer
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, "b", back.Meta.V["a"])
}

func FuzzJSONStaysJSON(f *testing.F) {
	for _, seed := range []string{`{"a":"\u0000"}`, `"\\u0000"`, `["\b\\\f"]`, "\"\x7f\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		if !json.Valid([]byte(doc)) {
			return
		}
		text, err := db.AsJSON(json.RawMessage(doc)).Value()
		require.NoError(t, err)
		var v any
		require.NoError(t, json.Unmarshal([]byte(text.(string)), &v), "from %q came %q", doc, text)
		again, err := db.AsJSON(v).Value()
		require.NoError(t, err)
		if v != nil {
			require.NotContains(t, again, "\x7f")
			require.NotContains(t, again, `\b`+"\x00")
		}
	})
}
