package db

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"

	"agentserver/core"
)

// JSON is a column that holds V as compact JSON text. A nil pointer, map, slice
// or interface is NULL, and NULL is read as the zero V. Control characters that
// no text needs are dropped from strings and keys, see [Clean].
type JSON[T any] struct{ V T }

var (
	_ driver.Valuer = JSON[any]{}
	_ sql.Scanner   = (*JSON[any])(nil)
)

// AsJSON wraps v.
func AsJSON[T any](v T) JSON[T] { return JSON[T]{V: v} }

// GormDataType is text on both engines.
func (JSON[T]) GormDataType() string { return "text" }

// Value encodes V.
func (j JSON[T]) Value() (driver.Value, error) {
	if isNil(j.V) {
		return nil, nil
	}
	data, err := core.JSON(j.V)
	if err != nil {
		return nil, fmt.Errorf("encoding a JSON column: %w", err)
	}
	return string(cleanJSON(data)), nil
}

// Scan decodes into a fresh V.
func (j *JSON[T]) Scan(src any) error {
	var zero T
	j.V = zero
	var data []byte
	switch s := src.(type) {
	case nil:
		return nil
	case string:
		data = []byte(s)
	case []byte:
		data = bytes.Clone(s) // V may keep parts of it, and the driver reuses it
	default:
		return fmt.Errorf("decoding a JSON column: got %T", src)
	}
	if err := json.Unmarshal(data, &j.V); err != nil {
		return fmt.Errorf("decoding a JSON column: %w", err)
	}
	return nil
}

// MarshalJSON is V's own.
func (j JSON[T]) MarshalJSON() ([]byte, error) { return core.JSON(j.V) }

// UnmarshalJSON is V's own.
func (j *JSON[T]) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &j.V) }

func isNil(v any) bool {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return r.IsNil()
	default:
		return false
	}
}
