package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"
)

// unmatchedKey marks, in the Echo context, a request that no route took.
const unmatchedKey = "server.unmatched"

// Errors turns the errors and panics of what it wraps into answers at once, so
// that the middleware around it sees the final status.
func Errors(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := guarded(log, next, c)
			if err == nil {
				return nil
			}
			if errors.Is(err, echo.ErrNotFound) || errors.Is(err, echo.ErrMethodNotAllowed) {
				c.Set(unmatchedKey, true)
			}
			c.Error(err)
			return nil
		}
	}
}

// guarded calls next and gives a panic back as an error. The panic that aborts
// a response on purpose goes on.
func guarded(log *slog.Logger, next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		log.ErrorContext(c.Request().Context(), "panic in a handler", "id", RequestID(c.Request().Context()),
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		err = fmt.Errorf("panic: %v", p)
	}()
	return next(c)
}

// routeOf gives the route that took the request, in the form of the API's
// documentation (/api/graphs/{graph_id}), or "" when none did. Unlike the path
// it never holds what a client sent.
func routeOf(c echo.Context) string {
	path := c.Path()
	if c.Get(unmatchedKey) != nil {
		return ""
	}
	// A group's catch-all, which only exists so that its middleware runs.
	if len(path) > 0 && path[len(path)-1] == '*' && c.Response().Status >= http.StatusBadRequest {
		return ""
	}
	return braces(path)
}
