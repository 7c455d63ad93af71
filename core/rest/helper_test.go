package rest_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/rest"
)

// network is a small internet: names with addresses, and servers behind
// addresses.
type network struct {
	names   map[string][]string
	servers map[string]string // "address:port" -> address of a test server
	dialed  []string
}

func newNetwork() *network {
	return &network{names: map[string][]string{}, servers: map[string]string{}}
}

// serve puts a server on the net under a name, on port 80 of an address.
func (n *network) serve(t *testing.T, name, address string, h http.HandlerFunc) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	n.names[name] = append(n.names[name], address)
	n.servers[net.JoinHostPort(address, "80")] = s.Listener.Addr().String()
}

func (n *network) lookup(host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	var list []netip.Addr
	for _, a := range n.names[host] {
		list = append(list, netip.MustParseAddr(a))
	}
	if list == nil {
		return nil, errors.New("no such host")
	}
	return list, nil
}

func (n *network) dial(address string) (net.Conn, error) {
	n.dialed = append(n.dialed, address)
	server, ok := n.servers[address]
	if !ok {
		return nil, errors.New("connection refused")
	}
	return net.Dial("tcp", server)
}

func (n *network) client(o rest.Options) *rest.Client { return rest.NewTestClient(o, n.lookup, n.dial) }

// answer is what came back, read to its end.
type answer struct {
	status int
	body   string
}

func send(c *rest.Client, r *http.Request) (answer, error) {
	res, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, string(data)}, err
}

func get(t *testing.T, c *rest.Client, url string) (answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	return send(c, r)
}
