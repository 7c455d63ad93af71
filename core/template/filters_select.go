package template

import (
	"fmt"
	"maps"
)

// selectFilters apply a filter or a test, given by name, to every item.
var selectFilters = map[string]filterSpec{
	"map":        {rest, mapItems},
	"select":     {rest, selector(true, false)},
	"reject":     {rest, selector(false, false)},
	"selectattr": {rest, selector(true, true)},
	"rejectattr": {rest, selector(false, true)},
}

func mapItems(e *evaluator, v any, a []any) (any, error) {
	args, kwargs := a[0].([]any), maps.Clone(a[1].(map[string]any))
	items, err := e.items(v)
	if err != nil {
		return nil, err
	}
	var f func(any) (any, error)
	if attribute, ok := kwargs["attribute"]; ok && len(args) == 0 {
		otherwise := kwargs["default"]
		delete(kwargs, "attribute")
		delete(kwargs, "default")
		for name := range kwargs {
			return nil, fmt.Errorf("Unexpected keyword argument '%s'", name)
		}
		f = func(x any) (any, error) { return e.path(x, attribute, otherwise) }
	} else {
		if len(args) == 0 {
			return nil, fmt.Errorf("map requires a filter argument")
		}
		name, err := textArg(args[0])
		if err != nil {
			return nil, err
		}
		f = func(x any) (any, error) { return e.filter(name, x, args[1:], kwargs) }
	}
	out, err := e.each(items, f)
	return newList(out), err
}

// selector keeps the items, or drops them, for which a test of the item or of
// one of its attributes holds. Without a test, truth is the test.
func selector(keep, attribute bool) func(*evaluator, any, []any) (any, error) {
	return func(e *evaluator, v any, a []any) (any, error) {
		args, kwargs := a[0].([]any), a[1].(map[string]any)
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		subject := func(x any) (any, error) { return x, nil }
		if attribute {
			if len(args) == 0 {
				return nil, fmt.Errorf("Missing parameter for attribute name")
			}
			path := args[0]
			subject = func(x any) (any, error) { return e.path(x, path, nil) }
			args = args[1:]
		}
		holds := func(x any) (bool, error) { return truthy(x), nil }
		if len(args) > 0 {
			name, err := textArg(args[0])
			if err != nil {
				return nil, err
			}
			holds = func(x any) (bool, error) { return e.is(name, x, args[1:], kwargs) }
		}
		out := []any{}
		for _, x := range items {
			if err := e.enter(); err != nil {
				return nil, err
			}
			e.leave()
			s, err := subject(x)
			if err != nil {
				return nil, err
			}
			ok, err := holds(s)
			if err != nil {
				return nil, err
			}
			if ok == keep {
				out = append(out, x)
			}
		}
		return newList(out), e.charge(16 * len(out))
	}
}
