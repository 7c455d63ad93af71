package server_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

func TestGzip(t *testing.T) {
	text := func(n int) string { return strings.Repeat("abcdefghij", n/10+1)[:n] }
	whole := func(contentType, body string) echo.HandlerFunc {
		return func(c echo.Context) error { return c.Blob(200, contentType, []byte(body)) }
	}
	pieces := func(flush bool, contentType string, body string) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("Content-Type", contentType)
			for i := 0; i < len(body); i += 1000 {
				_, err := c.Response().Write([]byte(body[i:min(i+1000, len(body))]))
				require.NoError(t, err)
				if flush {
					c.Response().Flush()
				}
			}
			return nil
		}
	}
	const js = "application/json"
	for name, c := range map[string]struct {
		handler echo.HandlerFunc
		accept  string
		body    string
		zipped  bool
		vary    bool
	}{
		"just under":         {whole(js, text(49_999)), "gzip", text(49_999), false, false},
		"just long enough":   {whole(js, text(50_000)), "gzip", text(50_000), true, true},
		"among others":       {whole(js, text(60_000)), "br, gzip;q=0.8", text(60_000), true, true},
		"not accepted":       {whole(js, text(60_000)), "br", text(60_000), false, true},
		"not accepted, none": {whole(js, text(60_000)), "", text(60_000), false, true},
		"short pieces":       {pieces(false, js, text(5_000)), "gzip", text(5_000), false, false},
		"many pieces":        {pieces(false, js, text(123_456)), "gzip", text(123_456), true, true},
		"short stream":       {pieces(true, js, text(5_000)), "gzip", text(5_000), true, true},
		"event stream":       {pieces(true, "text/event-stream", text(90_000)), "gzip", text(90_000), false, false},
		"empty":              {whole(js, ""), "gzip", "", false, false},
		"encoded already": {func(c echo.Context) error {
			c.Response().Header().Set("Content-Encoding", "br")
			return whole(js, text(60_000))(c)
		}, "gzip", text(60_000), false, false},
		"no content type": {func(c echo.Context) error {
			_, err := c.Response().Write([]byte("<html>" + text(60_000)))
			return err
		}, "gzip", "<html>" + text(60_000), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.GET("/", c.handler)
			w := s.ask("GET", "/", nil, "Accept-Encoding", c.accept)
			require.Equal(t, 200, w.Code)
			body := io.Reader(w.Body)
			if c.zipped {
				require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
				require.Empty(t, w.Header().Get("Content-Length"))
				require.Less(t, w.Body.Len(), len(c.body))
				var err error
				body, err = gzip.NewReader(body)
				require.NoError(t, err)
			} else {
				require.NotEqual(t, "gzip", w.Header().Get("Content-Encoding"))
				if n := w.Header().Get("Content-Length"); n != "" {
					require.Equal(t, strconv.Itoa(len(c.body)), n)
				}
			}
			got, err := io.ReadAll(body)
			require.NoError(t, err)
			require.Equal(t, c.body, string(got))
			require.Equal(t, c.vary, w.Header().Get("Vary") == "Accept-Encoding")
			if name == "no content type" {
				require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestGzipLeavesStatusesAlone(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/204", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	s.GET("/304", func(c echo.Context) error { return c.NoContent(http.StatusNotModified) })
	s.GET("/201", func(c echo.Context) error { return c.String(http.StatusCreated, strings.Repeat("x", 60_000)) })
	for target, status := range map[string]int{"/204": 204, "/304": 304, "/201": 201} {
		w := s.ask("GET", target, nil, "Accept-Encoding", "gzip")
		require.Equal(t, status, w.Code)
		if status != 201 {
			require.Empty(t, w.Header().Get("Content-Length"))
		}
	}
}
