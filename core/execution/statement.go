package execution

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"agentserver/core/db"
)

// column is a column of rows that are written, with its Postgres type.
type column struct{ name, kind string }

func names(columns []column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.name
	}
	return strings.Join(list, ", ")
}

// statement builds SQL that works on many rows, which it sees as the table v.
//
// On Postgres the rows travel as one array a column: the text of the statement
// is the same for any number of rows, so it is planned once. On SQLite they are
// a list of values.
type statement struct {
	engine db.Engine
	b      strings.Builder
	args   []any
}

func newStatement(e db.Engine) *statement { return &statement{engine: e} }

func (s *statement) sql() string { return s.b.String() }

func (s *statement) text(t string) { s.b.WriteString(t) }

// source begins the statement with the rows.
func (s *statement) source(columns []column, rows [][]any) error {
	s.text("WITH v (" + names(columns) + ") AS (")
	defer s.text(") ")
	if s.engine != db.Postgres {
		s.values(columns, rows)
		return nil
	}
	s.text("SELECT * FROM unnest(")
	for i, c := range columns {
		if i > 0 {
			s.text(", ")
		}
		array, err := columnArray(c.kind, rows, i)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		s.args = append(s.args, array)
		s.text("$" + strconv.Itoa(len(s.args)) + "::" + c.kind + "[]")
	}
	s.text(")")
	return nil
}

func (s *statement) values(columns []column, rows [][]any) {
	row := "(" + strings.Repeat("?,", len(columns)-1) + "?)"
	s.text("VALUES ")
	for i, values := range rows {
		if i > 0 {
			s.text(",")
		}
		s.text(row)
		s.args = append(s.args, values...)
	}
}

// columnArray gathers one column of the rows.
func columnArray(kind string, rows [][]any, i int) (any, error) {
	switch kind {
	case "bigint":
		return gather(rows, i, func(v driver.Value) (int64, bool) { x, ok := v.(int64); return x, ok })
	case "boolean":
		return gather(rows, i, func(v driver.Value) (bool, bool) { x, ok := v.(bool); return x, ok })
	case "timestamptz":
		return gather(rows, i, func(v driver.Value) (time.Time, bool) { x, ok := v.(time.Time); return x, ok })
	}
	return gather(rows, i, func(v driver.Value) (string, bool) { x, ok := v.(string); return x, ok })
}

func gather[T any](rows [][]any, i int, as func(driver.Value) (T, bool)) ([]*T, error) {
	out := make([]*T, len(rows))
	for k, row := range rows {
		v, err := driver.DefaultParameterConverter.ConvertValue(row[i])
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		x, ok := as(v)
		if !ok {
			return nil, fmt.Errorf("a value of type %T does not fit", v)
		}
		out[k] = &x
	}
	return out, nil
}
