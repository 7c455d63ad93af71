package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"agentserver/core"
)

// maxErrorBody bounds how much of a vendor's error is read, maxMessage how much
// of it is passed on.
const (
	maxErrorBody = 1 << 20
	maxMessage   = 1000
)

// failure words an error of the SDK. The response, if there was one, still
// holds its body.
func (k *call) failure(err error, res *http.Response) error {
	var inStream *ssestream.StreamError
	if errors.As(err, &inStream) {
		return k.statusError(0, inStream.Event.Data)
	}
	if res != nil && res.StatusCode >= http.StatusBadRequest {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
		return k.statusError(res.StatusCode, body)
	}
	var kinded *core.Error
	if errors.As(err, &kinded) {
		return kinded // the guard's own words
	}
	var transport *url.Error
	if errors.As(err, &transport) {
		err = transport.Err
	}
	return core.WithCause(core.Unavailable, err, k.redact("calling "+k.provider+": "+err.Error()))
}

// statusError words an error that the vendor sent. A status of 0 means that it
// came with a good status: the body then says what it would have been.
func (k *call) statusError(status int, body []byte) error {
	message, code := readError(body)
	if status == 0 {
		status = code
	}
	kind := core.Unavailable
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = core.Forbidden
	case http.StatusTooManyRequests:
		kind = core.TooMany
	}
	if message == "" {
		message = http.StatusText(status)
	}
	if status == 0 {
		return core.Errorf(kind, "%s API error: %s", k.provider, k.redact(message))
	}
	return core.Errorf(kind, "%s API error %d: %s", k.provider, status, k.redact(message))
}

// readError finds the message in the shapes that vendors use, and the status
// in the body if there is one.
func readError(body []byte) (message string, code int) {
	var shape struct {
		Error   json.RawMessage `json:"error"`
		Detail  any             `json:"detail"`
		Title   string          `json:"title"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return strings.TrimSpace(string(body)), 0
	}
	var inner struct {
		Message string `json:"message"`
		Code    any    `json:"code"`
	}
	if json.Unmarshal(shape.Error, &inner) == nil && inner.Message != "" {
		if n, ok := core.Number(inner.Code); ok {
			code = int(n)
		}
		return inner.Message, code
	}
	var text string
	if json.Unmarshal(shape.Error, &text) == nil && text != "" {
		return text, 0
	}
	detail, _ := shape.Detail.(string)
	for _, text := range []string{detail, shape.Title, shape.Message} {
		if text != "" {
			return text, 0
		}
	}
	return strings.TrimSpace(string(body)), 0
}

// redact cuts a message to a readable length and takes the key out of it, in
// case the vendor repeats it.
func (k *call) redact(message string) string {
	if key := k.key.Reveal(); key != "" {
		message = strings.ReplaceAll(message, key, k.key.String())
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}

// stopOnQuota keeps the SDK from trying again when the account has run out of
// money, which waiting does not mend.
func stopOnQuota(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	res, err := next(r)
	if err != nil || res.StatusCode != http.StatusTooManyRequests {
		return res, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte("insufficient_quota")) {
		res.Header.Set("X-Should-Retry", "false")
	}
	return res, nil
}
