package genericwebhook

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"agentserver/core"
)

// form gives the fields of a form as an object. A field that comes several
// times is a list.
func form(body []byte) (map[string]any, error) {
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, core.WithCause(core.Invalid, err, "the body is not a valid form")
	}
	o := make(map[string]any, len(fields))
	for name, values := range fields {
		if !utf8.ValidString(name) || !utf8.ValidString(strings.Join(values, "")) {
			return nil, core.Errorf(core.Invalid, "the body is not a valid form: its text is not UTF-8")
		}
		if len(values) == 1 {
			o[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		o[name] = list
	}
	return o, nil
}
