package core_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// Schemas that the cases name.
var schemas = map[string]string{
	"string":          `{"type":"string"}`,
	"integer":         `{"type":"integer"}`,
	"number":          `{"type":"number"}`,
	"boolean":         `{"type":"boolean"}`,
	"list":            `{"type":"array","items":{}}`,
	"list<string>":    `{"type":"array","items":{"type":"string"}}`,
	"object":          `{"type":"object","additionalProperties":true}`,
	"map<integer>":    `{"type":"object","additionalProperties":{"type":"integer"}}`,
	"any":             `{}`,
	"null":            `{"type":"null"}`,
	"struct":          `{"type":"object","properties":{"a":{"type":"string"}},"title":"S"}`,
	"enum":            `{"type":"string","enum":["==","!="],"title":"ComparisonOperator"}`,
	"integer enum":    `{"enum":[1,2],"title":"Size"}`,
	"string|null":     `{"anyOf":[{"type":"string"},{"type":"null"}]}`,
	"integer|null":    `{"anyOf":[{"type":"integer"},{"type":"null"}]}`,
	"string|integer":  `{"anyOf":[{"type":"string"},{"type":"integer"}]}`,
	"string|strings":  `{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]}`,
	"enum|integer":    `{"anyOf":[{"type":"string","enum":["a"],"title":"Letter"},{"type":"integer"}]}`,
	"enum|enum":       `{"anyOf":[{"type":"string","enum":["a"],"title":"Letter"},{"type":"string","enum":["b"],"title":"Other"}]}`,
	"object or lists": `{"anyOf":[{"additionalProperties":true,"type":"object"},{"items":{"anyOf":[{"additionalProperties":true,"type":"object"},{"items":{},"type":"array"}]},"type":"array"}]}`,
}

func schema(tb testing.TB, name string) *core.Object {
	tb.Helper()
	text, ok := schemas[name]
	require.True(tb, ok, name)
	return core.ParseSchema(text)
}

