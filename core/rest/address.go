package rest

import (
	"context"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/idna"

	"agentserver/core"
)

var (
	hostCharacters = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	// numeric is a label that resolvers take for a part of an IPv4 address.
	numeric = regexp.MustCompile(`^([0-9]+|0[xX][0-9a-fA-F]*)$`)
)

// CheckURL completes an address that a user wrote ("example.com/a") and checks
// it as a call would, the resolution of its name included. It gives the URL to
// call. Errors are of kind Invalid.
func (c *Client) CheckURL(ctx context.Context, text string) (*url.URL, error) {
	u, err := c.guard.parse(text)
	if err != nil {
		return nil, err
	}
	if c.guard.trusts(u.Hostname(), portOf(u)) {
		return u, nil
	}
	_, err = c.guard.resolve(ctx, u.Hostname())
	if err != nil {
		return nil, err
	}
	return u, nil
}

// ParseURL is [Client.CheckURL] without the resolution: for blocks that call an
// address which a user wrote, and leave the rest to the client that they call
// it with.
func ParseURL(text string) (*url.URL, error) { return (&guard{}).parse(text) }

// parse reads an address that a user wrote: without a scheme it is http,
// backslashes are slashes, credentials are dropped, and the name is in ASCII. The
// slash at the end of a path stays, since many servers tell it from the path
// without.
func (g *guard) parse(text string) (*url.URL, error) {
	text = strings.ReplaceAll(strings.TrimLeft(strings.TrimRight(text, " "), " /"), `\`, "/")
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, core.WithCause(core.Invalid, err, "the URL cannot be read")
	}
	u.User = nil
	if u.Path == "/" && u.RawQuery == "" {
		u.Path = ""
	}
	if err := g.check(u); err != nil {
		return nil, err
	}
	if !g.trusts(u.Hostname(), portOf(u)) {
		host, err := idna.Lookup.ToASCII(u.Hostname())
		if err != nil {
			return nil, core.Errorf(core.Invalid, "the host name is not valid: %w", err)
		}
		if port := u.Port(); port != "" {
			host += ":" + port
		}
		u.Host = host
	}
	return u, nil
}

// check looks at a URL without resolving its name.
func (g *guard) check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return core.Errorf(core.Invalid, "the URL scheme %q is not allowed: only http and https are", u.Scheme)
	}
	host := u.Hostname()
	if host == "" {
		return core.Errorf(core.Invalid, "the URL has no host name")
	}
	if g.trusts(host, portOf(u)) {
		return nil
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || !hostCharacters.MatchString(ascii) {
		return core.Errorf(core.Invalid, "the host name %q has characters that are not allowed", host)
	}
	// A name that ends in a number is an IPv4 address to some resolvers, in
	// decimal, octal or hexadecimal; only the plain form is unambiguous.
	labels := strings.Split(strings.TrimSuffix(ascii, "."), ".")
	if numeric.MatchString(labels[len(labels)-1]) {
		if _, err := netip.ParseAddr(ascii); err != nil {
			return core.Errorf(core.Invalid, "the host %q is not an IPv4 address in its usual form", host)
		}
	}
	return nil
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
