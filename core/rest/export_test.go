package rest

import (
	"context"
	"net"
	"net/netip"
)

// NewTestClient makes a client with a resolver and a dialer of the test's.
func NewTestClient(o Options, lookup func(string) ([]netip.Addr, error), dial func(address string) (net.Conn, error)) *Client {
	g := newGuard(o.Trusted)
	g.lookup = func(_ context.Context, host string) ([]netip.Addr, error) { return lookup(host) }
	g.dial = func(_ context.Context, _, address string) (net.Conn, error) { return dial(address) }
	return newClient(o, g)
}
