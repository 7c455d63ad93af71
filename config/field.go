package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"agentserver/core"
)

// envPrefix starts the name of every variable of ours.
const envPrefix = "AGENTSERVER_"

// A field is a setting as declared: what its tags say.
type field struct {
	key      string // full, such as worker.max_runs
	section  string // the doc tag of the struct it stands in
	doc      string
	fallback string // the default tag
	aliases  []alias
	secret   bool
	oneOf    []string
	min, max string
	typ      reflect.Type
	index    []int // of the struct field, for FieldByIndex
}

// env gives the field's own variable.
func (f *field) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_"))
}

var kinds = map[reflect.Type]string{
	reflect.TypeFor[string]():        "text",
	reflect.TypeFor[core.Secret]():   "text",
	reflect.TypeFor[bool]():          "true or false",
	reflect.TypeFor[int]():           "a whole number",
	reflect.TypeFor[float64]():       "a number",
	reflect.TypeFor[time.Duration](): "a duration such as 20s or 5m",
	reflect.TypeFor[[]string]():      "a list of text",
	reflect.TypeFor[[]core.Secret](): "a list of text",
}

// fieldsOf reads the tags of a struct and of the structs with a key in it.
// Fields without a key are not settings.
func fieldsOf(t reflect.Type, prefix, section string) ([]field, error) {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		key, ok := sf.Tag.Lookup("key")
		if !ok {
			continue
		}
		if sf.Type.Kind() == reflect.Struct {
			inner, err := fieldsOf(sf.Type, prefix+key+".", sf.Tag.Get("doc"))
			if err != nil {
				return nil, err
			}
			for _, f := range inner {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		f := newField(sf, prefix+key, section)
		f.index = []int{i}
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("declaration of %s.%s: %w", t, sf.Name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func newField(sf reflect.StructField, key, section string) field {
	isSecret := sf.Type == reflect.TypeFor[core.Secret]() || sf.Type == reflect.TypeFor[[]core.Secret]()
	return field{
		key:      key,
		section:  section,
		doc:      sf.Tag.Get("doc"),
		fallback: sf.Tag.Get("default"),
		aliases:  parseAliases(sf.Tag.Get("env")),
		secret:   isSecret || sf.Tag.Get("secret") == "true",
		oneOf:    strings.Fields(sf.Tag.Get("oneof")),
		min:      sf.Tag.Get("min"),
		max:      sf.Tag.Get("max"),
		typ:      sf.Type,
	}
}

// check finds mistakes of the programmer: a type that has no conversion, a
// missing explanation, a default or bound that does not convert.
func (f *field) check() error {
	switch {
	case kinds[f.typ] == "":
		return fmt.Errorf("type %s is not supported", f.typ)
	case f.doc == "":
		return fmt.Errorf("%s has no doc tag", f.key)
	case strings.ToLower(f.key) != f.key:
		return fmt.Errorf("%s is not lower case", f.key)
	case f.secret && f.fallback != "":
		return fmt.Errorf("%s is secret and has a default", f.key)
	case (f.min != "" || f.max != "") && !f.ordered():
		return fmt.Errorf("%s has a min or max tag, which is for numbers and durations", f.key)
	}
	for _, text := range []string{f.fallback, f.min, f.max} {
		if text == "" {
			continue
		}
		if _, err := f.convert(text, true); err != nil {
			return fmt.Errorf("%s: %w", f.key, err)
		}
	}
	return nil
}

// ordered reports whether values of the field can be compared with bounds.
func (f *field) ordered() bool {
	return slices.Contains([]reflect.Kind{reflect.Int, reflect.Int64, reflect.Float64}, f.typ.Kind())
}

// settingsType gives the struct behind a provider's pointer to settings, and
// nil when the provider has none.
func settingsType(provider string, settings any) (reflect.Type, error) {
	if settings == nil {
		return nil, nil
	}
	t := reflect.TypeOf(settings)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("settings of provider %s: a pointer to a struct is needed, not %s", provider, t)
	}
	return t.Elem(), nil
}
