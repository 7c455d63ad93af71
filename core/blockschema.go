package core

import (
	"fmt"
	"reflect"
	"strings"
)

// inputField is an input with its place in the Go struct.
type inputField struct {
	InputField
	index []int
}

// buildInputs makes the input schema of a struct type.
func (s *BlockSpec) buildInputs(t reflect.Type) error {
	props, required := NewObject(), []any{}
	s.inputFields, s.fieldByName = nil, map[string]*inputField{}
	for _, f := range reflect.VisibleFields(t) {
		name := jsonName(f)
		if name == "" {
			if f.IsExported() && !f.Anonymous {
				return fmt.Errorf("field %s has no json name", f.Name)
			}
			continue
		}
		field := &inputField{index: f.Index}
		field.Name = name
		if err := s.buildInput(f, field); err != nil {
			return fmt.Errorf("'%s': %w", name, err)
		}
		if _, twice := s.fieldByName[name]; twice {
			return fmt.Errorf("'%s' is declared twice", name)
		}
		props.Set(name, field.Schema)
		if field.Required {
			required = append(required, name)
		}
		s.inputFields = append(s.inputFields, field)
		s.fieldByName[name] = field
	}
	s.Input = wrapSchema("Input", s.InputDescription, props, required)
	s.inputCheck = NewValidator(s.Input)
	return s.checkDependencies()
}

func wrapSchema(title, description string, props *Object, required []any) *Object {
	o := NewObject("properties", props)
	if len(required) > 0 {
		o.Set("required", required)
	}
	o.Set("title", title).Set("type", "object")
	if description != "" {
		o.Set("description", description)
	}
	return o
}

func (s *BlockSpec) buildInput(f reflect.StructField, field *inputField) error {
	isCredential := f.Type.Implements(credentialType) || f.Type == credentialType
	if isCredential != IsCredentialsName(field.Name) {
		return fmt.Errorf("credentials fields, and only they, are named credentials or *_credentials")
	}
	if isCredential {
		return s.buildCredentials(f, field)
	}
	schema, d, err := fieldSchema(f, field.Name)
	if err != nil {
		return err
	}
	if f.Type.Kind() == reflect.Bool && d.required {
		return fmt.Errorf("a boolean input needs a default")
	}
	advanced := !d.required
	if v, ok := f.Tag.Lookup("advanced"); ok && !d.required {
		advanced = v == "true"
	}
	schema.Set("advanced", advanced).Set("secret", f.Tag.Get("secret") == "true")
	if v := f.Tag.Get("placeholder"); v != "" {
		schema.Set("placeholder", v)
	}
	if f.Tag.Get("hidden") == "true" {
		schema.Set("hidden", true)
	}
	if v := f.Tag.Get("depends"); v != "" {
		field.Dependencies = strings.Split(v, ",")
		schema.Set("depends_on", anyList(field.Dependencies))
	}
	field.Schema, field.Required, field.Default = schema, d.required, d.value
	return nil
}

func (s *BlockSpec) buildCredentials(f reflect.StructField, field *inputField) error {
	c := s.Credentials[field.Name]
	if len(c.Providers) == 0 {
		c.Providers = []string{s.Provider}
	}
	if len(c.Types) == 0 {
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t == credentialType {
			return fmt.Errorf("a field that takes any credential needs its types declared")
		}
		c.Types = []CredentialType{reflect.Zero(t).Interface().(Credential).Type()}
	}
	if len(c.Providers) > 1 && c.Discriminator == "" {
		return fmt.Errorf("several providers need a discriminator")
	}
	if c.Description == "" {
		c.Description = f.Tag.Get("doc")
	}
	field.Credentials, field.Required = &c, !c.Optional
	field.Schema = CredentialsSchema(c, nil)
	if c.Optional {
		field.Schema.Set("default", NewObject())
	}
	return nil
}

