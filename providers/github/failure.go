package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

// maxMessage bounds what an error repeats of GitHub's words, in bytes.
const maxMessage = 2000

// apiError is a refusal by GitHub.
type apiError struct {
	Status  int
	Message string
}

func (e *apiError) Error() string { return fmt.Sprintf("HTTP %d Error: %s", e.Status, e.Message) }

// statusOf gives the HTTP status of a failed call, 0 when it has none.
func statusOf(err error) int {
	var refusal *apiError
	if errors.As(err, &refusal) {
		return refusal.Status
	}
	return 0
}

// failure gives an error in the words for users.
func (a *api) failure(ctx context.Context, err error) error {
	var status *rest.StatusError
	if errors.As(err, &status) {
		refusal := &apiError{Status: status.Status, Message: a.clean(refusalText(status))}
		return core.Errorf(kindOf(refusal), "%w", refusal)
	}
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return core.WithCause(core.Unavailable, err, "GitHub did not answer in time")
	}
	return err
}

// refusalText gives GitHub's own words, or those for the status when the answer
// is not in GitHub's form, such as the page of a gateway.
func refusalText(status *rest.StatusError) string {
	var body struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal([]byte(status.Body), &body) != nil || body.Message == "" {
		return http.StatusText(status.Status)
	}
	parts := []string{body.Message}
	var details []json.RawMessage
	if json.Unmarshal(body.Errors, &details) != nil && len(body.Errors) > 0 {
		details = []json.RawMessage{body.Errors} // one text instead of a list
	}
	for _, d := range details {
		if text := detailText(d); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "; ")
}

// detailText gives one of the reasons of a refusal: a text, or an object that
// has one or names a field and what is wrong with it.
func detailText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var d struct {
		Resource string `json:"resource"`
		Field    string `json:"field"`
		Code     string `json:"code"`
		Message  string `json:"message"`
	}
	if json.Unmarshal(raw, &d) != nil {
		return ""
	}
	if d.Message != "" {
		return d.Message
	}
	where := strings.Trim(d.Resource+"."+d.Field, ".")
	return strings.TrimSpace(where + " " + d.Code)
}

// clean takes secrets out of GitHub's words, in case they repeat one, and
// bounds them.
func (a *api) clean(message string) string {
	for _, s := range a.secrets {
		if s != "" {
			message = strings.ReplaceAll(message, s.Reveal(), s.String())
		}
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}

func kindOf(e *apiError) core.Kind {
	switch e.Status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity:
		return core.Invalid
	case http.StatusUnauthorized, http.StatusUnavailableForLegalReasons:
		return core.Forbidden
	case http.StatusForbidden:
		if mentionsLimit(e.Message) {
			return core.TooMany
		}
		return core.Forbidden
	case http.StatusNotFound, http.StatusGone:
		return core.NotFound
	case http.StatusConflict:
		return core.Conflict
	case http.StatusTooManyRequests:
		return core.TooMany
	}
	return core.Unavailable
}

// graphqlError is one of the errors of a GraphQL answer.
type graphqlError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

func (a *api) graphqlFailure(list []graphqlError) error {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = e.Message
	}
	kind := core.Invalid
	switch list[0].Type {
	case "NOT_FOUND":
		kind = core.NotFound
	case "FORBIDDEN", "INSUFFICIENT_SCOPES":
		kind = core.Forbidden
	case "RATE_LIMITED":
		kind = core.TooMany
	}
	return core.Errorf(kind, "GraphQL error: %s", a.clean(strings.Join(texts, "; ")))
}
