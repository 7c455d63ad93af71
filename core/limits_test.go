package core_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// Pin names and values come from whoever draws or imports an agent: what they
// can make grow is bounded.
func TestPinsAndValuesAreBounded(t *testing.T) {
	t.Run("one far index", func(t *testing.T) {
		_, err := core.MergePins([]string{"a_$_99999999"}, core.Values{"a_$_99999999": 1})
		require.ErrorContains(t, err, "out of range")
	})
	t.Run("many far indexes", func(t *testing.T) {
		data := core.Values{}
		var keys []string
		for _, name := range strings.Split("abcdefghij", "") {
			key := name + "_$_50000"
			keys = append(keys, key)
			data[key] = 1
		}
		_, err := core.MergePins(keys, data)
		require.ErrorContains(t, err, "out of range")
	})
	t.Run("many steps", func(t *testing.T) {
		key := "a" + strings.Repeat("_$_0", 5000)
		out, err := core.MergePins([]string{key}, core.Values{key: 1})
		require.NoError(t, err)
		require.Equal(t, core.Values{key: 1}, out, "such a name is a plain one")
	})
	t.Run("deep values", func(t *testing.T) {
		var v any
		for range 2000 {
			v = []any{v}
		}
		_, err := core.Plain(v)
		require.ErrorContains(t, err, "nested deeper than 1000 levels")
		ok, err := core.Plain([]any{`[[[[ "text" \ `, map[string]any{"]": "}"}})
		require.NoError(t, err)
		require.Equal(t, []any{`[[[[ "text" \ `, map[string]any{"]": "}"}}, ok)
	})
}
