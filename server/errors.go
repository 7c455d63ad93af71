package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"agentserver/core"
)

// statusOf is the one place that gives each kind of error its status.
var statusOf = map[core.Kind]int{
	core.Internal:           http.StatusInternalServerError,
	core.Invalid:            http.StatusBadRequest,
	core.NotFound:           http.StatusNotFound,
	core.Forbidden:          http.StatusForbidden,
	core.Unauthenticated:    http.StatusUnauthorized,
	core.Conflict:           http.StatusConflict,
	core.TooLarge:           http.StatusRequestEntityTooLarge,
	core.TooMany:            http.StatusTooManyRequests,
	core.PaymentRequired:    http.StatusPaymentRequired,
	core.Unavailable:        http.StatusServiceUnavailable,
	core.Unprocessable:      http.StatusUnprocessableEntity,
	core.PreconditionFailed: http.StatusPreconditionRequired,
	core.NotConfigured:      http.StatusNotImplemented,
	core.Gone:               http.StatusGone,
	core.Timeout:            http.StatusGatewayTimeout,
}

// statusClosed is what the log shows for a request whose client went away; no
// one receives it.
const statusClosed = 499

// The hints that go with errors.
const (
	hintClient = "Adjust the request and retry."
	hintServer = "Check server logs and dependent services."
	hintSchema = "Ensure the request matches the API schema."
)

// internalFault is all that clients learn about a fault of the server.
const internalFault = "Internal server error"

// DetailBody is the answer to errors that a route words itself.
type DetailBody struct {
	Detail any `json:"detail"`
}

// ErrorBody is the answer to all other errors.
type ErrorBody struct {
	Message string `json:"message"`
	Detail  any    `json:"detail"`
	Hint    string `json:"hint"`
}

// FieldError is one item of the detail of a 422: what is wrong with one value.
type FieldError struct {
	Type string `json:"type"`
	// Loc is the way to the value: "body", "query" or "path", then names and
	// indexes.
	Loc   []any  `json:"loc"`
	Msg   string `json:"msg"`
	Input any    `json:"input"`
	Ctx   any    `json:"ctx,omitempty"`
}

// ErrorAnswer gives the status and the body that answer an error of a request.
// What is not a [core.Error] or an [echo.HTTPError] is an internal fault, whose
// text stays in the log.
func ErrorAnswer(method, path string, err error) (status int, body any) {
	var known *core.Error
	if errors.As(err, &known) {
		return knownAnswer(method, path, known)
	}
	var answer *echo.HTTPError
	if errors.As(err, &answer) && answer.Code < http.StatusInternalServerError {
		detail := answer.Message
		if detail == nil {
			detail = http.StatusText(answer.Code)
		}
		return answer.Code, DetailBody{detail}
	}
	return http.StatusInternalServerError, failed(method, path, internalFault, hintServer)
}

func knownAnswer(method, path string, e *core.Error) (int, any) {
	status, ok := statusOf[e.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	detail := e.Detail
	if detail == nil {
		detail = e.Message
	}
	if quotesCause(e) {
		detail = internalFault
	}
	switch {
	case e.Plain:
		return status, DetailBody{detail}
	case e.Kind == core.Unprocessable:
		if e.Detail == nil {
			detail = []FieldError{{Type: "value_error", Loc: []any{"body"}, Msg: e.Message}}
		}
		return status, InvalidBody(method, path, detail)
	case status < http.StatusInternalServerError:
		return status, failed(method, path, detail, hintClient)
	default:
		return status, failed(method, path, detail, hintServer)
	}
}

// quotesCause reports that an internal error shows the text of its cause, which
// is for the log only.
func quotesCause(e *core.Error) bool {
	cause := e.Unwrap()
	return e.Kind == core.Internal && e.Detail == nil && cause != nil && strings.Contains(e.Message, cause.Error())
}

// InvalidBody is the body of a 422; items is a list like []FieldError.
func InvalidBody(method, path string, items any) ErrorBody {
	return ErrorBody{Message: "Invalid data for " + method + " " + path, Detail: items, Hint: hintSchema}
}

func failed(method, path string, detail any, hint string) ErrorBody {
	return ErrorBody{Message: "Failed to process " + method + " " + path, Detail: detail, Hint: hint}
}

// ErrorHandler answers errors and logs those that are the server's fault.
func ErrorHandler(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		r := c.Request()
		if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
			if !c.Response().Committed {
				_ = c.NoContent(statusClosed)
			}
			return
		}
		status, body := ErrorAnswer(r.Method, r.URL.Path, err)
		if status >= http.StatusInternalServerError {
			log.ErrorContext(r.Context(), "request failed", "id", RequestID(r.Context()),
				"method", r.Method, "route", routeOf(c), "error", err)
		}
		if c.Response().Committed {
			return
		}
		if r.Method == http.MethodHead {
			_ = c.NoContent(status)
			return
		}
		writeJSON(c, status, body)
	}
}

// writeJSON answers with compact JSON. A failure to write means that the client
// is gone, so there is no one to tell.
func writeJSON(c echo.Context, status int, body any) {
	data, err := core.JSON(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"detail":"Internal server error"}`)
	}
	_ = c.Blob(status, echo.MIMEApplicationJSON, data)
}
