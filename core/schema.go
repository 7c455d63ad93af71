package core

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"
	"unicode"
)

// SortedKeys gives a map's keys in order.
func SortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Enumerated is implemented by text types with a fixed set of values. The
// type's name becomes the schema's title.
type Enumerated interface{ Enum() []string }

// Schemer is implemented by types that say their own JSON schema.
type Schemer interface{ JSONSchema() *Object }

var (
	schemerType    = reflect.TypeFor[Schemer]()
	enumeratedType = reflect.TypeFor[Enumerated]()
	timeType       = reflect.TypeFor[time.Time]()
	credentialType = reflect.TypeFor[Credential]()
)

// typeSchema gives the schema of a Go type.
func typeSchema(t reflect.Type) (*Object, error) {
	if t.Implements(schemerType) {
		return reflect.Zero(t).Interface().(Schemer).JSONSchema(), nil
	}
	if t.Implements(enumeratedType) {
		o := NewObject("enum", anyList(reflect.Zero(t).Interface().(Enumerated).Enum()))
		return o.Set("title", t.Name()).Set("type", "string"), nil
	}
	if t == timeType {
		return NewObject("format", "date-time", "type", "string"), nil
	}
	switch t.Kind() {
	case reflect.Interface:
		return NewObject(), nil
	case reflect.String:
		return NewObject("type", "string"), nil
	case reflect.Bool:
		return NewObject("type", "boolean"), nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		return NewObject("type", "integer"), nil
	case reflect.Float64, reflect.Float32:
		return NewObject("type", "number"), nil
	case reflect.Pointer:
		s, err := typeSchema(t.Elem())
		if err != nil {
			return nil, err
		}
		return nullable(s), nil
	case reflect.Slice:
		items, err := typeSchema(t.Elem())
		if err != nil {
			return nil, err
		}
		return NewObject("items", items, "type", "array"), nil
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("map keys must be strings, not %s", t.Key())
		}
		values, err := typeSchema(t.Elem())
		if err != nil {
			return nil, err
		}
		if values.Len() == 0 {
			return NewObject("additionalProperties", true, "type", "object"), nil
		}
		return NewObject("additionalProperties", values, "type", "object"), nil
	case reflect.Struct:
		return structSchema(t)
	default:
		return nil, fmt.Errorf("type %s has no JSON schema", t)
	}
}

func nullable(s *Object) *Object {
	return NewObject("anyOf", []any{s, NewObject("type", "null")})
}

// structSchema gives the schema of a nested object. Its fields say whether they
// are advanced or secret only if they carry the advanced tag.
func structSchema(t reflect.Type) (*Object, error) {
	props, required := NewObject(), []any{}
	for _, f := range reflect.VisibleFields(t) {
		name := jsonName(f)
		if name == "" {
			continue
		}
		s, d, err := fieldSchema(f, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if advanced, ok := f.Tag.Lookup("advanced"); ok {
			s.Set("advanced", advanced == "true").Set("secret", f.Tag.Get("secret") == "true")
		}
		props.Set(name, s)
		if d.required {
			required = append(required, name)
		}
	}
	o := NewObject("properties", props)
	if len(required) > 0 {
		o.Set("required", required)
	}
	return o.Set("title", t.Name()).Set("type", "object"), nil
}

// jsonName is the wire name of an exported field, "" when it has none.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.IsExported() || f.Anonymous || name == "-" {
		return ""
	}
	return name
}

// fieldDefault is what applies when an input is left out.
type fieldDefault struct {
	required bool
	value    any // plain JSON
	hidden   bool
}

// fieldSchema gives the schema of a struct field from its type and tags:
// type (a schema in the small grammar of parseType), title, doc, default,
// factory (a default that the schema does not show), enum, format, min, max,
// minLength, maxLength, minItems, maxItems.
func fieldSchema(f reflect.StructField, name string) (*Object, fieldDefault, error) {
	s, d, err := bareFieldSchema(f)
	if err != nil {
		return nil, d, err
	}
	if title := f.Tag.Get("title"); title != "" {
		s.Set("title", title)
	} else if s.Text("title") == "" {
		s.Set("title", Title(name))
	}
	if doc := f.Tag.Get("doc"); doc != "" {
		s.Set("description", doc)
	}
	if !d.required && !d.hidden {
		s.Set("default", d.value)
	}
	return s, d, nil
}

