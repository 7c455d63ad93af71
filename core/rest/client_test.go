package rest_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
)

func TestRedirectHeaders(t *testing.T) {
	secrets := []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Xi-Api-Key"}
	for _, c := range []struct {
		name string
		path []string // where the first, second... request is sent on to
		kept bool
	}{
		{"same origin", []string{"http://home.example/end"}, true},
		{"same origin with its port", []string{"http://home.example:80/end"}, true},
		{"another host", []string{"http://away.example/end"}, false},
		{"a host below", []string{"http://sub.home.example/end"}, false},
		{"there and back", []string{"http://away.example/1", "http://home.example/end"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork()
			var last *http.Request
			hop := 0
			h := func(w http.ResponseWriter, r *http.Request) {
				last = r
				if hop < len(c.path) {
					hop++
					http.Redirect(w, r, c.path[hop-1], http.StatusFound)
				}
			}
			n.serve(t, "home.example", "8.8.8.8", h)
			n.serve(t, "away.example", "9.9.9.9", h)
			n.serve(t, "sub.home.example", "7.7.7.7", h)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://home.example/start?token=secret", nil)
			require.NoError(t, err)
			for _, name := range secrets {
				r.Header.Set(name, "secret")
			}
			r.Header.Set("Accept", "text/plain")
			_, err = send(n.client(rest.Options{UserAgent: "test/1"}), r)
			require.NoError(t, err)
			require.Equal(t, "/end", last.URL.Path)
			for _, name := range secrets {
				require.Equal(t, c.kept, last.Header.Get(name) != "", name)
			}
			if !c.kept {
				require.Empty(t, last.Header.Get("Referer"), "it holds the token of the query")
			}
			require.Equal(t, "text/plain", last.Header.Get("Accept"))
			require.Equal(t, "test/1", last.Header.Get("User-Agent"))
		})
	}
}

func TestRedirects(t *testing.T) {
	n := newNetwork()
	var bodies []string
	n.serve(t, "site.example", "8.8.8.8", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+string(body))
		switch count, _ := strconv.Atoi(r.URL.Query().Get("n")); {
		case r.URL.Path == "/inside":
			http.Redirect(w, r, "http://10.0.0.1/", http.StatusFound)
		case r.URL.Path == "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case r.URL.Path == "/nowhere":
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/keep":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case r.URL.Path == "/see":
			http.Redirect(w, r, "/end", http.StatusSeeOther)
		case count > 0:
			http.Redirect(w, r, "/?n="+strconv.Itoa(count-1), http.StatusFound)
		}
	})
	c := n.client(rest.Options{})
	for path, want := range map[string]int{"/?n=10": 200, "/nowhere": 302} {
		res, err := get(t, c, "http://site.example"+path)
		require.NoError(t, err, path)
		require.Equal(t, want, res.status, path)
	}
	_, err := get(t, c, "http://site.example/?n=11")
	require.EqualError(t, err, "Too many redirects.")
	_, err = get(t, c, "http://site.example/inside")
	require.ErrorContains(t, err, "Access to blocked or private IP address 10.0.0.1")
	_, err = get(t, c, "http://site.example/file")
	require.ErrorContains(t, err, `the URL scheme "file" is not allowed`)

	for path, want := range map[string][]string{"/keep": {"POST x", "POST x"}, "/see": {"POST x", "GET "}} {
		bodies = nil
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://site.example"+path, strings.NewReader("x"))
		require.NoError(t, err)
		_, err = send(c, r)
		require.NoError(t, err)
		require.Equal(t, want, bodies, path)
	}
}

func TestBodyLimit(t *testing.T) {
	n := newNetwork()
	n.serve(t, "big.example", "8.8.8.8", func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		body := strings.Repeat("x", size)
		switch r.URL.Path {
		case "/length":
			w.Header().Set("Content-Length", strconv.Itoa(size))
		case "/zip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, body)
			_ = z.Close()
			return
		default:
			w.(http.Flusher).Flush() // without a length
		}
		_, _ = io.WriteString(w, body)
	})
	c := n.client(rest.Options{MaxBody: 1000})
	for _, path := range []string{"/length", "/stream", "/zip"} {
		for size, fits := range map[string]bool{"0": true, "999": true, "1000": true, "1001": false, "100000": false} {
			res, err := get(t, c, "http://big.example"+path+"?size="+size)
			if fits {
				require.NoError(t, err, path+size)
				require.Equal(t, size, strconv.Itoa(len(res.body)), path)
				continue
			}
			require.True(t, core.IsKind(err, core.TooLarge), "%s %s: %v", path, size, err)
			require.LessOrEqual(t, len(res.body), 1000)
		}
	}
}

func TestFailures(t *testing.T) {
	n := newNetwork()
	n.names["down.example"] = []string{"8.8.8.8"}
	arrived := make(chan struct{}, 1)
	n.serve(t, "slow.example", "9.9.9.9", func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})

	_, err := get(t, n.client(rest.Options{}), "http://down.example/?key=secret")
	require.EqualError(t, err, "calling down.example: connection refused")
	require.True(t, core.IsKind(err, core.Unavailable))

	_, err = get(t, n.client(rest.Options{Timeout: 20 * time.Millisecond}), "http://slow.example/?key=secret")
	require.EqualError(t, err, "slow.example did not answer in time")
	require.True(t, core.IsKind(err, core.Unavailable))
	<-arrived

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://slow.example/", nil)
	require.NoError(t, err)
	_, err = send(n.client(rest.Options{}), r)
	require.Equal(t, context.Canceled, err)
}

func TestCredentialsInTheURL(t *testing.T) {
	n := newNetwork()
	var auth, agent string
	n.serve(t, "site.example", "8.8.8.8", func(w http.ResponseWriter, r *http.Request) {
		auth, agent = r.Header.Get("Authorization"), r.UserAgent()
		if r.URL.Path == "/move" {
			http.Redirect(w, r, "http://user:pass@site.example/", http.StatusFound)
		}
	})
	for _, u := range []string{"http://user:pass@site.example/", "http://site.example/move"} {
		_, err := get(t, n.client(rest.Options{}), u)
		require.NoError(t, err)
		require.Empty(t, auth, u)
		require.Equal(t, rest.DefaultUserAgent, agent)
	}
}
