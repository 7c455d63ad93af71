package rest_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
)

// seen is what a server got.
type seen struct {
	method, key, harmless, kind, body string
}

func look(r *http.Request) seen {
	body, _ := io.ReadAll(r.Body)
	return seen{r.Method, r.Header.Get("X-API-Key"), r.Header.Get("Accept"), r.Header.Get("Content-Type"), string(body)}
}

func TestSendWebFollowsRedirects(t *testing.T) {
	const kind = "application/json"
	for _, c := range []struct {
		name, target string
		status       int
		want         seen
	}{
		{"303 on the same host", "http://one.example/end", http.StatusSeeOther, seen{"GET", "secret", "x/y", "", ""}},
		{"302 on the same host", "/end", http.StatusFound, seen{"GET", "secret", "x/y", "", ""}},
		{"307 on the same host", "/end", http.StatusTemporaryRedirect, seen{"POST", "secret", "x/y", kind, `{"a":1}`}},
		{"307 to another host", "http://two.example/end", http.StatusTemporaryRedirect, seen{"POST", "", "x/y", kind, `{"a":1}`}},
		{"303 to another host", "http://two.example/end", http.StatusSeeOther, seen{"GET", "", "x/y", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork()
			var got seen
			handler := func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/start" {
					http.Redirect(w, r, c.target, c.status)
					return
				}
				got = look(r)
			}
			n.serve(t, "one.example", "93.184.216.34", handler)
			n.serve(t, "two.example", "93.184.216.35", handler)
			answer, err := rest.SendWeb(t.Context(), n.client(rest.Options{}), rest.WebRequest{
				URL: "http://one.example/start", Method: "POST", JSON: true, Body: map[string]any{"a": 1},
				Header: map[string]string{"accept": "x/y"}, Secret: map[string]core.Secret{"x-api-key": "secret"},
			})
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, answer.Status)
			require.Equal(t, c.want, got)
		})
	}
}

// Files are read from disk when they are sent, and again after a redirect.
func TestSendWebFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.bin")
	content := strings.Repeat("0123456789", 100_000)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	file := &core.LocalFile{Path: path, MIME: "text/plain", Name: "x.txt", Size: int64(len(content))}

	n := newNetwork()
	var sizes []int64
	n.serve(t, "one.example", "93.184.216.34", func(w http.ResponseWriter, r *http.Request) {
		sizes = append(sizes, r.ContentLength)
		require.NoError(t, r.ParseMultipartForm(8<<20))
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/end", http.StatusPermanentRedirect)
			return
		}
		require.Equal(t, []string{"v"}, r.MultipartForm.Value["k"])
		parts := r.MultipartForm.File["docs"]
		require.Len(t, parts, 2)
		require.Equal(t, "x.txt", parts[1].Filename)
		f, err := parts[1].Open()
		require.NoError(t, err)
		data, err := io.ReadAll(f)
		require.NoError(t, err)
		require.True(t, content == string(data))
		_, _ = io.WriteString(w, "stored")
	})
	answer, err := rest.SendWeb(t.Context(), n.client(rest.Options{}), rest.WebRequest{
		URL: "one.example", Method: "POST", Body: map[string]any{"k": "v"}, FilesName: "docs", Files: []*core.LocalFile{file, file},
	})
	require.NoError(t, err)
	require.Equal(t, "stored", answer.Value)
	require.Len(t, sizes, 2)
	require.Greater(t, sizes[0], int64(2*len(content)))
	require.Equal(t, sizes[0], sizes[1])

	require.NoError(t, os.Remove(path))
	_, err = rest.SendWeb(t.Context(), n.client(rest.Options{}), rest.WebRequest{URL: "one.example", Method: "POST", Files: []*core.LocalFile{file}})
	require.ErrorContains(t, err, "a file cannot be opened")
}

func TestSendWebFailures(t *testing.T) {
	n := newNetwork()
	n.serve(t, "endless.example", "93.184.216.34", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	n.serve(t, "loop.example", "93.184.216.35", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	n.serve(t, "inward.example", "93.184.216.36", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
	})
	for _, c := range []struct{ url, want string }{
		{"http://169.254.169.254/", "Access to blocked or private IP address 169.254.169.254 for hostname 169.254.169.254 is not allowed."},
		{"http://inward.example/", "Access to blocked or private IP address 169.254.169.254"},
		{"http://loop.example/", "Too many redirects."},
		{"http://unknown.example/", "Unable to resolve IP address for hostname unknown.example"},
		{"http://endless.example/", "the answer of endless.example is larger than 16777216 bytes"},
	} {
		_, err := rest.SendWeb(t.Context(), n.client(rest.Options{}), rest.WebRequest{URL: c.url, Method: "GET"})
		require.ErrorContains(t, err, c.want)
	}
}

func TestSendWebCharsets(t *testing.T) {
	for _, c := range []struct{ kind, body, want string }{
		{"text/plain; charset=ISO-8859-1", "caf\xe9", "café"},
		{"text/plain; charset=windows-1251", "\xcf\xf0", "Пр"},
		{"text/plain; charset=unheard-of", "é", "é"},
		{"text/plain", "caf\xe9!", "caf\ufffd!"},
		{"", "x", "x"},
		{"text/html; charset=", "x", "x"},
	} {
		n := newNetwork()
		n.serve(t, "one.example", "93.184.216.34", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{c.kind}
			_, _ = io.WriteString(w, c.body)
		})
		answer, err := rest.SendWeb(t.Context(), n.client(rest.Options{}), rest.WebRequest{URL: "one.example", Method: "GET"})
		require.NoError(t, err)
		require.Equal(t, c.want, answer.Value, c.kind)
	}
}