func bareFieldSchema(f reflect.StructField) (*Object, fieldDefault, error) {
	var s *Object
	var err error
	if text, ok := f.Tag.Lookup("type"); ok {
		s, err = parseType(text)
	} else {
		s, err = typeSchema(f.Type)
	}
	if err != nil {
		return nil, fieldDefault{}, err
	}
	d, err := readDefault(f)
	if err != nil {
		return nil, d, err
	}
	return s, d, limitSchema(s, f.Tag)
}

// readDefault reads the default, factory and required tags. A pointer without
// any of them defaults to null.
func readDefault(f reflect.StructField) (fieldDefault, error) {
	text, shown := f.Tag.Lookup("default")
	factory, hidden := f.Tag.Lookup("factory")
	if hidden {
		text = factory
	}
	if !shown && !hidden {
		optional := f.Type.Kind() == reflect.Pointer && f.Tag.Get("required") == ""
		return fieldDefault{required: !optional}, nil
	}
	if f.Type.Kind() == reflect.String && text != "null" {
		return fieldDefault{value: text, hidden: hidden}, nil
	}
	v, err := DecodeJSON([]byte(text))
	if err != nil {
		return fieldDefault{}, fmt.Errorf("default %q is not JSON: %w", text, err)
	}
	return fieldDefault{value: v, hidden: hidden}, nil
}

// limitSchema adds enum, format and limits; on optional types they go to the
// member that is not null.
func limitSchema(s *Object, tag reflect.StructTag) error {
	target := s
	if members, ok := s.Get("anyOf"); ok {
		target = members.([]any)[0].(*Object)
	}
	if v := tag.Get("enum"); v != "" {
		target.Set("enum", anyList(strings.Split(v, ",")))
		if target.Text("type") == "" {
			target.Set("type", "string")
		}
	}
	if v := tag.Get("format"); v != "" {
		target.Set("format", v)
	}
	for _, bound := range [][2]string{
		{"min", "minimum"},
		{"max", "maximum"},
		{"minLength", "minLength"},
		{"maxLength", "maxLength"},
		{"minItems", "minItems"},
		{"maxItems", "maxItems"},
	} {
		name, key := bound[0], bound[1]
		if v := tag.Get(name); v != "" {
			n, err := DecodeJSON([]byte(v))
			if err != nil {
				return fmt.Errorf("%s %q is not a number", name, v)
			}
			target.Set(key, n)
		}
	}
	return nil
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// Title derives a title from a wire name: every run of letters is put in title
// case and underscores become blanks ("base_64" gives "Base 64").
func Title(name string) string {
	var b strings.Builder
	start := true
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r):
			start = true
			if r == '_' {
				r = ' '
			}
		case start:
			r, start = unicode.ToUpper(r), false
		default:
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// parseType reads the type tag: string integer number boolean null any object,
// string(FORMAT), array<T>, map<T>, and unions "A | B".
func parseType(text string) (*Object, error) {
	members := splitUnion(text)
	if len(members) > 1 {
		list := make([]any, 0, len(members))
		for _, m := range members {
			s, err := parseType(m)
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
		return NewObject("anyOf", list), nil
	}
	text = strings.TrimSpace(text)
	inner := func(prefix, suffix string) (string, bool) {
		if strings.HasPrefix(text, prefix) && strings.HasSuffix(text, suffix) {
			return text[len(prefix) : len(text)-len(suffix)], true
		}
		return "", false
	}
	if format, ok := inner("string(", ")"); ok {
		return NewObject("format", format, "type", "string"), nil
	}
	if item, ok := inner("array<", ">"); ok {
		s, err := parseType(item)
		return NewObject("items", s, "type", "array"), err
	}
	if value, ok := inner("map<", ">"); ok {
		s, err := parseType(value)
		return NewObject("additionalProperties", s, "type", "object"), err
	}
	switch text {
	case "any":
		return NewObject(), nil
	case "object":
		return NewObject("additionalProperties", true, "type", "object"), nil
	case "array":
		return NewObject("items", NewObject(), "type", "array"), nil
	case "string", "integer", "number", "boolean", "null":
		return NewObject("type", text), nil
	}
	return nil, fmt.Errorf("unknown type %q", text)
}

func splitUnion(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range text {
		switch r {
		case '<':
			depth++
		case '>':
			depth--
		case '|':
			if depth == 0 {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, text[start:])
}

// ParseSchema reads a JSON schema that keeps the order of its members. It
// panics on bad JSON: it is meant for schemas written in source code.
func ParseSchema(text string) *Object {
	o := NewObject()
	if err := json.Unmarshal([]byte(text), o); err != nil {
		panic(fmt.Sprintf("core: bad schema %s: %v", text, err))
	}
	return o
}
