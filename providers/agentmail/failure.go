package agentmail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

// maxMessage bounds what an error repeats of the vendor's words, in bytes.
const maxMessage = 2000

// apiError is a refusal by AgentMail.
type apiError struct {
	Status int
	// Code is the vendor's name of the reason, "" when it gives none.
	Code    string
	Message string
}

func (e *apiError) Error() string {
	text := fmt.Sprintf("AgentMail %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	return text + ": " + e.Message
}

// readError makes an error of an answer. Its words are the vendor's, so the
// key is taken out in case they repeat it.
func readError(status *rest.StatusError, key core.Secret) error {
	var body struct {
		Name    string `json:"name"`
		Message string `json:"message"`
		Code    string `json:"code"`
		Fix     string `json:"fix"`
		Errors  []struct {
			Path    json.RawMessage `json:"path"`
			Message string          `json:"message"`
		} `json:"errors"`
	}
	// What is not the vendor's form, such as the page of a gateway, is left out.
	if err := json.Unmarshal([]byte(status.Body), &body); err != nil && body.Message == "" {
		body.Message = http.StatusText(status.Status)
	}
	parts := []string{}
	if body.Message != "" {
		parts = append(parts, body.Message)
	}
	for _, e := range body.Errors {
		parts = append(parts, pathText(e.Path)+e.Message)
	}
	if body.Fix != "" {
		parts = append(parts, body.Fix)
	}
	message := strings.Join(parts, "; ")
	if message == "" {
		message = http.StatusText(status.Status)
	}
	if key != "" {
		message = strings.ReplaceAll(message, key.Reveal(), key.String())
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	if body.Code == "" {
		body.Code = body.Name
	}
	return core.Errorf(kindOf(status.Status), "%w", &apiError{Status: status.Status, Code: body.Code, Message: message})
}

// pathText gives "to.0: " for ["to",0] and for "to.0".
func pathText(raw json.RawMessage) string {
	path, err := core.DecodeJSON(raw)
	if err != nil {
		return ""
	}
	text := ""
	switch p := path.(type) {
	case string:
		text = p
	case []any:
		names := make([]string, len(p))
		for i, part := range p {
			names[i] = core.Text(part)
		}
		text = strings.Join(names, ".")
	}
	if text == "" {
		return ""
	}
	return text + ": "
}

func kindOf(status int) core.Kind {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return core.Invalid
	case http.StatusUnauthorized, http.StatusForbidden:
		return core.Forbidden
	case http.StatusNotFound:
		return core.NotFound
	case http.StatusConflict:
		return core.Conflict
	case http.StatusTooManyRequests:
		return core.TooMany
	}
	return core.Unavailable
}

// isStatus reports whether an error is an answer of that status.
func isStatus(err error, status int) bool {
	var refusal *apiError
	if errors.As(err, &refusal) {
		return refusal.Status == status
	}
	var plain *rest.StatusError
	return errors.As(err, &plain) && plain.Status == status
}
