package rest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
)

// answers gives one answer to every request and keeps the last.
type answers struct {
	status int
	body   string
	err    error
	got    *http.Request
	sent   string
}

func (a *answers) Do(r *http.Request) (*http.Response, error) {
	a.got = r
	if r.Body != nil {
		data, _ := io.ReadAll(r.Body)
		a.sent = string(data)
	}
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(bytes.NewBufferString(a.body)), Request: r}, nil
}

func TestJSON(t *testing.T) {
	a := &answers{status: 201, body: `{"id":"x","n":5}`}
	var out struct {
		ID string `json:"id"`
	}
	require.NoError(t, rest.JSON(t.Context(), a, http.MethodPost, "https://api.example/v1?a=b", "Bearer k", map[string]any{"q": "<é>"}, &out))
	require.Equal(t, "x", out.ID)
	require.Equal(t, `{"q":"<é>"}`, a.sent)
	require.Equal(t, "POST https://api.example/v1?a=b", a.got.Method+" "+a.got.URL.String())
	require.Equal(t, "Bearer k", a.got.Header.Get("Authorization"))
	require.Equal(t, "application/json", a.got.Header.Get("Content-Type"))
	require.Equal(t, "application/json", a.got.Header.Get("Accept"))

	var value any
	require.NoError(t, rest.JSON(t.Context(), a, http.MethodGet, "https://api.example/", "", nil, &value))
	require.Equal(t, map[string]any{"id": "x", "n": 5}, value, "whole numbers stay whole")
	require.Empty(t, a.got.Header.Get("Content-Type"))
	require.NotContains(t, a.got.Header, "Authorization")

	require.NoError(t, rest.JSON(t.Context(), &answers{status: 204}, http.MethodDelete, "https://api.example/", "", nil, nil))
}

func TestJSONErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		doer   *answers
		url    string
		in     any
		want   string
		status int
	}{
		{"not found", &answers{status: 404, body: "nope"}, "https://a.example", nil, "HTTP 404 Error: Not Found, Body: nope", 404},
		{"redirect without a target", &answers{status: 302}, "https://a.example", nil, "HTTP 302 Error: Found, Body: ", 302},
		{"server", &answers{status: 503, body: `{"e":1}`}, "https://a.example", nil, `HTTP 503 Error: Service Unavailable, Body: {"e":1}`, 503},
		{"not JSON", &answers{status: 200, body: "<html>"}, "https://a.example", nil, "the answer is not the JSON that was expected", 0},
		{"transport", &answers{err: errors.New("refused")}, "https://a.example", nil, "refused", 0},
		{"body", &answers{}, "https://a.example", func() {}, "encoding the request: ", 0},
		{"URL", &answers{}, "https://a.example:x/?key=secret", nil, "the URL cannot be read", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out any
			err := rest.JSON(t.Context(), c.doer, http.MethodGet, c.url, "", c.in, &out)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "secret")
			var status *rest.StatusError
			require.Equal(t, c.status != 0, errors.As(err, &status))
			if c.status != 0 {
				require.Equal(t, c.status, status.Status)
				require.EqualError(t, err, c.want)
			}
		})
	}
}

func TestLongErrorBody(t *testing.T) {
	_, err := rest.Send(t.Context(), &answers{status: 500, body: strings.Repeat("é", 10_000)}, rest.Request{Method: "GET", URL: "https://a.example"})
	require.Less(t, len(err.Error()), 9000)
	require.True(t, strings.HasSuffix(err.Error(), "é…"))
}

func TestSendHeaders(t *testing.T) {
	a := &answers{status: 200, body: "text"}
	data, err := rest.Send(t.Context(), a, rest.Request{
		Method: "PUT", URL: "https://a.example", JSON: []int{}, Auth: "Basic x", Header: map[string]string{"Content-Type": "application/merge-patch+json"},
	})
	require.NoError(t, err)
	require.Equal(t, "text", string(data))
	require.Equal(t, "[]", a.sent)
	require.Equal(t, "application/merge-patch+json", a.got.Header.Get("Content-Type"))
	var _ core.Doer = a
}
