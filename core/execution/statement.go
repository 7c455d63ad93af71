package execution

import (
	"strconv"
	"strings"

	"agentserver/core/db"
)

// statement builds SQL with the placeholders of an engine.
type statement struct {
	engine db.Engine
	b      strings.Builder
	args   []any
}

func newStatement(e db.Engine) *statement { return &statement{engine: e} }

func (s *statement) sql() string { return s.b.String() }

func (s *statement) text(t string) *statement {
	s.b.WriteString(t)
	return s
}

// arg adds a placeholder and its value.
func (s *statement) arg(v any) *statement {
	s.args = append(s.args, v)
	if s.engine == db.Postgres {
		s.b.WriteByte('$')
		s.b.WriteString(strconv.Itoa(len(s.args)))
	} else {
		s.b.WriteByte('?')
	}
	return s
}

// list adds placeholders separated by commas.
func (s *statement) list(values ...any) *statement {
	for i, v := range values {
		if i > 0 {
			s.b.WriteByte(',')
		}
		s.arg(v)
	}
	return s
}

// row adds the i-th row of VALUES.
func (s *statement) row(i int, values ...any) {
	if i > 0 {
		s.b.WriteByte(',')
	}
	s.b.WriteByte('(')
	s.list(values...)
	s.b.WriteByte(')')
}
