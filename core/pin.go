package core

import "reflect"

// Pin is an output of a block. Fields of this type in an output struct become
// the pins of the output schema.
type Pin[T any] struct {
	name string
	emit *emitter
}

// Emit sends a value out. After an emission failed, because the run was
// stopped, later ones do nothing and the run ends with that error.
func (p Pin[T]) Emit(value T) {
	if p.emit == nil || p.emit.err != nil {
		return
	}
	p.emit.err = p.emit.send(p.name, value)
}

// emitter carries the first failed emission to the end of the run.
type emitter struct {
	send Emit
	err  error
}

// pinField is how the schema builder sees any Pin[T].
type pinField interface {
	valueType() reflect.Type
}

func (Pin[T]) valueType() reflect.Type { return reflect.TypeFor[T]() }

// binder is how a run connects any *Pin[T].
type binder interface {
	bind(name string, e *emitter)
}

func (p *Pin[T]) bind(name string, e *emitter) { p.name, p.emit = name, e }
