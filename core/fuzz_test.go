package core_test

import (
	"reflect"
	"strings"
	"testing"

	"agentserver/core"
)

// FuzzSelectOutput checks that no link source, which graphs choose freely,
// brings the selection down.
func FuzzSelectOutput(f *testing.F) {
	for _, c := range loadPinCases(f).Select {
		f.Add(c.Emitted, encoded(f, c.Value), c.Source, c.Node, c.Pin)
	}
	f.Fuzz(func(t *testing.T, emitted, value, source, node, pin string) {
		v, err := core.DecodeJSON([]byte(value))
		if err != nil {
			t.Skip()
		}
		got, fires := core.SelectOutput(emitted, v, source, node, pin)
		if source == emitted && !core.IsToolPin(source) && (!fires || !reflect.DeepEqual(got, v)) {
			t.Fatalf("the pin itself must deliver its value, got %v %v", got, fires)
		}
	})
}

// FuzzMergePins checks that no pin names bring the merge down, and that what
// went in is still there.
func FuzzMergePins(f *testing.F) {
	for _, c := range loadPinCases(f).Merge {
		f.Add(strings.Join(c.Keys, "\n"), encoded(f, c.Data))
	}
	f.Fuzz(func(t *testing.T, names, value string) {
		v, err := core.DecodeJSON([]byte(value))
		if err != nil {
			t.Skip()
		}
		keys := strings.Split(names, "\n")
		data := core.Values{}
		for _, k := range keys {
			data[k] = v
		}
		got, err := core.MergePins(keys, data)
		if err != nil {
			if !core.IsKind(err, core.Invalid) {
				t.Fatalf("unexpected kind of error: %v", err)
			}
			return
		}
		for _, k := range keys {
			if _, ok := got[k]; !ok {
				t.Fatalf("pin %q is lost", k)
			}
		}
	})
}

// FuzzCoerce checks that a coerced value is stable: coercing it again changes
// nothing, and it can be validated.
func FuzzCoerce(f *testing.F) {
	for _, name := range core.SortedKeys(schemas) {
		for _, v := range []string{`"5.9"`, `"[1,2]"`, `{"a":"1"}`, `[1,[2]]`, `true`, `null`, `"inf"`, `1e999`} {
			f.Add(name, v)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		text, ok := schemas[name]
		if !ok {
			t.Skip()
		}
		v, err := core.DecodeJSON([]byte(value))
		if err != nil {
			t.Skip()
		}
		s := core.ParseSchema(text)
		once, err := core.Coerce(s, v)
		if err != nil {
			return
		}
		twice, err := core.Coerce(s, once)
		if err != nil || !sameValue(once, twice) {
			t.Fatalf("%s: %v became %v, and then %v (%v)", name, v, once, twice, err)
		}
		_ = core.NewValidator(s).Validate(once) // must not panic
	})
}

// sameValue is equality by text, in which NaN equals itself.
func sameValue(a, b any) bool { return core.Repr(a) == core.Repr(b) }
