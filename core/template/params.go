package template

import (
	"fmt"
	"math/big"
)

// A signature lists parameters in order as name and default, alternating.
// Required ones have the default required, and those that may be left out
// without a default have missing.
type signature []any

type marker string

const (
	required marker = "required"
	missing  marker = "missing"
)

// bind gives the value of each parameter.
func (s signature) bind(function string, args []any, kwargs map[string]any) ([]any, error) {
	n := len(s) / 2
	if len(args) > n {
		return nil, fmt.Errorf("%s takes at most %d arguments (%d given)", function, n, len(args))
	}
	out := make([]any, n)
	used := 0
	for i := range n {
		name := s[2*i].(string)
		v, named := kwargs[name]
		if named {
			used++
		}
		switch {
		case i < len(args) && named:
			return nil, fmt.Errorf("%s got multiple values for argument '%s'", function, name)
		case i < len(args):
			v = args[i]
		case !named && s[2*i+1] == required:
			return nil, fmt.Errorf("%s missing required argument '%s'", function, name)
		case !named:
			v = s[2*i+1]
		}
		out[i] = v
	}
	if used < len(kwargs) {
		for name := range kwargs {
			known := false
			for i := range n {
				known = known || s[2*i] == name
			}
			if !known {
				return nil, fmt.Errorf("%s got an unexpected keyword argument '%s'", function, name)
			}
		}
	}
	return out, nil
}

// intArg gives an argument that must be a whole number within int.
func intArg(v any) (int, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case bool:
		return boolInt(v), nil
	case *big.Int:
		return 0, fmt.Errorf("Python int too large to convert to C ssize_t")
	case undefined:
		return 0, v.err()
	}
	return 0, fmt.Errorf("'%s' object cannot be interpreted as an integer", typeName(v))
}

// textArg gives an argument that must be text.
func textArg(v any) (string, error) {
	if s, ok := textOf(v); ok {
		return s, nil
	}
	if u, ok := v.(undefined); ok {
		return "", u.err()
	}
	return "", fmt.Errorf("expected str, %s found", typeName(v))
}
