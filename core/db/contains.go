package db

import (
	"database/sql/driver"
	"strings"
	"sync"

	sqlite "github.com/glebarez/go-sqlite"
)

// Contains gives the condition that a column of text holds a text, whether in
// capital or in small letters. It has one parameter, the text in small letters,
// in which nothing has a meaning of its own, as % has for LIKE. An empty text is
// in every text.
func (d *DB) Contains(column string) string {
	if d.Engine == Postgres {
		return "strpos(lower(" + column + "), ?) > 0"
	}
	return "contains_lower(" + column + ", ?)"
}

// addFunctions gives SQLite what it lacks: its own lower and LIKE know no
// letters beyond ASCII.
var addFunctions = sync.OnceValue(func() error {
	return sqlite.RegisterDeterministicScalarFunction("contains_lower", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, _ := args[0].(string)
		part, _ := args[1].(string)
		return strings.Contains(strings.ToLower(text), part), nil
	})
})
