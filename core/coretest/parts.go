package coretest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// readParts gives the parts of a multipart form, their content in Base64.
func readParts(t *testing.T, r *http.Request, body []byte) []Part {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	form := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	var parts []Part
	for {
		p, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		require.NoError(t, err)
		data, err := io.ReadAll(p)
		require.NoError(t, err)
		parts = append(parts, Part{
			Name: p.FormName(), FileName: p.FileName(), Type: p.Header.Get("Content-Type"),
			Base64: base64.StdEncoding.EncodeToString(data),
		})
	}
}

// plainParts gives parts with their content in Base64.
func plainParts(t *testing.T, parts []Part) []Part {
	var plain []Part
	for _, p := range parts {
		if p.Base64 == "" {
			p.Base64 = base64.StdEncoding.EncodeToString([]byte(p.Text))
		}
		p.Text = ""
		plain = append(plain, p)
	}
	return plain
}
