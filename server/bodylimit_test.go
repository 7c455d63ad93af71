package server_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"agentserver/server"
)

func TestBodyLimit(t *testing.T) {
	const limit = 8 << 20
	for name, c := range map[string]struct {
		target  string
		length  int
		chunked bool
		status  int
	}{
		"at the limit":          {"/", limit, false, 200},
		"over":                  {"/", limit + 1, false, 413},
		"at the limit, chunked": {"/", limit, true, 200},
		"over, chunked":         {"/", limit + 1, true, 413},
		"far over, chunked":     {"/", 3 * limit, true, 413},
		"own limit":             {"/upload", 3 * limit, false, 200},
		"empty":                 {"/", 0, false, 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(o *server.PipelineOptions) {
				o.OwnBodyLimit = func(c echo.Context) bool { return c.Path() == "/upload" }
			})
			read := 0
			s.POST("/*", func(c echo.Context) error {
				data, err := io.ReadAll(c.Request().Body)
				read = len(data)
				if err != nil {
					return fmt.Errorf("reading: %w", err)
				}
				return ok(c)
			})
			s.POST("/upload", ok)
			r := httptest.NewRequest("POST", c.target, strings.NewReader(strings.Repeat("x", c.length)))
			if c.chunked {
				r.ContentLength = -1
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			require.Equal(t, c.status, w.Code)
			require.LessOrEqual(t, read, limit)
			if c.status == 413 {
				require.Equal(t, `{"detail":"Request body exceeds the maximum allowed size of 8MB"}`, w.Body.String())
			} else if c.target == "/" {
				require.Equal(t, c.length, read)
			}
		})
	}
}
