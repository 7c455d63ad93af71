package rest_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
)

func TestCheckURLRefuses(t *testing.T) {
	n := newNetwork()
	n.names["localhost"] = []string{"127.0.0.1", "::1"}
	n.names["localhost."] = []string{"127.0.0.1"}
	n.names["example.com"] = []string{"93.184.216.34"}
	n.names["mixed.example"] = []string{"1.2.3.4", "169.254.169.254"}
	n.names["mapped.example"] = []string{"8.8.8.8", "::ffff:192.168.1.1"}
	n.names["shared.example"] = []string{"100.64.0.1"}
	c := n.client(rest.Options{})
	for _, text := range []string{
		"localhost", "http://localhost.", "192.168.1.1", "0.0.0.0", "::1", "http://[::1]", "http://[::]/", "ftp://example.com",
		"http://example_underscore.com", "http://exa mple.com", "http://", "://missing-scheme", "", "file:///etc/passwd",
		"http://2130706433", "http://0x7f000001", "http://0x7f.1", "http://127.1", "http://0177.0.0.1", "http://127.0.0.1.",
		"http://1.2.3.08", "http://0X", "http://example.com:http", "http://unknown.example",
		"mixed.example", "mapped.example", "shared.example", "http://user:pass@localhost/", "http://example.com@localhost",
		"http://[fe80::1%25eth0]/", "http://exam\nple.com",
	} {
		_, err := c.CheckURL(t.Context(), text)
		require.Error(t, err, "%q", text)
		require.True(t, core.IsKind(err, core.Invalid), "%q: %v", text, err)
	}
	_, err := c.CheckURL(t.Context(), "mixed.example")
	require.EqualError(t, err, "Access to blocked or private IP address 169.254.169.254 for hostname mixed.example is not allowed.")
	_, err = c.CheckURL(t.Context(), "mapped.example")
	require.EqualError(t, err, "Access to blocked or private IP address 192.168.1.1 for hostname mapped.example is not allowed.")
	_, err = c.CheckURL(t.Context(), "unknown.example")
	require.EqualError(t, err, "Unable to resolve IP address for hostname unknown.example")
}

func TestCheckURLCompletes(t *testing.T) {
	n := newNetwork()
	for _, name := range []string{"google.com", "example.com", "xn--exmple-cua.com"} {
		n.names[name] = []string{"8.8.8.8"}
	}
	c := n.client(rest.Options{Trusted: []string{"10.0.0.5", "http://box:11434", "[::1]:80"}})
	for text, want := range map[string]string{
		"google.com/a?b=c":              "http://google.com/a?b=c",
		` http://example.com\backslash`: "http://example.com/backslash",
		"example.com?param=äöü":         "http://example.com?param=äöü",
		"http://xn--exmple-cua.com":     "http://xn--exmple-cua.com",
		"http://exämple.com/":           "http://xn--exmple-cua.com",
		"https://example.com:8443/a/#f": "https://example.com:8443/a/#f",
		"http://user:pass@example.com":  "http://example.com",
		"EXAMPLE.com/a b":               "http://example.com/a%20b",
		"10.0.0.5":                      "http://10.0.0.5",
		"https://10.0.0.5:99/x":         "https://10.0.0.5:99/x",
		"http://BOX:11434/api":          "http://BOX:11434/api",
		"http://[::1]/":                 "http://[::1]",
		" /example.com/a/ ":             "http://example.com/a/",
		"http://8.8.8.8":                "http://8.8.8.8",
	} {
		u, err := c.CheckURL(t.Context(), text)
		require.NoError(t, err, text)
		require.Equal(t, want, u.String(), text)
	}
	for _, text := range []string{"http://box:80", "http://box", "https://[::1]", "10.0.0.6"} {
		_, err := c.CheckURL(t.Context(), text)
		require.Error(t, err, "%s is not trusted", text)
	}
}

func TestParseURL(t *testing.T) {
	u, err := rest.ParseURL("example.com/a#b")
	require.NoError(t, err)
	require.Equal(t, "http://example.com/a#b", u.String())
	_, err = rest.ParseURL("ftp://example.com")
	require.EqualError(t, err, `the URL scheme "ftp" is not allowed: only http and https are`)
}

