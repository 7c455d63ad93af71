package rest

import (
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
)

// harmless lists the headers that follow a redirect to another origin. All
// others may be credentials: vendors use many names for them.
var harmless = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Accept-Language": true, "Cache-Control": true,
	"Content-Encoding": true, "Content-Language": true, "Content-Type": true,
	"If-Modified-Since": true, "If-None-Match": true, "Range": true, "User-Agent": true,
}

// checkRedirect is asked before each redirect is followed. Method and body
// follow the rules of package http: a POST becomes a GET after 301, 302 and
// 303, and stays what it is after 307 and 308.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > MaxRedirects {
		return core.Errorf(core.Unavailable, "Too many redirects.")
	}
	next.URL.User = nil
	// Once another origin was involved its wishes may not bring the headers
	// back, so all steps count, not only the last.
	home := via[0].URL
	foreign := !sameOrigin(home, next.URL)
	for _, step := range via[1:] {
		foreign = foreign || !sameOrigin(home, step.URL)
	}
	if !foreign {
		return nil
	}
	for name := range next.Header {
		if !harmless[http.CanonicalHeaderKey(name)] {
			delete(next.Header, name)
		}
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}
