package core

import (
	"errors"
	"fmt"
	"math/big"
	"sort"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Validator checks values against a JSON schema. It compiles the schema at its
// first use and is safe for concurrent use.
type Validator struct {
	schema   *Object
	once     sync.Once
	compiled *jsonschema.Schema
	err      error
}

// NewValidator makes a validator of a schema.
func NewValidator(schema *Object) *Validator { return &Validator{schema: schema} }

// Validate gives nil, or an error of kind [Invalid] that says what is wrong,
// such as "'name' is a required property" or "5 is not of type 'string'".
func (v *Validator) Validate(value any) error {
	v.once.Do(v.compile)
	if v.err != nil {
		return v.err
	}
	err := v.compiled.Validate(value)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return Errorf(Invalid, "%w", err)
	}
	return Errorf(Invalid, "%s", explain(invalid, value))
}

func (v *Validator) compile() {
	data, err := JSON(v.schema)
	if err != nil {
		v.err = fmt.Errorf("encoding schema: %w", err)
		return
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		v.err = fmt.Errorf("reading schema: %w", err)
		return
	}
	c := jsonschema.NewCompiler()
	const url = "mem:schema"
	if err := c.AddResource(url, doc); err != nil {
		v.err = fmt.Errorf("adding schema: %w", err)
		return
	}
	if v.compiled, err = c.Compile(url); err != nil {
		v.err = Errorf(Invalid, "the schema is not valid: %w", err)
	}
}

// explain words the first fault of the tree: missing properties first, then by
// place.
func explain(e *jsonschema.ValidationError, root any) string {
	leaf := firstLeaf(e)
	at := locate(root, leaf.InstanceLocation)
	switch k := leaf.ErrorKind.(type) {
	case *kind.Required:
		return fmt.Sprintf("%s is a required property", Repr(k.Missing[0]))
	case *kind.Type:
		return fmt.Sprintf("%s is not of type %s", reprBrief(at), quoteAll(k.Want))
	case *kind.Enum:
		return fmt.Sprintf("%s is not one of %s", reprBrief(at), Repr(k.Want))
	case *kind.Const:
		return fmt.Sprintf("%s was expected", Repr(k.Want))
	case *kind.AnyOf, *kind.OneOf:
		return fmt.Sprintf("%s is not valid under any of the given schemas", reprBrief(at))
	case *kind.Minimum:
		return fmt.Sprintf("%s is less than the minimum of %s", reprBrief(at), bound(k.Want))
	case *kind.Maximum:
		return fmt.Sprintf("%s is greater than the maximum of %s", reprBrief(at), bound(k.Want))
	case *kind.MinLength, *kind.MinItems:
		return fmt.Sprintf("%s is too short", reprBrief(at))
	case *kind.MaxLength, *kind.MaxItems:
		return fmt.Sprintf("%s is too long", reprBrief(at))
	case *kind.UniqueItems:
		return fmt.Sprintf("%s has non-unique elements", reprBrief(at))
	}
	return leaf.Error()
}

func firstLeaf(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return e
	}
	if len(e.Causes) == 0 {
		return e
	}
	causes := append([]*jsonschema.ValidationError(nil), e.Causes...)
	sort.SliceStable(causes, func(i, j int) bool {
		_, mi := causes[i].ErrorKind.(*kind.Required)
		_, mj := causes[j].ErrorKind.(*kind.Required)
		if mi != mj {
			return mi
		}
		return strings.Join(causes[i].InstanceLocation, "/") < strings.Join(causes[j].InstanceLocation, "/")
	})
	return firstLeaf(causes[0])
}

// locate gives the value at a place in the instance.
func locate(v any, path []string) any {
	for _, step := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case Values:
			v = x[step]
		case []any:
			var i int
			if _, err := fmt.Sscanf(step, "%d", &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		}
	}
	return v
}

// bound writes a limit as it stands in the schema.
func bound(r *big.Rat) string {
	if r.IsInt() {
		return r.RatString()
	}
	f, _ := r.Float64()
	return FormatFloat(f)
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = Repr(n)
	}
	return strings.Join(quoted, ", ")
}

func reprBrief(v any) string {
	s := Repr(v)
	const limit = 500
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
