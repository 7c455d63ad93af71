package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// Params decodes the parameters in paths, and turns away addresses with what no
// id, name or option holds: control characters and bytes that are not UTF-8.
// Databases do not agree on what such text is. A parameter of the query whose value
// is null is as good as none: the web client sends those that it has no value for.
func Params() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			// Most addresses have no escapes, or only such as the standard
			// library would write itself.
			if r.URL.RawPath != "" {
				values := c.ParamValues()
				for i, v := range values {
					if plain, err := url.PathUnescape(v); err == nil {
						values[i] = plain
					}
				}
				c.SetParamValues(values...)
			}
			if !isText(r.URL.Path) {
				return echo.ErrNotFound
			}
			if strings.Contains(r.URL.RawQuery, "%") || !isText(r.URL.RawQuery) {
				for name, values := range r.URL.Query() {
					for _, v := range values {
						if !isText(name) || !isText(v) {
							return echo.NewHTTPError(http.StatusBadRequest, "The query is not valid text")
						}
					}
				}
			}
			if strings.Contains(r.URL.RawQuery, "=null") {
				r.URL.RawQuery = withoutNulls(r.URL.RawQuery)
			}
			return next(c)
		}
	}
}

// withoutNulls leaves out the parameters that are null, and the others as they are.
func withoutNulls(query string) string {
	list := strings.Split(query, "&")
	return strings.Join(slices.DeleteFunc(list, func(p string) bool { return strings.HasSuffix(p, "=null") && strings.Count(p, "=") == 1 }), "&")
}

// isText reports whether s is UTF-8 without control characters.
func isText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}
