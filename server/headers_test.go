package server_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

func TestSecurityHeaders(t *testing.T) {
	s := newSite(t, nil)
	s.Any("/*", ok)
	for target, c := range map[[2]string]struct{ kept, hidden bool }{
		{"GET", "/api/auth/user"}:                {},
		{"GET", "/api/graphs/123/execute"}:       {},
		{"GET", "/api/integrations/credentials"}: {},
		{"GET", "/api/public/shared/abc"}:        {hidden: true},
		{"GET", "/api/store/agents"}:             {kept: true},
		{"GET", "/api/store/agents?page=2"}:      {kept: true},
		{"GET", "/static/logo.png"}:              {kept: true},
		{"HEAD", "/static/logo.png"}:             {kept: true},
		{"GET", "/docs"}:                         {kept: true},
		{"GET", "/api/blocks"}:                   {kept: true},
		{"GET", "/api/v1/store/featured/x"}:      {kept: true},
		{"GET", "/x?p=/public/shared"}:           {},
		{"POST", "/api/blocks/1/execute"}:        {},
	} {
		w := s.ask(target[0], target[1], nil)
		h := w.Header()
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), target)
		require.Equal(t, "DENY", h.Get("X-Frame-Options"), target)
		require.Equal(t, "1; mode=block", h.Get("X-XSS-Protection"), target)
		require.Equal(t, "strict-origin-when-cross-origin", h.Get("Referrer-Policy"), target)
		cache, pragma, expires, robots := "no-store, no-cache, must-revalidate, private", "no-cache", "0", ""
		if c.kept {
			cache, pragma, expires = "", "", ""
		}
		if c.hidden {
			robots = "noindex, nofollow"
		}
		require.Equal(t, cache, h.Get("Cache-Control"), target)
		require.Equal(t, pragma, h.Get("Pragma"), target)
		require.Equal(t, expires, h.Get("Expires"), target)
		require.Equal(t, robots, h.Get("X-Robots-Tag"), target)
	}
}

func TestAHandlerChoosesItsCacheRule(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/events", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-cache")
		return c.String(http.StatusOK, "")
	})
	h := s.ask("GET", "/events", nil).Header()
	require.Equal(t, []string{"no-cache"}, h.Values("Cache-Control"))
	require.Empty(t, h.Get("Pragma"))
}
