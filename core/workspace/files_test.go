package workspace_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
	"agentserver/core/workspace"
)

const png = "\x89PNG\r\n\x1a\n0000"

// serve starts a server that the guarded client may reach, though it is on this
// machine.
func serve(t *testing.T, h http.HandlerFunc) (*workspace.Files, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return open(t, rest.NewClient(rest.Options{Trusted: []string{s.URL}, MaxBody: 1 << 40}), 0), s.URL
}

// open makes Files for one test.
func open(t *testing.T, http core.Doer, timeout time.Duration) *workspace.Files {
	t.Helper()
	f, err := workspace.OpenFiles(workspace.Options{HTTP: http, Timeout: timeout, TempDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func TestOpenURL(t *testing.T) {
	for _, c := range []struct {
		name, path, kind, disposition, body string
		wantKind, wantName                  string
	}{
		{name: "by header", path: "/a/b.png", kind: "image/png", body: "x", wantKind: "image/png", wantName: "b.png"},
		{name: "charset", path: "/a.txt", kind: "Text/Plain; charset=UTF-8", body: "x", wantKind: "text/plain;charset=UTF-8", wantName: "a.txt"},
		{name: "other parameters", path: "/a.txt", kind: "image/png; q=1", body: "x", wantKind: "image/png", wantName: "a.txt"},
		{name: "vague type, told by the name", path: "/a.mp3", kind: "application/octet-stream", body: "x", wantKind: "audio/mpeg", wantName: "a.mp3"},
		{name: "vague type, told by the content", path: "/a", kind: "application/octet-stream", body: png, wantKind: "image/png", wantName: "a"},
		{name: "no type", path: "/", kind: "-", body: png, wantKind: "image/png"},
		{name: "broken type", path: "/", kind: "oops", body: "hello", wantKind: "text/plain;charset=utf-8"},
		{name: "disposition", path: "/x", kind: "image/png", disposition: `attachment; filename="my pic.png"`, body: "x", wantKind: "image/png", wantName: "my pic.png"},
		{name: "disposition in UTF-8", path: "/x", kind: "image/png", disposition: `attachment; filename*=UTF-8''%C3%A4.png`, body: "x", wantKind: "image/png", wantName: "ä.png"},
		{name: "disposition with a path", path: "/x", kind: "image/png", disposition: `attachment; filename="../../etc/pass:wd.png"`, body: "x", wantKind: "image/png", wantName: "pass_wd.png"},
		{name: "disposition of dots", path: "/x.png", kind: "image/png", disposition: `attachment; filename=".."`, body: "x", wantKind: "image/png", wantName: "x.png"},
		{name: "broken disposition", path: "/x.png", kind: "image/png", disposition: `;;;`, body: "x", wantKind: "image/png", wantName: "x.png"},
		{name: "escaped path", path: "/a%2Fb%0A.png", kind: "image/png", body: "x", wantKind: "image/png", wantName: "b.png"},
		{name: "long name", path: "/" + strings.Repeat("a", 300) + ".png", kind: "image/png", body: "x", wantKind: "image/png", wantName: strings.Repeat("a", 196) + ".png"},
		{name: "empty file", path: "/a.png", kind: "image/png", body: "", wantKind: "image/png", wantName: "a.png"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files, base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{c.kind}
				if c.kind == "-" {
					w.Header()["Content-Type"] = nil
				}
				if c.disposition != "" {
					w.Header().Set("Content-Disposition", c.disposition)
				}
				_, _ = io.WriteString(w, c.body)
			})
			data, kind, name, err := files.Open(t.Context(), nil, base+c.path)
			require.NoError(t, err)
			require.Equal(t, c.body, string(data))
			require.Equal(t, c.wantKind, kind)
			require.Equal(t, c.wantName, name)
		})
	}
}

func TestOpenFollowsRedirects(t *testing.T) {
	files, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/short" {
			http.Redirect(w, r, "/long/cat.png", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, png)
	})
	_, _, name, err := files.Open(t.Context(), nil, base+"/short")
	require.NoError(t, err)
	require.Equal(t, "cat.png", name)
}

// The guard stands before private addresses, whether they are named by the
// reference or by a redirect.
func TestOpenReachesNoPrivateAddress(t *testing.T) {
	reached := false
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(private.Close)
	files, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, private.URL+"/?key=canary", http.StatusFound)
	})
	for _, ref := range []string{private.URL + "/?key=canary", base + "/?key=canary", "http://169.254.169.254/canary", "http://localhost:1/canary"} {
		_, _, _, err := files.Open(t.Context(), nil, ref)
		require.Equal(t, core.Invalid, core.KindOf(err), "%s: %v", ref, err)
		require.NotContains(t, err.Error(), "canary")
	}
	require.False(t, reached)
}

