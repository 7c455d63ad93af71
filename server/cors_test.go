package server_test

import (
	"errors"
	"net/http"
	"regexp"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"agentserver/server"
)

func corsSite(t *testing.T) site {
	return newSite(t, func(o *server.PipelineOptions) {
		o.CORS = server.CORSConfig{
			Origins:  []string{"https://app.example.com"},
			Patterns: []*regexp.Regexp{regexp.MustCompile(`https://.*\.example\.org`)},
		}
	})
}

func TestPreflight(t *testing.T) {
	s := corsSite(t)
	for name, c := range map[string]struct {
		origin, method string
		more           []string
		status         int
		text           string
		allowed        bool
	}{
		"allowed":           {"https://app.example.com", "POST", nil, 200, "OK", true},
		"pattern":           {"https://a.example.org", "PATCH", nil, 200, "OK", true},
		"pattern in part":   {"https://a.example.org.evil.com", "GET", nil, 400, "Disallowed CORS origin", false},
		"another":           {"https://evil.com", "GET", nil, 400, "Disallowed CORS origin", false},
		"method":            {"https://app.example.com", "TRACE", nil, 400, "Disallowed CORS method", true},
		"origin and method": {"https://evil.com", "TRACE", nil, 400, "Disallowed CORS origin, method", false},
		"private network": {
			"https://app.example.com", "GET",
			[]string{"Access-Control-Request-Private-Network", "true"},
			400, "Disallowed CORS private-network", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			headers := append([]string{
				"Origin", c.origin, "Access-Control-Request-Method", c.method, "Access-Control-Request-Headers", "authorization, x-any",
			}, c.more...)
			w := s.ask("OPTIONS", "/wherever", nil, headers...)
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.text, w.Body.String())
			h := w.Header()
			require.Regexp(t, "^text/plain", h.Get("Content-Type"))
			require.Equal(t, "Origin", h.Get("Vary"))
			require.Equal(t, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", h.Get("Access-Control-Allow-Methods"))
			require.Equal(t, "600", h.Get("Access-Control-Max-Age"))
			require.Equal(t, "true", h.Get("Access-Control-Allow-Credentials"))
			require.Equal(t, "authorization, x-any", h.Get("Access-Control-Allow-Headers"))
			require.Equal(t, c.allowed, h.Get("Access-Control-Allow-Origin") == c.origin)
		})
	}
}

func TestCrossOriginRequests(t *testing.T) {
	s := corsSite(t)
	s.GET("/ok", ok)
	s.GET("/fails", func(echo.Context) error { return errors.New("x") })
	for name, c := range map[string]struct {
		target, origin                 string
		status                         int
		allowOrigin, credentials, vary string
	}{
		"no origin":        {"/ok", "", 200, "", "", ""},
		"allowed":          {"/ok", "https://app.example.com", 200, "https://app.example.com", "true", "Origin"},
		"allowed, error":   {"/fails", "https://app.example.com", 500, "https://app.example.com", "true", "Origin"},
		"allowed, unknown": {"/none", "https://app.example.com", 404, "https://app.example.com", "true", "Origin"},
		"not allowed":      {"/ok", "https://evil.com", 200, "", "true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if c.origin != "" {
				headers = []string{"Origin", c.origin}
			}
			w := s.ask(http.MethodGet, c.target, nil, headers...)
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.allowOrigin, w.Header().Get("Access-Control-Allow-Origin"))
			require.Equal(t, c.credentials, w.Header().Get("Access-Control-Allow-Credentials"))
			require.Equal(t, c.vary, w.Header().Get("Vary"))
		})
	}
}

func TestOptionsIsNotAlwaysAPreflight(t *testing.T) {
	s := corsSite(t)
	s.OPTIONS("/own", func(c echo.Context) error { return c.String(200, "own") })
	w := s.ask("OPTIONS", "/own", nil, "Origin", "https://app.example.com")
	require.Equal(t, "own", w.Body.String())
	w = s.ask("OPTIONS", "/own", nil, "Access-Control-Request-Method", "GET")
	require.Equal(t, "own", w.Body.String())
}