// CredentialsSchema is the schema of a credentials input. Values, when given,
// are the values its discriminator takes in an agent.
func CredentialsSchema(c CredentialsField, values []string) *Object {
	types := make([]string, len(c.Types))
	for i, t := range c.Types {
		types[i] = string(t)
	}
	o := NewObject("credentials_provider", anyList(c.Providers), "credentials_types", anyList(types))
	o.Set("properties", NewObject(
		"id", NewObject("title", "Id", "type", "string"),
		"title", NewObject(
			"anyOf", []any{NewObject("type", "string"), NewObject("type", "null")},
			"default", nil, "title", "Title"),
		"provider", oneOrEnum("Provider", c.Providers),
		"type", oneOrEnum("Type", types),
	))
	o.Set("required", []any{"id", "provider", "type"})
	o.Set("title", "Credentials").Set("type", "object")
	if c.Description != "" {
		o.Set("description", c.Description)
	}
	if len(c.Scopes) > 0 {
		o.Set("credentials_scopes", anyList(c.Scopes))
	}
	if c.Discriminator != "" {
		o.Set("discriminator", c.Discriminator)
	}
	if len(c.Mapping) > 0 {
		m := NewObject()
		for _, k := range SortedKeys(c.Mapping) {
			m.Set(k, c.Mapping[k])
		}
		o.Set("discriminator_mapping", m)
	}
	if len(values) > 0 {
		o.Set("discriminator_values", anyList(values))
	}
	return o
}

func oneOrEnum(title string, values []string) *Object {
	if len(values) == 1 {
		return NewObject("const", values[0], "title", title, "type", "string")
	}
	return NewObject("enum", anyList(values), "title", title, "type", "string")
}

// checkDependencies checks that depends and discriminators name inputs.
func (s *BlockSpec) checkDependencies() error {
	for _, f := range s.inputFields {
		names := f.Dependencies
		if f.Credentials != nil && f.Credentials.Discriminator != "" {
			names = append(names, f.Credentials.Discriminator)
		}
		for _, name := range names {
			if _, ok := s.fieldByName[name]; !ok {
				return fmt.Errorf("'%s' depends on '%s', which is not an input", f.Name, name)
			}
		}
	}
	return nil
}

// buildOutputs makes the output schema of a struct of pins.
func (s *BlockSpec) buildOutputs(t reflect.Type) ([]pinBinding, error) {
	props, required := NewObject(), []any{}
	switch s.ErrorPin {
	case ErrorPinBase:
		props.Set("error", NewObject("advanced", true, "default", "", "description", errorPinText,
			"secret", false, "title", "Error", "type", "string"))
	case ErrorPinDeclared:
		props.Set("error", NewObject("advanced", false, "description", errorPinText,
			"secret", false, "title", "Error", "type", "string"))
		required = append(required, "error")
	}
	var pins []pinBinding
	s.outputChecks = map[string]*Validator{}
	for _, f := range reflect.VisibleFields(t) {
		name := jsonName(f)
		if name == "" {
			if f.IsExported() && !f.Anonymous {
				return nil, fmt.Errorf("field %s has no json name", f.Name)
			}
			continue
		}
		if name == "error" {
			return nil, fmt.Errorf("'error' is declared by ErrorPin, not by a field")
		}
		if _, twice := s.outputChecks[name]; twice {
			return nil, fmt.Errorf("'%s' is declared twice", name)
		}
		p, ok := reflect.Zero(f.Type).Interface().(pinField)
		if !ok {
			return nil, fmt.Errorf("'%s' is not a Pin", name)
		}
		f.Type = p.valueType()
		schema, d, err := fieldSchema(f, name)
		if err != nil {
			return nil, fmt.Errorf("'%s': %w", name, err)
		}
		optional := f.Tag.Get("optional") == "true" || !d.required && !isNullable(f)
		schema.Set("advanced", optional).Set("secret", false)
		if isNullable(f) {
			schema.Delete("default")
		}
		props.Set(name, schema)
		if !optional {
			required = append(required, name)
		}
		pins = append(pins, pinBinding{name: name, index: f.Index})
		s.outputChecks[name] = NewValidator(schema)
	}
	s.Output = wrapSchema("Output", "", props, required)
	return pins, nil
}

const errorPinText = "What went wrong, when the block could not do its work"

// isNullable reports whether an output is null by its Go type, which for an
// input would make it optional.
func isNullable(f reflect.StructField) bool {
	_, hasDefault := f.Tag.Lookup("default")
	return f.Type.Kind() == reflect.Pointer && !hasDefault
}
