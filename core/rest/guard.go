package rest

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"code.dny.dev/ssrf"

	"agentserver/core"
)

const (
	// connectTimeout bounds all attempts to connect to a host, attemptTimeout
	// the one to a single address.
	connectTimeout = 30 * time.Second
	attemptTimeout = 10 * time.Second
)

// guardian knows the addresses that are not public: everything in the special
// purpose registries of IANA, and of IPv6 all but global unicast. That covers
// addresses which hide an IPv4 address (NAT64, 6to4, Teredo).
var guardian = ssrf.New(ssrf.WithAnyPort())

// guard decides which hosts may be reached.
type guard struct {
	trusted map[string]bool // "host" or "host:port", in lower case
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	// dial connects to a checked address, dialTrusted to a trusted host.
	dial        dialFunc
	dialTrusted dialFunc
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func newGuard(trusted []string) *guard {
	g := &guard{
		trusted: map[string]bool{},
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		dial:        (&net.Dialer{Timeout: attemptTimeout, Control: guardian.Safe}).DialContext,
		dialTrusted: (&net.Dialer{Timeout: connectTimeout}).DialContext,
	}
	for _, entry := range trusted {
		if _, rest, ok := strings.Cut(entry, "://"); ok {
			entry = rest
		}
		entry, _, _ = strings.Cut(entry, "/")
		g.trusted[strings.ToLower(entry)] = true
	}
	return g
}

func (g *guard) trusts(host, port string) bool {
	host = strings.ToLower(host)
	return g.trusted[host] || g.trusted[net.JoinHostPort(host, port)]
}

// resolve gives the addresses of a host. One that is not public spoils all, or
// a name could be made to pass the check with one address and be used with
// another.
func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	addresses, err := g.lookup(ctx, host)
	if err != nil || len(addresses) == 0 {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return nil, ctxErr
		}
		return nil, core.WithCause(core.Invalid, err, "Unable to resolve IP address for hostname "+host)
	}
	for i, a := range addresses {
		addresses[i] = a.Unmap().WithZone("")
		if guardian.SafeAddr(addresses[i]) != nil {
			return nil, core.Errorf(core.Invalid,
				"Access to blocked or private IP address %s for hostname %s is not allowed.", addresses[i], host)
		}
	}
	return addresses, nil
}

// connect is the dialer of the client: it connects to an address that it has
// checked, never to a name.
func (g *guard) connect(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if g.trusts(host, port) {
		return g.dialTrusted(ctx, network, address)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	addresses, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var failure error
	for _, a := range addresses {
		conn, err := g.dial(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		if failure == nil {
			failure = err
		}
	}
	return nil, failure
}
