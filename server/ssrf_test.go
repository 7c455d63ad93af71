package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const webRequestID = "6595ae1f-b924-42cb-9a41-551a0611c4b4"

// Blocks of users reach no private address, however it is written, and not by a
// redirect; what the operator trusts, and only that, they do.
func TestBlocksReachNoPrivateAddress(t *testing.T) {
	secret := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "canary") }))
	t.Cleanup(secret.Close)
	trusted := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, secret.URL, http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "welcome")
	}))
	t.Cleanup(trusted.Close)
	ask := func(b *bed, url string) answer {
		return b.call(alice, "POST", "/api/blocks/"+webRequestID+"/execute", map[string]any{"url": url, "method": "GET"})
	}
	port := secret.URL[strings.LastIndex(secret.URL, ":"):]

	b := newBed(t, "")
	for _, url := range []string{
		secret.URL, "http://localhost" + port, "http://2130706433" + port, "http://0x7f000001" + port, "http://0177.0.0.1" + port, "http://127.1" + port,
		"http://[::1]" + port, "http://[::ffff:127.0.0.1]" + port, "http://[::ffff:7f00:1]" + port, "http://0.0.0.0" + port, "http://user:pass@127.0.0.1" + port,
		"http://169.254.169.254/latest/meta-data/", "http://10.0.0.1", "http://192.168.1.1", "http://172.16.0.1", "http://100.64.0.1", "http://[fe80::1]", "http://[fd00::1]",
		"http://[64:ff9b::7f00:1]" + port, "file:///etc/passwd", "gopher://127.0.0.1" + port, trusted.URL,
	} {
		a := ask(b, url)
		a.has(400)
		require.NotContains(t, a.body, "canary", url)
		require.NotContains(t, a.body, "welcome", url)
	}

	b = newBedOf(t, "", bedOptions{settings: map[string]string{"http.trusted_hosts": strings.TrimPrefix(trusted.URL, "http://")}})
	ask(b, trusted.URL).is(200, `{"response":["welcome"]}`)
	for _, url := range []string{trusted.URL + "/away", secret.URL} {
		a := ask(b, url)
		a.has(400)
		require.Contains(t, a.body, "Access to blocked or private IP address 127.0.0.1")
	}
}