func TestCoerce(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		// Integers and numbers.
		{"integer", `"5.9"`, `5`},
		{"integer", `"-3.7"`, `-3`},
		{"integer", `" 7 "`, `7`},
		{"integer", `"1_000"`, `1000`},
		{"integer", `"abc"`, `0`},
		{"integer", `""`, `0`},
		{"integer", `[1,2,3]`, `3`},
		{"integer", `{"a":1}`, `1`},
		{"integer", `true`, `true`},
		{"integer", `5`, `5`},
		{"integer", `5.5`, `5`},
		{"integer", `"1e3"`, `1000`},
		{"number", `"5.9"`, `5.9`},
		{"number", `"x"`, `0.0`},
		{"number", `"10"`, `10.0`},
		{"number", `[1,2]`, `2.0`},
		{"number", `true`, `1.0`},
		{"number", `false`, `0.0`},
		{"number", `7`, `7`},
		// Text.
		{"string", `{"a":1}`, `"{\"a\": 1}"`},
		{"string", `true`, `"true"`},
		{"string", `5`, `"5"`},
		{"string", `5.0`, `"5.0"`},
		{"string", `[1,"é",null]`, `"[1, \"\\u00e9\", null]"`},
		{"string", `"x"`, `"x"`},
		// Booleans.
		{"boolean", `"yes"`, `false`},
		{"boolean", `"True"`, `true`},
		{"boolean", `"1"`, `true`},
		{"boolean", `"0"`, `false`},
		{"boolean", `1`, `true`},
		{"boolean", `0.0`, `false`},
		{"boolean", `[]`, `false`},
		{"boolean", `{"a":1}`, `true`},
		// Lists.
		{"list", `"a"`, `["a"]`},
		{"list", `"[1,2]"`, `[1,2]`},
		{"list", `" [1,2] "`, `[1,2]`},
		{"list", `"[bad]"`, `["[bad]"]`},
		{"list", `"[1] [2]"`, `["[1] [2]"]`},
		{"list", `{"b":1,"a":2}`, `[["a",2],["b",1]]`},
		{"list", `5`, `[5]`},
		{"list", `[5]`, `[5]`},
		{"list<string>", `[1,2]`, `["1","2"]`},
		{"list<string>", `"abc"`, `["abc"]`},
		{"list<string>", `[1,{"a":2}]`, `["1","{\"a\": 2}"]`},
		{"list<string>", `"[1,null]"`, `["1",null]`},
		// Objects.
		{"object", `"x"`, `{"value":"x"}`},
		{"object", `"[1]"`, `{"value":[1]}`},
		{"object", `"{\"a\":1}"`, `{"a":1}`},
		{"object", `["a","b"]`, `{"0":"a","1":"b"}`},
		{"object", `5`, `{"value":5}`},
		{"object", `{"a":1}`, `{"a":1}`},
		{"map<integer>", `{"a":"1","b":[1,2]}`, `{"a":1,"b":2}`},
		{"map<integer>", `["3"]`, `{"0":3}`},
		// What is left alone.
		{"any", `"5"`, `"5"`},
		{"struct", `"x"`, `"x"`},
		{"struct", `{"a":5}`, `{"a":5}`},
		{"null", `5`, `5`},
		{"integer", `null`, `null`},
		// Enums.
		{"enum", `"=="`, `"=="`},
		{"integer enum", `2`, `2`},
		{"integer enum", `2.0`, `2`},
		// Unions.
		{"string|null", `42`, `"42"`},
		{"integer|null", `"42"`, `42`},
		{"integer|null", `null`, `null`},
		{"string|integer", `7`, `7`},
		{"string|integer", `"x"`, `"x"`},
		{"string|integer", `1.5`, `"1.5"`},
		{"string|strings", `[1]`, `"[1]"`},
		{"string|strings", `["a"]`, `["a"]`},
		{"enum|integer", `"7"`, `7`},
		{"object or lists", `"[1]"`, `{"value":[1]}`},
		{"object or lists", `[{"a":1},[2]]`, `[{"a":1},[2]]`},
		{"object or lists", `[{"a":1},2]`, `{"0":{"a":1},"1":2}`},
	} {
		t.Run(c.schema+" "+c.value, func(t *testing.T) {
			value, err := core.DecodeJSON([]byte(c.value))
			require.NoError(t, err)
			want, err := core.DecodeJSON([]byte(c.want))
			require.NoError(t, err)
			got, err := core.Coerce(schema(t, c.schema), value)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestCoerceErrors(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		{"enum", `"~"`, "Failed to convert '~' to ComparisonOperator"},
		{"enum", `5`, "Failed to convert 5 to ComparisonOperator"},
		{"enum", `["=="]`, `Failed to convert ["=="] to ComparisonOperator`},
		{"integer", `"inf"`, "Failed to convert 'inf' to integer"},
		{"number", `"-Infinity"`, "Failed to convert '-Infinity' to number"},
		{"number", `"1e999"`, "Failed to convert '1e999' to number"},
		{"integer", `"nan"`, "Failed to convert 'nan' to integer"},
		{"enum|enum", `"c"`, "Failed to convert 'c' to Letter"},
	} {
		value, err := core.DecodeJSON([]byte(c.value))
		require.NoError(t, err)
		_, err = core.Coerce(schema(t, c.schema), value)
		require.EqualError(t, err, c.want)
		require.True(t, core.IsKind(err, core.Invalid))
	}
	_, err := core.Coerce(schema(t, "enum"), strings.Repeat("é", 10_000))
	require.Less(t, len(err.Error()), 300, "a long value is cut")
}

// coerceInputs are the inputs of four blocks, for the coercions of a whole
// node.
type coerceInputs struct {
	Operation string   `json:"operation" enum:"Add,Divide"`
	A         float64  `json:"a"`
	B         float64  `json:"b"`
	Round     bool     `json:"round_result" default:"false"`
	Texts     []string `json:"input"`
	Number    *int     `json:"number"`
	Short     *string  `json:"short" format:"short-text"`
	Data      any      `json:"data" type:"object | array<object | array>"`
}

func TestSpecCoerce(t *testing.T) {
	spec := specOf[coerceInputs, struct{}](t, core.BlockSpec{})
	var in core.Values
	require.NoError(t, json.Unmarshal([]byte(`{"operation":"Add","a":"10","b":"x","round_result":"true","input":"abc",
		"number":"42","short":42,"data":"[1]","unknown":"7","_":null}`), &in))
	before := in.Clone()
	got, err := spec.Coerce(in)
	require.NoError(t, err)
	require.Equal(t, core.Values{
		"operation": "Add", "a": 10.0, "b": 0.0, "round_result": true, "input": []any{"abc"},
		"number": 42, "short": "42", "data": map[string]any{"value": []any{1}}, "unknown": "7", "_": nil,
	}, got)
	require.Equal(t, before, in, "the inputs given must not change")

	_, err = spec.Coerce(core.Values{"operation": "Sing"})
	require.ErrorContains(t, err, "Failed to convert 'Sing' to ")
}
