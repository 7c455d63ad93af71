package blockdocs

import (
	"fmt"
	"strings"

	"agentserver/core"
)

// maxChoices bounds the choices that a type lists.
const maxChoices = 12

// typeText says in words what a schema takes.
func typeText(s *core.Object) string {
	if s == nil {
		return "any value"
	}
	if members, ok := s.Get("anyOf"); ok {
		return union(members)
	}
	if members, ok := s.Get("enum"); ok {
		return choices(s, members)
	}
	var text string
	switch s.Text("type") {
	case "string":
		text = stringText(s.Text("format"))
	case "integer":
		text = "integer"
	case "number":
		text = "number"
	case "boolean":
		text = "true or false"
	case "null":
		text = "null"
	case "array":
		text = listText(s)
	case "object":
		text = objectText(s)
	default:
		text = "any value"
	}
	return text + limits(s)
}

func union(members any) string {
	list, _ := members.([]any)
	var parts []string
	for _, m := range list {
		if o, ok := m.(*core.Object); ok {
			parts = append(parts, typeText(o))
		}
	}
	return strings.Join(parts, " or ")
}

func choices(s *core.Object, members any) string {
	list, _ := members.([]any)
	if _, models := s.Get("llm_model"); models {
		return "name of a language model"
	}
	var parts []string
	for i, m := range list {
		if i == maxChoices {
			parts = append(parts, fmt.Sprintf("… (%d in all)", len(list)))
			break
		}
		parts = append(parts, code(m))
	}
	return "one of " + strings.Join(parts, ", ")
}

func stringText(format string) string {
	switch format {
	case "file":
		return "file"
	case "uri", "url":
		return "URL"
	case "date":
		return "date"
	case "time":
		return "time"
	case "date-time":
		return "date and time"
	}
	return "text"
}

func listText(s *core.Object) string {
	items := s.Object("items")
	if items == nil || items.Len() == 0 {
		return "list"
	}
	if inner := typeText(items); inner != "any value" {
		return "list of " + inner
	}
	return "list"
}

func objectText(s *core.Object) string {
	if names := s.Object("properties").Keys(); len(names) > 0 {
		return "object with " + strings.Join(names, ", ")
	}
	if values := s.Object("additionalProperties"); values != nil {
		return "object of " + typeText(values)
	}
	return "object"
}

// limits says the bounds of a schema.
func limits(s *core.Object) string {
	var parts []string
	for _, bound := range []struct{ least, most, unit string }{
		{"minimum", "maximum", ""}, {"minLength", "maxLength", " characters"}, {"minItems", "maxItems", " items"},
	} {
		least, hasLeast := s.Get(bound.least)
		most, hasMost := s.Get(bound.most)
		switch {
		case hasLeast && hasMost:
			parts = append(parts, fmt.Sprintf("%s to %s%s", core.Text(least), core.Text(most), bound.unit))
		case hasLeast:
			parts = append(parts, fmt.Sprintf("at least %s%s", core.Text(least), bound.unit))
		case hasMost:
			parts = append(parts, fmt.Sprintf("at most %s%s", core.Text(most), bound.unit))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, ", ")
}