func TestOpenRefusals(t *testing.T) {
	files, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if err == nil {
			w.WriteHeader(status)
		}
	})
	for ref, want := range map[string]struct {
		kind core.Kind
		text string
	}{
		base + "/404?key=canary":         {core.NotFound, "status 404"},
		base + "/403?key=canary":         {core.Forbidden, "status 403"},
		base + "/429?key=canary":         {core.TooMany, "status 429"},
		base + "/400?key=canary":         {core.Invalid, "status 400"},
		base + "/503?key=canary":         {core.Unavailable, "status 503"},
		"workspace://canary":             {core.Unavailable, "workspace://"},
		"file:///etc/canary":             {core.Invalid, "data: URI, an http(s) URL"},
		"/etc/canary":                    {core.Invalid, "data: URI, an http(s) URL"},
		"gcs://bucket/canary":            {core.Invalid, "data: URI, an http(s) URL"},
		"":                               {core.Invalid, "data: URI, an http(s) URL"},
		"http:///canary":                 {core.Invalid, "URL cannot be read"},
		"http://a b/canary":              {core.Invalid, "URL cannot be read"},
		"http://canary.\x7f/":            {core.Invalid, "URL cannot be read"},
		"data:image/png;base64,*canary*": {core.Invalid, "not valid base64"},
		"data:image/png;base64 no comma": {core.Invalid, "comma"},
		"data:image/png,%zzcanary":       {core.Invalid, "not valid"},
	} {
		_, _, _, err := files.Open(t.Context(), nil, ref)
		require.Error(t, err, ref)
		require.Equal(t, want.kind, core.KindOf(err), "%s: %v", ref, err)
		require.Contains(t, err.Error(), want.text)
		require.NotContains(t, err.Error(), "canary", ref)
	}
}

func TestOpenLimits(t *testing.T) {
	const most = 2 << 20
	send := 0
	announce := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if announce {
			w.Header().Set("Content-Length", strconv.Itoa(send))
		}
		block := make([]byte, 1<<20)
		for left := send; left > 0; left -= len(block) {
			if _, err := w.Write(block[:min(left, len(block))]); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	base := server.URL
	files, err := workspace.OpenFiles(workspace.Options{
		HTTP: rest.NewClient(rest.Options{Trusted: []string{base}, MaxBody: 1 << 40}), TempDir: t.TempDir(), MaxFile: most,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	for _, announce = range []bool{true, false} {
		send = most
		data, _, _, err := files.Open(t.Context(), nil, base)
		require.NoError(t, err)
		require.Len(t, data, most)
		send = most + 1
		_, _, _, err = files.Open(t.Context(), nil, base)
		require.Equal(t, core.TooLarge, core.KindOf(err), "%v", err)
		require.Contains(t, err.Error(), "2 MB")
	}
	whole := make([]byte, most)
	data, _, _, err := files.Open(t.Context(), nil, core.DataURI(whole, "image/png"))
	require.NoError(t, err)
	require.Len(t, data, most)
	_, err = files.Put(t.Context(), nil, whole, "image/png", "")
	require.NoError(t, err)
	over := append(whole, 0)
	_, _, _, err = files.Open(t.Context(), nil, core.DataURI(over, "image/png"))
	require.Equal(t, core.TooLarge, core.KindOf(err), "%v", err)
	for _, size := range []int{most + 1, 3*most + 2000} {
		_, _, _, err = files.Open(t.Context(), nil, "data:,"+strings.Repeat("a", size))
		require.Equal(t, core.TooLarge, core.KindOf(err), "%v", err)
	}
	_, err = files.Put(t.Context(), nil, over, "image/png", "")
	require.Equal(t, core.TooLarge, core.KindOf(err), "%v", err)
}

// hanging is a host that accepts and says nothing.
type hanging struct{}

func (hanging) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: r.Context().Err()}
}

// broken is a host whose connection breaks.
type broken struct{}

func (broken) Do(r *http.Request) (*http.Response, error) {
	return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("reset")}
}

func TestOpenGivesUp(t *testing.T) {
	files := open(t, hanging{}, time.Millisecond)
	_, _, _, err := files.Open(t.Context(), nil, "https://example.com/canary")
	require.Equal(t, core.Unavailable, core.KindOf(err))
	require.Equal(t, "the file cannot be downloaded: example.com did not answer in time", err.Error())

	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, _, err = open(t, hanging{}, 0).Open(stopped, nil, "https://example.com/canary")
	require.ErrorIs(t, err, context.Canceled)

	_, _, _, err = open(t, broken{}, 0).Open(t.Context(), nil, "https://example.com/canary")
	require.Equal(t, core.Unavailable, core.KindOf(err))
	require.Equal(t, "the file cannot be downloaded: the connection to example.com failed", err.Error())
}

func TestDataURIs(t *testing.T) {
	files := open(t, broken{}, 0)
	for ref, want := range map[string][3]string{
		"data:image/png;base64,YQ==":                {"a", "image/png", ""},
		"data:IMAGE/PNG;name=b%20c.png;base64,YQ==": {"a", "image/png", "b%20c.png"},
		"data:,hello":                          {"hello", "text/plain;charset=US-ASCII", ""},
		" data:text/html;charset=utf-8,a%20b ": {"a b", "text/html;charset=utf-8", ""},
		"data:nonsense;base64," + encode(png):  {png, "image/png", ""},
		"data:;base64,":                        {"", "text/plain;charset=US-ASCII", ""},
	} {
		data, kind, name, err := files.Open(t.Context(), nil, ref)
		require.NoError(t, err, ref)
		require.Equal(t, want, [3]string{string(data), kind, name}, ref)
	}
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestPut(t *testing.T) {
	files := open(t, broken{}, 0)
	for _, c := range []struct{ data, mime, name, want string }{
		{"a", "image/png", "a.jpg", "data:image/png;base64,YQ=="},
		{"a", "", "a.jpg", "data:image/jpeg;base64,YQ=="},
		{png, "", "a", "data:image/png;base64," + encode(png)},
		{"", "image/png", "", "data:image/png;base64,"},
	} {
		ref, err := files.Put(t.Context(), nil, []byte(c.data), c.mime, c.name)
		require.NoError(t, err)
		require.Equal(t, c.want, ref)
		data, _, _, err := files.Open(t.Context(), nil, ref)
		require.NoError(t, err)
		require.Equal(t, c.data, string(data))
	}
}
