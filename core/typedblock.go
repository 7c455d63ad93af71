package core

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// NewBlock makes a block of an input struct, an output struct and a function.
//
// Input fields carry json names and the tags doc, title, default, factory,
// type, enum, format, placeholder, advanced, secret, hidden, depends, min, max,
// minLength, maxLength, minItems and maxItems. A field without default (and
// not a pointer) is required. Output fields are [Pin]s with the tags doc, title,
// type and optional. What is wrong with them is reported at registration.
func NewBlock[In, Out any](spec BlockSpec, run func(ctx context.Context, run *Run, in *In, out *Out) error) Block {
	return &typedBlock[In, Out]{spec: spec, run: run}
}

// NewDynamicBlock is [NewBlock] for blocks whose output pins are not known
// beforehand, such as one that runs another agent.
func NewDynamicBlock[In any](spec BlockSpec, run func(ctx context.Context, run *Run, in *In, emit Emit) error) Block {
	return &dynamicBlock[In]{typedBlock: typedBlock[In, struct{}]{spec: spec}, run: run}
}

type dynamicBlock[In any] struct {
	typedBlock[In, struct{}]
	run func(ctx context.Context, run *Run, in *In, emit Emit) error
}

func (b *dynamicBlock[In]) Run(ctx context.Context, run *Run, values Values, emit Emit) error {
	in := new(In)
	if err := b.decode(in, values); err != nil {
		return err
	}
	return b.run(ctx, run, in, emit)
}

type typedBlock[In, Out any] struct {
	spec BlockSpec
	run  func(ctx context.Context, run *Run, in *In, out *Out) error
	pins []pinBinding
}

type pinBinding struct {
	name  string
	index []int
}

// preparer is implemented by blocks that finish their spec at registration,
// when their provider is known.
type preparer interface {
	prepare(provider string) error
}

func (b *typedBlock[In, Out]) Spec() *BlockSpec { return &b.spec }

func (b *typedBlock[In, Out]) prepare(provider string) error {
	b.spec.Provider = provider
	if err := b.spec.buildInputs(reflect.TypeFor[In]()); err != nil {
		return fmt.Errorf("inputs: %w", err)
	}
	pins, err := b.spec.buildOutputs(reflect.TypeFor[Out]())
	if err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	b.pins = pins
	return nil
}

func (b *typedBlock[In, Out]) Run(ctx context.Context, run *Run, values Values, emit Emit) error {
	in, out := new(In), new(Out)
	if err := b.decode(in, values); err != nil {
		return err
	}
	e := &emitter{send: emit}
	o := reflect.ValueOf(out).Elem()
	for _, p := range b.pins {
		o.FieldByIndex(p.index).Addr().Interface().(binder).bind(p.name, e)
	}
	if err := b.run(ctx, run, in, out); err != nil {
		return err
	}
	return e.err
}

// decode fills the input struct from values, and from defaults where values
// has nothing.
func (b *typedBlock[In, Out]) decode(in *In, values Values) error {
	v := reflect.ValueOf(in).Elem()
	for _, f := range b.spec.inputFields {
		value, given := values[f.Name]
		if !given {
			value = f.Default
		}
		if err := assignField(v.FieldByIndex(f.index), value); err != nil {
			return Errorf(Invalid, "input '%s': %w", f.Name, err)
		}
	}
	return nil
}

// assignField sets a struct field from a plain JSON value. The common kinds
// are set directly; the rest goes through JSON.
func assignField(field reflect.Value, value any) error {
	if value == nil {
		return nil
	}
	if c, ok := value.(Credential); ok {
		cv := reflect.ValueOf(c)
		if cv.Type().AssignableTo(field.Type()) {
			field.Set(cv)
			return nil
		}
		if field.Kind() == reflect.Pointer && cv.Type().AssignableTo(field.Type().Elem()) {
			p := reflect.New(field.Type().Elem())
			p.Elem().Set(cv)
			field.Set(p)
			return nil
		}
		return fmt.Errorf("credentials of type %s do not fit", c.Type())
	}
	switch field.Kind() {
	case reflect.Interface:
		if field.NumMethod() == 0 {
			field.Set(reflect.ValueOf(value))
			return nil
		}
	case reflect.String:
		if s, ok := value.(string); ok {
			field.SetString(s)
			return nil
		}
	case reflect.Bool:
		if x, ok := value.(bool); ok {
			field.SetBool(x)
			return nil
		}
	case reflect.Int, reflect.Int64:
		switch x := value.(type) {
		case bool:
			if x {
				field.SetInt(1)
			}
			return nil
		default:
			if f, ok := Number(x); ok {
				field.SetInt(int64(f))
				return nil
			}
		}
	case reflect.Float64:
		if f, ok := Number(value); ok {
			field.SetFloat(f)
			return nil
		}
	case reflect.Slice, reflect.Map:
		if v := reflect.ValueOf(value); v.Type().AssignableTo(field.Type()) {
			field.Set(v)
			return nil
		}
	}
	return assignJSON(field, value)
}

// assignJSON goes through JSON for structs, typed slices and maps.
func assignJSON(field reflect.Value, value any) error {
	data, err := JSON(value)
	if err != nil {
		return err
	}
	target := field.Addr().Interface()
	return json.Unmarshal(data, target)
}

// IsCredentialsName reports whether an input of this name takes credentials:
// "credentials", or a name that ends in "_credentials".
func IsCredentialsName(name string) bool {
	return name == "credentials" || strings.HasSuffix(name, "_credentials")
}
