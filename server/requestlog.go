package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"regexp"
	"time"

	"github.com/labstack/echo/v4"
)

// requestIDHeader carries the id that ties log lines of a request together.
const requestIDHeader = "X-Request-Id"

// requestIDForm is what is taken over from a proxy: nothing that could break a
// log line.
var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

type requestIDKey struct{}

// RequestID gives the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// quietRoutes are asked all the time by machines.
var quietRoutes = map[string]bool{"/health": true, "/metrics": true}

// RequestLog gives every request an id and logs one line when it ends. The line
// names the route, not the path, because paths and queries can hold tokens.
func RequestLog(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			id := c.Request().Header.Get(requestIDHeader)
			if !requestIDForm.MatchString(id) {
				id = rand.Text()
			}
			c.Response().Header().Set(requestIDHeader, id)
			c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), requestIDKey{}, id)))
			if err := next(c); err != nil {
				c.Error(err)
			}

			level := slog.LevelInfo
			route := routeOf(c)
			if quietRoutes[route] {
				level = slog.LevelDebug
			}
			ctx := c.Request().Context()
			if !log.Enabled(ctx, level) {
				return nil
			}
			if route == "" {
				route = "none"
			}
			attrs := []slog.Attr{
				slog.String("id", id), slog.String("method", c.Request().Method), slog.String("route", route),
				slog.Int("status", c.Response().Status), slog.Duration("duration", time.Since(start)),
			}
			if user := UserID(ctx); user != "" {
				attrs = append(attrs, slog.String("user", user))
			}
			log.LogAttrs(ctx, level, "request", attrs...)
			return nil
		}
	}
}
