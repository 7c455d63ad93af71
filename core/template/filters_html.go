package template

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
)

var (
	comment = regexp.MustCompile(`(?s)<!--.*?-->`)
	tag     = regexp.MustCompile(`(?s)<.*?>`)
)

var htmlFilters = map[string]filterSpec{
	"escape": {nil, func(e *evaluator, v any, _ []any) (any, error) { return e.markup(v) }},
	"forceescape": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		s, err := e.str(v)
		if err != nil {
			return nil, err
		}
		return e.markup(s)
	}},
	"safe": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		s, err := e.str(v)
		return safe(s), err
	}},
	"striptags": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		s, err := e.str(v)
		if err != nil {
			return nil, err
		}
		s = tag.ReplaceAllString(comment.ReplaceAllString(s, ""), "")
		return html.UnescapeString(strings.Join(strings.Fields(s), " ")), e.charge(2 * len(s))
	}},
	"urlencode": {nil, func(e *evaluator, v any, _ []any) (any, error) {
		pairs, isList := []any(nil), true
		switch v := v.(type) {
		case *dict:
			pairs = v.items()
		case *list:
			pairs = v.items
		default:
			isList = false
		}
		if !isList {
			s, err := e.str(v)
			if err != nil {
				return nil, err
			}
			out := strings.ReplaceAll(percentEncode(s), "%2F", "/")
			return out, e.reserve(len(out))
		}
		var parts []string
		size := 0
		for _, pair := range pairs {
			l, ok := pair.(*list)
			if !ok || len(l.items) != 2 {
				return nil, fmt.Errorf("urlencode expects pairs of a name and a value")
			}
			var texts [2]string
			for i := range texts {
				s, err := e.str(l.items[i])
				if err != nil {
					return nil, err
				}
				texts[i] = strings.ReplaceAll(percentEncode(s), "%20", "+")
			}
			parts = append(parts, texts[0]+"="+texts[1])
			size += len(parts[len(parts)-1])
			if size > MaxOutput {
				return nil, errOutput
			}
		}
		return strings.Join(parts, "&"), e.charge(2 * size)
	}},
}

// percentEncode keeps letters, digits and "-_.~".
func percentEncode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
