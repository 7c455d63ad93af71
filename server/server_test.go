package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"agentserver/server"
)

// site is an Echo with the whole pipeline and a log that can be read.
type site struct {
	*echo.Echo
	log *bytes.Buffer
}

func newSite(t *testing.T, change func(*server.PipelineOptions)) site {
	t.Helper()
	s := site{Echo: echo.New(), log: &bytes.Buffer{}}
	o := server.PipelineOptions{
		Log:     slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		MaxBody: 8 << 20,
	}
	if change != nil {
		change(&o)
	}
	server.Install(s.Echo, o)
	return s
}

// ask sends a request; headers are name, value, name, value.
func (s site) ask(method, target string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func ok(c echo.Context) error { return c.String(http.StatusOK, "fine") }
