package core_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestObjectKeepsOrder(t *testing.T) {
	const text = `{"z":1,"a":{"y":[{"c":1,"b":2}],"x":null},"m":"<é>","f":1.5}`
	var o core.Object
	require.NoError(t, json.Unmarshal([]byte(text), &o))
	require.Equal(t, text, encoded(t, &o))
	require.Equal(t, []string{"z", "a", "m", "f"}, o.Keys())
	require.Equal(t, 4, o.Len())
	require.Equal(t, []string{"y", "x"}, o.Object("a").Keys())
	require.Equal(t, "<é>", o.Text("m"))
	require.Equal(t, "", o.Text("z"))
	require.Nil(t, o.Object("m"))

	o.Set("z", 2).Set("new", 3)
	o.Delete("a")
	o.Delete("absent")
	require.Equal(t, `{"z":2,"m":"<é>","f":1.5,"new":3}`, encoded(t, &o))
}

func TestObjectClone(t *testing.T) {
	o := core.NewObject("a", core.NewObject("b", 1), "l", []any{core.NewObject("c", 1)})
	c := o.Clone()
	c.Object("a").Set("b", 2)
	c.Delete("a")
	list, _ := c.Get("l")
	list.([]any)[0].(*core.Object).Set("c", 2)
	c.Set("d", 1)
	require.Equal(t, `{"a":{"b":1},"l":[{"c":1}]}`, encoded(t, o))
}

func TestNilObject(t *testing.T) {
	var o *core.Object
	require.Nil(t, o.Clone())
	require.Nil(t, o.Object("a").Object("b"))
	require.Zero(t, o.Len())
	require.Equal(t, "null", encoded(t, o))
}

func TestObjectErrors(t *testing.T) {
	var o core.Object
	for text, want := range map[string]string{
		`[]`: "a JSON object is expected, got array", `5`: "a JSON object is expected, got number", `null`: "a JSON object is expected, got null",
	} {
		require.EqualError(t, o.UnmarshalJSON([]byte(text)), want)
	}
	for _, text := range []string{``, `{`, `{"a":`, `{"a":[1`, `{"a":1 "b"`} {
		require.Error(t, o.UnmarshalJSON([]byte(text)), text)
	}
	_, err := core.JSON(core.NewObject("f", func() {}))
	require.ErrorContains(t, err, `encoding member "f"`)
}
