package server_test

import (
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"agentserver/core/account"
	"agentserver/server"
)

func TestRequestLog(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/shared/:token", ok)
	w := s.ask("GET", "/shared/pathsecret?token=querysecret", nil,
		"Authorization", "Bearer headersecret", "Cookie", "c=cookiesecret", "X-Request-Id", "abc-1")
	require.Equal(t, "abc-1", w.Header().Get("X-Request-Id"))
	line := s.log.String()
	require.Contains(t, line, "level=INFO msg=request id=abc-1 method=GET route=/shared/{token} status=200 duration=")
	require.NotContains(t, line, "secret")
	require.NotContains(t, line, "user=")
}

func TestRequestLogOfUnknownRoutes(t *testing.T) {
	s := newSite(t, nil)
	s.ask("GET", "/pathsecret", nil)
	require.Contains(t, s.log.String(), "route=none status=404")
	require.NotContains(t, s.log.String(), "secret")
}

func TestRequestIDs(t *testing.T) {
	s := newSite(t, nil)
	var seen string
	s.GET("/", func(c echo.Context) error {
		seen = server.RequestID(c.Request().Context())
		return ok(c)
	})
	made := map[string]bool{}
	for _, bad := range []string{"", "a b", "x\"y", string(make([]byte, 65)), "a\tb"} {
		id := s.ask("GET", "/", nil, "X-Request-Id", bad).Header().Get("X-Request-Id")
		require.Equal(t, seen, id)
		require.Regexp(t, `^[A-Z0-9]{26}$`, id)
		made[id] = true
	}
	require.Len(t, made, 5)
}

func TestHealthIsLoggedForDebuggingOnly(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/health", ok)
	s.ask("GET", "/health", nil)
	require.Contains(t, s.log.String(), "level=DEBUG msg=request")
}

func TestRequestLogNamesTheUser(t *testing.T) {
	s := newSite(t, nil)
	auth := server.NewAuth(tokens{"t": {UserID: "ada"}}, discard)
	s.GET("/", ok, auth.RequireUser())
	s.ask("GET", "/", nil, "Authorization", "Bearer t")
	require.Contains(t, s.log.String(), "user=ada")
}

var _ server.TokenVerifier = (*account.Verifier)(nil)
