package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestParseDataURI(t *testing.T) {
	for _, c := range []struct {
		name, uri, data, mime, err string
	}{
		{name: "base64", uri: "data:image/png;base64,YWI/", data: "ab?", mime: "image/png"},
		{name: "text", uri: "data:text/plain,a%20b", data: "a b", mime: "text/plain"},
		{name: "plus stays", uri: "data:text/plain,a+b", data: "a+b", mime: "text/plain"},
		{name: "no media type", uri: "data:,a", data: "a", mime: "text/plain;charset=US-ASCII"},
		{name: "no media type, base64", uri: "data:;base64,YQ==", data: "a", mime: "text/plain;charset=US-ASCII"},
		{name: "only a parameter", uri: "data:;charset=utf-8,a", data: "a", mime: "text/plain;charset=utf-8"},
		{name: "parameters", uri: "data:text/html;charset=utf-8;base64,YQ==", data: "a", mime: "text/html;charset=utf-8"},
		{name: "capitals", uri: "DATA:image/png;BASE64,YQ==", data: "a", mime: "image/png"},
		{name: "no padding", uri: "data:image/png;base64,YQ", data: "a", mime: "image/png"},
		{name: "URL alphabet", uri: "data:image/png;base64,-_8", data: "\xfb\xff", mime: "image/png"},
		{name: "escaped", uri: "data:image/png;base64,YQ%3D%3D", data: "a", mime: "image/png"},
		{name: "white space", uri: "data:image/png;base64,YW\n I/", data: "ab?", mime: "image/png"},
		{name: "comma in content", uri: "data:,a,b", data: "a,b", mime: "text/plain;charset=US-ASCII"},
		{name: "empty", uri: "data:image/png;base64,", data: "", mime: "image/png"},
		{name: "no comma", uri: "data:image/png", err: "a comma is missing"},
		{name: "bad base64", uri: "data:image/png;base64,a*b", err: "not valid base64"},
		{name: "cut base64", uri: "data:image/png;base64,YWJjZ", err: "not valid base64"},
		{name: "bad escape", uri: "data:,%zz", err: "not valid"},
		{name: "bad escape in base64", uri: "data:;base64,%zz", err: "not valid base64"},
		{name: "something else", uri: "https://example.com/", err: "starts with data:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, mime, err := core.ParseDataURI(c.uri)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.Equal(t, core.Invalid, core.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.data, string(data))
			require.Equal(t, c.mime, mime)
		})
	}
}

func FuzzParseDataURI(f *testing.F) {
	f.Add("data:image/png;base64,YQ==")
	f.Add("data:;charset=utf-8,a%20b")
	f.Add("data:image/png")
	f.Fuzz(func(t *testing.T, uri string) {
		data, mime, err := core.ParseDataURI(uri)
		if err != nil {
			return
		}
		again, same, err := core.ParseDataURI(core.DataURI(data, mime))
		require.NoError(t, err)
		require.Equal(t, string(data), string(again))
		require.NotEmpty(t, same)
	})
}

func TestDecodeObject(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       map[string]any
		err        string
	}{
		{name: "object", body: ` {"a": [1, 1.5]} `, want: map[string]any{"a": []any{1, 1.5}}},
		{name: "empty object", body: `{}`, want: map[string]any{}},
		{name: "nothing", body: "", err: "not valid JSON"},
		{name: "not JSON", body: "hello", err: "not valid JSON"},
		{name: "cut", body: `{"a":`, err: "not valid JSON"},
		{name: "more after it", body: `{} {}`, err: "not valid JSON"},
		{name: "braces after it", body: `{}}`, err: "not valid JSON"},
		{name: "null", body: "null", err: "must be a JSON object, not null"},
		{name: "list", body: "[1]", err: "must be a JSON object, not array"},
		{name: "too deep", body: nested(995), err: "nested deeper"},
		{name: "deep enough", body: nested(985), want: nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := core.DecodeObject([]byte(c.body))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.Equal(t, core.Invalid, core.KindOf(err))
				return
			}
			require.NoError(t, err)
			if c.want != nil {
				require.Equal(t, c.want, got)
			}
			// It fits where a payload goes: an input among a node's inputs.
			_, err = core.Plain(map[string]any{"node": map[string]any{"payload": got}})
			require.NoError(t, err)
		})
	}
}

func nested(levels int) string {
	body := ""
	for range levels {
		body += `{"a":`
	}
	body += "1"
	for range levels {
		body += "}"
	}
	return body
}
