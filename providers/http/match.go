package http

import (
	"net/url"
	"strings"
)

// belongs reports whether a credential's host is that of a URL. "*.example.com"
// is the domain and all that is below it. Without a port the host is for the
// usual ports only.
func belongs(host string, u *url.URL) bool {
	name, port := split(strings.ToLower(strings.TrimSpace(host)))
	target, targetPort := strings.ToLower(u.Hostname()), u.Port()
	if targetPort == "" {
		targetPort = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if port == "" && targetPort != "80" && targetPort != "443" || port != "" && port != targetPort {
		return false
	}
	if domain, wildcard := strings.CutPrefix(name, "*."); wildcard && domain != "" {
		return target == domain || strings.HasSuffix(target, "."+domain)
	}
	return name != "" && name == target
}

// split parts a host from its port. A user may have entered a whole address.
func split(host string) (name, port string) {
	host = strings.ReplaceAll(host, `\`, "/")
	if _, rest, found := strings.Cut(host, "://"); found {
		host = rest
	}
	host, _, _ = strings.Cut(strings.TrimLeft(host, "/"), "/")
	u := url.URL{Host: host}
	return u.Hostname(), u.Port()
}
