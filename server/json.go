package server

import (
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"agentserver/core"
)

// maxDepth is how deep the lists and objects of a body may nest. It is far less
// than what can be read back from the database, since values are stored inside
// of others.
const maxDepth = 1000

var (
	// errBadText is what a body that is not UTF-8 is refused with.
	errBadText = errors.New("the body is not valid UTF-8")
	errTooDeep = errors.New("exceeded max depth")
)

// jsonFormat reads and writes bodies. Whole numbers stay whole.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		data, err := core.JSON(v)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	},
	Unmarshal: func(data []byte, v any) error {
		if !utf8.Valid(data) {
			return errBadText
		}
		if deeper(data, maxDepth) {
			return errTooDeep
		}
		return json.Unmarshal(data, v)
	},
}

// deeper reports whether lists and objects nest more than limit deep in a JSON
// text, which need not be valid.
func deeper(data []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > limit {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}
