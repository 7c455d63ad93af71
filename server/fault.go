package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"agentserver/core"
)

// requestFault is an error on its way to the client: a status and a body.
type requestFault struct {
	status int
	body   any
}

func (f *requestFault) Error() string { return fmt.Sprintf("status %d", f.status) }

// GetStatus gives the status.
func (f *requestFault) GetStatus() int { return f.status }

// MarshalJSON writes the body.
func (f *requestFault) MarshalJSON() ([]byte, error) { return core.JSON(f.body) }

// failure turns an error of a service into its answer, and logs what is the
// server's fault.
func (a *API) failure(ctx context.Context, method string, err error) huma.StatusError {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return &requestFault{statusClosed, DetailBody{"The client closed the request"}}
	}
	path := pathOf(ctx)
	status, body := ErrorAnswer(method, path, err)
	if status >= http.StatusInternalServerError {
		a.log.ErrorContext(ctx, "request failed", "id", RequestID(ctx), "method", method, "path", path, "error", err)
	}
	return &requestFault{status, body}
}

// writeFailure answers a request that does not reach its handler.
func writeFailure(ctx huma.Context, err huma.StatusError) {
	data, encodeErr := core.JSON(err)
	if encodeErr != nil {
		data = []byte(`{"detail":"Internal server error"}`)
	}
	ctx.SetStatus(err.GetStatus())
	ctx.SetHeader("Content-Type", "application/json")
	_, _ = ctx.BodyWriter().Write(data)
}

// The library that reads requests asks this function for its errors.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return requestError("", "", status, message, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		u := ctx.URL()
		fault := requestError(ctx.Method(), u.Path, status, message, errs)
		if op := ctx.Operation(); op != nil && op.Metadata[secretBody] == true {
			fault = withoutInputs(fault)
		}
		return fault
	}
}

// withoutInputs keeps the answer from repeating what was sent.
func withoutInputs(err huma.StatusError) huma.StatusError {
	fault, ok := err.(*requestFault)
	if !ok {
		return err
	}
	body, ok := fault.body.(ErrorBody)
	if !ok {
		return err
	}
	items, _ := body.Detail.([]FieldError)
	for i := range items {
		items[i].Input = nil
	}
	return err
}

// requestError words what is wrong with a request in the form clients know.
func requestError(method, path string, status int, message string, errs []error) huma.StatusError {
	items := []FieldError{}
	for _, err := range errs {
		if errors.Is(err, errBadText) || strings.Contains(err.Error(), errBadText.Error()) {
			return &requestFault{http.StatusBadRequest, DetailBody{"There was an error parsing the body"}}
		}
		var large *core.Error
		if errors.As(err, &large) {
			status, body := ErrorAnswer(method, path, large)
			return &requestFault{status, body}
		}
		items = append(items, fieldError(err))
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return &requestFault{status, DetailBody{message}}
	case status >= http.StatusInternalServerError:
		return &requestFault{status, failed(method, path, internalFault, hintServer)}
	case len(items) == 0:
		item := FieldError{Loc: []any{"body"}}
		item.Type, item.Msg = wording(message)
		items = append(items, item)
	}
	return &requestFault{http.StatusUnprocessableEntity, InvalidBody(method, path, items)}
}

// fieldError words one fault as clients expect it.
func fieldError(err error) FieldError {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return badJSON(syntax.Offset, syntax.Error())
	}
	var detail *huma.ErrorDetail
	if !errors.As(err, &detail) {
		return FieldError{Type: "value_error", Loc: []any{"body"}, Msg: err.Error()}
	}
	if isSyntaxError(detail.Message) {
		return badJSON(0, detail.Message)
	}
	item := FieldError{Loc: location(detail.Location), Input: detail.Value}
	if detail.Location == "body" {
		if _, isText := detail.Value.(string); isText {
			item.Input = nil // the whole body, unread: too much to send back
		}
	}
	item.Type, item.Msg = wording(detail.Message)
	if m := missingProperty.FindStringSubmatch(detail.Message); m != nil {
		item.Loc = append(item.Loc, m[1])
	}
	return item
}

func badJSON(offset int64, reason string) FieldError {
	return FieldError{
		Type: "json_invalid", Loc: []any{"body", offset}, Msg: "JSON decode error",
		Input: map[string]any{}, Ctx: map[string]any{"error": reason},
	}
}

func isSyntaxError(message string) bool {
	for _, part := range []string{"invalid character", "unexpected end of JSON", "unexpected EOF", "exceeded max depth", "EOF"} {
		if strings.Contains(message, part) {
			return true
		}
	}
	return false
}

var (
	missingProperty = regexp.MustCompile(`^expected required property (\S+) to be present`)
	oneOf           = regexp.MustCompile(`^expected value to be one of "(.*)"`)
	outOfRange      = regexp.MustCompile(`^json: cannot unmarshal number (\S+)`)
	bound           = regexp.MustCompile(`^expected (?:number|length|array length) (>=|<=|>|<) (\S+)`)
)

// wording gives the type and the text that clients know for a fault.
func wording(message string) (kind, text string) {
	switch {
	case missingProperty.MatchString(message), strings.HasSuffix(message, "parameter is missing"), message == "request body is required":
		return "missing", "Field required"
	case strings.HasPrefix(message, "expected string to match pattern "):
		return "string_pattern_mismatch", "String should match pattern '" + strings.TrimPrefix(message, "expected string to match pattern ") + "'"
	case strings.HasPrefix(message, "expected string"):
		return "string_type", "Input should be a valid string"
	case strings.HasPrefix(message, "expected integer"), strings.Contains(message, "invalid integer"):
		return "int_parsing", "Input should be a valid integer, unable to parse string as an integer"
	case strings.HasPrefix(message, "expected number >="), strings.HasPrefix(message, "expected number <="):
		m := bound.FindStringSubmatch(message)
		if m[1] == ">=" {
			return "greater_than_equal", "Input should be greater than or equal to " + m[2]
		}
		return "less_than_equal", "Input should be less than or equal to " + m[2]
	case strings.HasPrefix(message, "expected number"), strings.Contains(message, "invalid float"):
		return "float_parsing", "Input should be a valid number"
	case strings.HasPrefix(message, "expected boolean"), strings.Contains(message, "invalid boolean"):
		return "bool_parsing", "Input should be a valid boolean, unable to interpret input"
	case strings.HasPrefix(message, "expected array"):
		return "list_type", "Input should be a valid list"
	case strings.HasPrefix(message, "expected object"):
		return "dict_type", "Input should be a valid dictionary"
	}
	if m := outOfRange.FindStringSubmatch(message); m != nil {
		return "finite_number", "The number " + m[1] + " is out of range"
	}
	if m := oneOf.FindStringSubmatch(message); m != nil {
		return "enum", "Input should be " + listOr(strings.Split(m[1], ", "))
	}
	return "value_error", message
}

// listOr writes 'a', 'b' or 'c'.
func listOr(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + strings.Trim(v, `"`) + "'"
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

// location turns "body.nodes[0].id" into its steps.
func location(place string) []any {
	steps := []any{}
	for _, part := range strings.FieldsFunc(place, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if i, err := strconv.Atoi(part); err == nil {
			steps = append(steps, i)
		} else {
			steps = append(steps, part)
		}
	}
	return steps
}
