package github

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// shelf are files by reference, which are only opened.
type shelf struct {
	core.Files
	files map[string]string
}

func (s shelf) Open(_ context.Context, _ *core.Run, ref string) ([]byte, string, string, error) {
	data, ok := s.files[ref]
	if !ok {
		return nil, "", "", core.Errorf(core.NotFound, "there is no file %s", ref)
	}
	return []byte(data), "text/plain", "file.txt", nil
}

func TestContents(t *testing.T) {
	run := &core.Run{Files: shelf{files: map[string]string{
		"workspace://f1#image/png":         "\x89PNG",
		"https://example.com/a.bin":        "bin",
		"http://example.com/?q=a,b":        "query",
		"data:text/plain,hi%20there":       "hi there",
		"data:text/html;charset=x,<b></b>": "<b></b>",
	}}}
	encoded := func(text string) fileContent {
		return fileContent{path: "f", content: base64.StdEncoding.EncodeToString([]byte(text)), encoding: "base64"}
	}
	for text, want := range map[string]fileContent{
		"workspace://f1#image/png":                 encoded("\x89PNG"),
		" https://example.com/a.bin\n":             encoded("bin"),
		"http://example.com/?q=a,b":                encoded("query"),
		"data:text/plain,hi%20there":               encoded("hi there"),
		"data:text/html;charset=x,<b></b>":         encoded("<b></b>"),
		"data:text/plain;base64,aGk=":              encoded("hi"),
		"data:image/svg+xml;charset=x;base64,aGk=": encoded("hi"),
	} {
		got, err := openContent(t.Context(), run, "f", text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "plain", "HTTP://example.com", "ftp://example.com/a", "see https://example.com",
		"https://example.com/a\nhttps://example.com/b", "https://example.com is a page", "http://a\tb",
		"data:", "data: a/b,c", "data:\n  a: b/c,d\n", "data:x,y", "data:a/b", "data:a/b c,d",
	} {
		got, err := openContent(t.Context(), run, "f", text)
		require.NoError(t, err, text)
		require.Equal(t, fileContent{path: "f", content: text, encoding: "utf-8"}, got)
	}
}

func TestContentsThatDoNotOpen(t *testing.T) {
	run := &core.Run{Files: shelf{}}
	_, err := openContent(t.Context(), run, "f", "workspace://gone")
	require.EqualError(t, err, "opening the content of f: there is no file workspace://gone")
	require.True(t, core.IsKind(err, core.NotFound))
	_, err = openContent(t.Context(), run, "f", "data:a/b;base64,@")
	require.ErrorContains(t, err, "opening the content of f: its data URI is not base64")
	require.True(t, core.IsKind(err, core.Invalid))
}
