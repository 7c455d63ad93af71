package core_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestValidationMessages(t *testing.T) {
	for _, c := range []struct {
		name, schema, value, want string // want is "" for a valid value
	}{
		{"missing", `{"properties":{"name":{"type":"string"}},"required":["name"]}`, `{}`, "'name' is a required property"},
		{"missing before wrong", `{"properties":{"a":{"type":"string"},"b":{}},"required":["b"]}`, `{"a":1}`, "'b' is a required property"},
		{"first of several by place", `{"properties":{"a":{"type":"string"},"b":{"type":"string"}}}`, `{"b":1,"a":2}`, "2 is not of type 'string'"},
		{"type", `{"properties":{"name":{"type":"string"}}}`, `{"name":5}`, "5 is not of type 'string'"},
		{"type of text", `{"type":"array"}`, `"abc"`, "'abc' is not of type 'array'"},
		{"enum", `{"enum":["==","!="]}`, `"~"`, "'~' is not one of ['==', '!=']"},
		{"const", `{"const":"a"}`, `"b"`, "'a' was expected"},
		{"union", `{"anyOf":[{"type":"integer"},{"type":"null"}]}`, `"42"`, "'42' is not valid under any of the given schemas"},
		{"one of", `{"oneOf":[{"type":"integer"},{"type":"null"}]}`, `true`, "True is not valid under any of the given schemas"},
		{"minimum", `{"minimum":1}`, `0`, "0 is less than the minimum of 1"},
		{"maximum", `{"maximum":2.5}`, `3`, "3 is greater than the maximum of 2.5"},
		{"too short", `{"minLength":1}`, `""`, "'' is too short"},
		{"too few", `{"minItems":1}`, `[]`, "[] is too short"},
		{"too long", `{"maxLength":1}`, `"ab"`, "'ab' is too long"},
		{"too many", `{"maxItems":1}`, `[1,2]`, "[1, 2] is too long"},
		{"unique", `{"uniqueItems":true}`, `[1,1]`, "[1, 1] has non-unique elements"},
		{"deep", `{"items":{"properties":{"a":{"type":"object"}}}}`, `[{"a":{}},{"a":[]}]`, "[] is not of type 'object'"},
		{"whole float is an integer", `{"type":"integer"}`, `4.0`, ""},
		{"fraction is not", `{"type":"integer"}`, `4.5`, "4.5 is not of type 'integer'"},
		{"a boolean is no number", `{"type":"number"}`, `true`, "True is not of type 'number'"},
		{"format is not checked", `{"type":"string","format":"date"}`, `"tomorrow"`, ""},
		{"unknown members are fine", `{"properties":{"a":{}}}`, `{"b":1}`, ""},
		{"valid", `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`, `{"a":"x"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			value, err := core.DecodeJSON([]byte(c.value))
			require.NoError(t, err)
			err = core.NewValidator(core.ParseSchema(c.schema)).Validate(value)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			require.True(t, core.IsKind(err, core.Invalid))
		})
	}
}

func TestValidationOfLongValues(t *testing.T) {
	err := core.NewValidator(core.ParseSchema(`{"type":"array"}`)).Validate(strings.Repeat("é", 10_000))
	require.ErrorContains(t, err, "… is not of type 'array'")
	require.Less(t, len(err.Error()), 600)
}

func TestBadSchema(t *testing.T) {
	err := core.NewValidator(core.ParseSchema(`{"type":"colour"}`)).Validate(1)
	require.ErrorContains(t, err, "the schema is not valid")
}

func TestValidateInput(t *testing.T) {
	spec := specOf[storeIn, storeOut](t, core.BlockSpec{})
	require.NoError(t, spec.ValidateInput(core.Values{"input": 0, "data": nil, "more": 1}))
	require.EqualError(t, spec.ValidateInput(core.Values{"input": nil}), "'input' is a required property")
	require.Equal(t, []string{"input"}, spec.Missing(core.Values{"data": 1}))
	require.Empty(t, spec.Missing(core.Values{"input": nil}), "null is given")
}
