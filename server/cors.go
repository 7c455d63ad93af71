package server

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// CORSConfig lists the web pages that may call the API.
type CORSConfig struct {
	// Origins are whole origins, such as https://app.example.com.
	Origins []string
	// Patterns must match a whole origin.
	Patterns []*regexp.Regexp
}

func (c CORSConfig) allows(origin string) bool {
	if slices.Contains(c.Origins, origin) {
		return true
	}
	return slices.ContainsFunc(c.Patterns, func(p *regexp.Regexp) bool {
		at := p.FindStringIndex(origin)
		return at != nil && at[0] == 0 && at[1] == len(origin)
	})
}

// corsMethods are what pages may send.
var corsMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// corsMaxAge is how many seconds a browser keeps the answer to a preflight.
const corsMaxAge = "600"

// CORS answers preflights and marks answers that a page may read. Requests from
// other pages are served all the same; it is the browser that hides the answer.
func CORS(config CORSConfig) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, h := c.Request(), c.Response().Header()
			origin := r.Header.Get("Origin")
			if origin == "" {
				return next(c)
			}
			allowed := config.allows(origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			if allowed {
				h.Set("Access-Control-Allow-Origin", origin)
			}
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				return preflight(c, allowed)
			}
			if allowed {
				h.Add("Vary", "Origin")
			}
			return next(c)
		}
	}
}

// preflight answers the question whether a request may be sent.
func preflight(c echo.Context, originAllowed bool) error {
	r, h := c.Request(), c.Response().Header()
	h.Set("Vary", "Origin")
	h.Set("Access-Control-Allow-Methods", strings.Join(corsMethods, ", "))
	h.Set("Access-Control-Max-Age", corsMaxAge)
	if headers := r.Header.Get("Access-Control-Request-Headers"); headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
	}
	var refused []string
	if !originAllowed {
		refused = append(refused, "origin")
	}
	if !slices.Contains(corsMethods, r.Header.Get("Access-Control-Request-Method")) {
		refused = append(refused, "method")
	}
	if r.Header.Get("Access-Control-Request-Private-Network") != "" {
		refused = append(refused, "private-network")
	}
	if len(refused) > 0 {
		return plainText(c, http.StatusBadRequest, "Disallowed CORS "+strings.Join(refused, ", "))
	}
	return plainText(c, http.StatusOK, "OK")
}

func plainText(c echo.Context, status int, text string) error {
	return c.Blob(status, "text/plain; charset=utf-8", []byte(text))
}
