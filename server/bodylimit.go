package server

import (
	"io"

	"github.com/labstack/echo/v4"

	"agentserver/core"
)

// BodyLimit refuses request bodies of more than limit bytes: at once when the
// client says how long the body is, else while it is read. Requests that exempt
// picks are not bounded; nil picks none.
func BodyLimit(limit int64, exempt func(c echo.Context) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.Body == nil || exempt != nil && exempt(c) {
				return next(c)
			}
			if r.ContentLength > limit {
				return bodyTooLarge(limit)
			}
			r.Body = &boundedBody{ReadCloser: r.Body, left: limit, limit: limit}
			return next(c)
		}
	}
}

// bodyTooLarge names the limit in whole megabytes, rounded up, because clients
// look for that.
func bodyTooLarge(limit int64) error {
	return core.PlainErrorf(core.TooLarge, "Request body exceeds the maximum allowed size of %dMB", (limit+1<<20-1)>>20)
}

// boundedBody fails once more than limit bytes were read.
type boundedBody struct {
	io.ReadCloser
	left, limit int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, bodyTooLarge(b.limit)
	}
	// One byte more than is left tells a body that ends here from one that goes
	// on.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, bodyTooLarge(b.limit)
	}
	return n, err
}
