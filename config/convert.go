package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"agentserver/core"
)

// errKind means that a value is not of the field's type.
var errKind = errors.New("wrong type")

// convert turns a raw value into one of the field's type and checks its
// bounds. Text that comes from the environment, a flag or a default is parsed;
// values of the file already have a type, which must fit.
//
// The error says what is expected and, unless the field is secret, what was
// given.
func (f *field) convert(raw any, parse bool) (any, error) {
	value, err := f.convertKind(raw, parse)
	if err == nil {
		value, err = f.checkChoice(value)
	}
	if err == nil {
		err = f.checkBounds(value)
	}
	if err == nil {
		return value, nil
	}
	if f.secret {
		return nil, fmt.Errorf("%s is expected", f.expected())
	}
	return nil, fmt.Errorf("%s is expected, got %s", f.expected(), show(raw))
}

func (f *field) convertKind(raw any, parse bool) (any, error) {
	text, isText := raw.(string)
	if parse && !isText {
		return nil, errKind
	}
	switch f.typ {
	case reflect.TypeFor[string]():
		return asText(raw)
	case reflect.TypeFor[core.Secret]():
		s, err := asText(raw)
		return core.Secret(s), err
	case reflect.TypeFor[[]string]():
		return asList(raw, parse)
	case reflect.TypeFor[[]core.Secret]():
		list, err := asList(raw, parse)
		secrets := make([]core.Secret, len(list))
		for i, s := range list {
			secrets[i] = core.Secret(s)
		}
		return secrets, err
	case reflect.TypeFor[time.Duration]():
		if !isText {
			return nil, errKind
		}
		return time.ParseDuration(strings.TrimSpace(text))
	case reflect.TypeFor[bool]():
		if parse {
			return parseBool(text)
		}
		if b, ok := raw.(bool); ok {
			return b, nil
		}
		return nil, errKind
	default:
		return f.convertNumber(raw, parse)
	}
}

func (f *field) convertNumber(raw any, parse bool) (any, error) {
	if f.typ == reflect.TypeFor[int]() {
		if parse {
			return strconv.Atoi(strings.TrimSpace(raw.(string)))
		}
		if n, ok := raw.(int); ok {
			return n, nil
		}
		return nil, errKind
	}
	var number float64
	switch n := raw.(type) {
	case float64:
		number = n
	case int:
		number = float64(n)
	case string:
		if !parse {
			return nil, errKind
		}
		parsed, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
		if err != nil {
			return nil, err
		}
		number = parsed
	default:
		return nil, errKind
	}
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, errKind
	}
	return number, nil
}

func asText(raw any) (string, error) {
	if s, ok := raw.(string); ok {
		return s, nil
	}
	return "", errKind
}

// asList takes a list of text from the file; from a variable or flag it takes
// a JSON array, or texts with commas between them.
func asList(raw any, parse bool) ([]string, error) {
	if !parse {
		items, ok := raw.([]any)
		if !ok {
			return nil, errKind
		}
		list := make([]string, len(items))
		for i, item := range items {
			s, err := asText(item)
			if err != nil {
				return nil, err
			}
			list[i] = s
		}
		return list, nil
	}
	text := strings.TrimSpace(raw.(string))
	list := []string{}
	if strings.HasPrefix(text, "[") {
		err := json.Unmarshal([]byte(text), &list)
		return list, err
	}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list, nil
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, errKind
}

// checkChoice gives the allowed value as it is declared, whatever its case was.
func (f *field) checkChoice(value any) (any, error) {
	text, ok := value.(string)
	if len(f.oneOf) == 0 || !ok {
		return value, nil
	}
	for _, choice := range f.oneOf {
		if strings.EqualFold(choice, strings.TrimSpace(text)) {
			return choice, nil
		}
	}
	return nil, errKind
}

func (f *field) checkBounds(value any) error {
	for _, bound := range []struct {
		text string
		sign int
	}{{f.min, -1}, {f.max, 1}} {
		if bound.text == "" {
			continue
		}
		limit, err := f.convertKind(bound.text, true)
		if err != nil {
			return err
		}
		if compare(value, limit) == bound.sign {
			return errKind
		}
	}
	return nil
}

// compare gives -1, 0 or 1 for two values of the same ordered type.
func compare(a, b any) int {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	less, more := false, false
	if x.CanInt() {
		less, more = x.Int() < y.Int(), x.Int() > y.Int()
	} else {
		less, more = x.Float() < y.Float(), x.Float() > y.Float()
	}
	switch {
	case less:
		return -1
	case more:
		return 1
	}
	return 0
}

// expected describes the values that the field takes.
func (f *field) expected() string {
	text := kinds[f.typ]
	switch {
	case len(f.oneOf) > 0:
		return "one of " + strings.Join(f.oneOf, ", ")
	case f.min != "" && f.max != "":
		text += " from " + f.min + " to " + f.max
	case f.min != "":
		text += " of at least " + f.min
	case f.max != "":
		text += " of at most " + f.max
	}
	return text
}

// show renders a raw value on one line for an error.
func show(raw any) string {
	data, err := core.JSON(raw)
	if err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(raw))
	}
	const limit = 80
	if text := []rune(string(data)); len(text) > limit {
		return string(text[:limit]) + "…"
	}
	return string(data)
}
