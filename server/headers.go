package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// securityHeaders go with every answer.
var securityHeaders = map[string]string{
	"X-Content-Type-Options": "nosniff",
	"X-Frame-Options":        "DENY",
	"X-XSS-Protection":       "1; mode=block",
	"Referrer-Policy":        "strict-origin-when-cross-origin",
}

// noStore goes with answers that belong to one user.
var noStore = map[string]string{
	"Cache-Control": "no-store, no-cache, must-revalidate, private",
	"Pragma":        "no-cache",
	"Expires":       "0",
}

// cacheable are the beginnings of the paths whose answers are the same for
// everyone.
var cacheable = []string{
	"/static", "/_next/static", "/assets", "/images", "/css", "/js", "/fonts",
	"/api/health", "/api/v1/health", "/api/status",
	"/api/blocks", "/api/v1/blocks",
	"/api/store/agents", "/api/v1/store/agents",
	"/api/store/categories", "/api/v1/store/categories",
	"/api/store/featured", "/api/v1/store/featured",
	"/api/graphs/templates", "/api/v1/graphs/templates",
	"/api/docs", "/api/v1/docs", "/docs", "/swagger", "/openapi.json",
	"/favicon.ico", "/manifest.json", "/robots.txt", "/sitemap.xml",
}

// SecurityHeaders adds the headers that keep browsers from guessing, framing
// and storing. A handler that sets Cache-Control itself has its way.
func SecurityHeaders() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, h := c.Request(), c.Response().Header()
			for name, value := range securityHeaders {
				h.Set(name, value)
			}
			if strings.Contains(r.URL.Path, "/public/shared") {
				h.Set("X-Robots-Tag", "noindex, nofollow")
			}
			if !mayCache(r) {
				c.Response().Before(func() {
					if h.Get("Cache-Control") != "" {
						return
					}
					for name, value := range noStore {
						h.Set(name, value)
					}
				})
			}
			return next(c)
		}
	}
}

// mayCache reports whether the answer may be kept. Only reads can: the paths
// are compared by their beginning, and below them are routes that do things.
func mayCache(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	return slices.ContainsFunc(cacheable, func(p string) bool { return strings.HasPrefix(r.URL.Path, p) })
}