func TestAddresses(t *testing.T) {
	for address, blocked := range map[string]bool{
		"::ffff:127.0.0.1": true, "192.0.0.1": true, "198.18.0.1": true, "fe80::1": true, "fc00::1": true, "::": true, "::1": true,
		"64:ff9b::7f00:1": true, "2002:7f00:1::": true, "192.0.2.1": true, "198.51.100.1": true, "203.0.113.1": true,
		"0.1.2.3": true, "10.1.2.3": true, "100.64.0.1": true, "127.9.9.9": true, "169.254.169.254": true, "172.31.0.1": true,
		"192.168.0.1": true, "224.0.0.1": true, "255.255.255.255": true, "ff02::1": true, "2001::1": true, "2001:db8::1": true,
		"::ffff:8.8.8.8": false, "2607:f8b0:4004:800::200e": false, "8.8.8.8": false, "172.32.0.1": false, "100.128.0.1": false,
	} {
		n := newNetwork()
		n.names["it.example"] = []string{address}
		_, err := n.client(rest.Options{}).CheckURL(t.Context(), "it.example")
		require.Equal(t, blocked, err != nil, "%s: %v", address, err)
	}
}

func TestConnectsToTheCheckedAddress(t *testing.T) {
	n := newNetwork()
	var host string
	n.serve(t, "dns.example", "8.8.8.8", func(_ http.ResponseWriter, r *http.Request) { host = r.Host })
	n.names["dns.example"] = []string{"8.8.8.8", "9.9.9.9"}
	res, err := get(t, n.client(rest.Options{}), "http://dns.example/")
	require.NoError(t, err)
	require.Equal(t, 200, res.status)
	require.Equal(t, []string{"8.8.8.8:80"}, n.dialed)
	require.Equal(t, "dns.example", host)

	n.names["dns.example"] = []string{"9.9.9.9", "8.8.8.8"}
	n.dialed = nil
	_, err = get(t, n.client(rest.Options{}), "http://dns.example/")
	require.NoError(t, err)
	require.Equal(t, []string{"9.9.9.9:80", "8.8.8.8:80"}, n.dialed, "the next address is tried when one is down")
}

func TestRefusedAddressesAreNotDialed(t *testing.T) {
	n := newNetwork()
	n.names["localhost"] = []string{"127.0.0.1"}
	n.names["mixed.example"] = []string{"8.8.8.8", "10.0.0.1"}
	for _, u := range []string{"http://localhost/", "http://mixed.example/", "http://2130706433/", "http://a_b.example/", "gopher://x/"} {
		_, err := get(t, n.client(rest.Options{}), u)
		require.True(t, core.IsKind(err, core.Invalid), "%s: %v", u, err)
	}
	require.Empty(t, n.dialed)
}

// The real dialer refuses a private address also when it gets that far.
func TestRealServers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.UserAgent())) }))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	require.NoError(t, err)

	_, err = get(t, rest.NewClient(rest.Options{}), s.URL)
	require.EqualError(t, err, "Access to blocked or private IP address 127.0.0.1 for hostname 127.0.0.1 is not allowed.")
	_, err = get(t, rest.NewClient(rest.Options{Trusted: []string{u.Hostname() + ":1"}}), s.URL)
	require.Error(t, err, "another port is not trusted")
	for _, trusted := range []string{u.Host, u.Hostname(), strings.ToUpper(s.URL) + "/v1"} {
		res, err := get(t, rest.NewClient(rest.Options{Trusted: []string{trusted}}), s.URL)
		require.NoError(t, err, trusted)
		require.Equal(t, 200, res.status)
	}
}

// A name that changes its address between two questions does not get through:
// what is dialed is what was checked, and each connection asks anew.
func TestRebinding(t *testing.T) {
	n := newNetwork()
	n.serve(t, "turning.example", "8.8.8.8", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	asked := 0
	lookup := func(host string) ([]netip.Addr, error) {
		if asked++; asked%2 == 0 {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
	}
	c := rest.NewTestClient(rest.Options{}, lookup, n.dial)
	_, err := c.CheckURL(t.Context(), "http://turning.example/")
	require.NoError(t, err)
	_, err = get(t, c, "http://turning.example/")
	require.ErrorContains(t, err, "private IP address 127.0.0.1")
	_, err = get(t, c, "http://turning.example/")
	require.NoError(t, err)
	_, err = get(t, c, "http://turning.example/")
	require.Error(t, err)
	require.Equal(t, []string{"8.8.8.8:80"}, n.dialed)
}

// What is not HTTP has the same guard.
func TestDialContext(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	address := s.Listener.Addr().String()
	for _, to := range []string{address, "localhost:25", "[::1]:25", "[::ffff:10.0.0.1]:25", "169.254.169.254:80"} {
		_, err := rest.NewClient(rest.Options{}).DialContext(t.Context(), "tcp", to)
		require.True(t, core.IsKind(err, core.Invalid), "%s: %v", to, err)
	}
	conn, err := rest.NewClient(rest.Options{Trusted: []string{address}}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}
