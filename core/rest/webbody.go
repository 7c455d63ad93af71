package rest

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"agentserver/core"
)

// webBody is the body of a request, in pieces: bytes, and files that are read
// when it is sent. It can be sent again, for a redirect.
type webBody struct {
	kind   string // media type; "" for no body
	pieces []webPiece
}

type webPiece struct {
	data []byte
	path string // of a file, when there is no data
	size int64
}

func (r *WebRequest) body() (*webBody, error) {
	switch {
	case len(r.Files) > 0:
		return r.multipart()
	case r.Body == nil:
		return &webBody{}, nil
	case r.JSON:
		data, err := core.JSON(r.Body)
		if err != nil {
			return nil, core.Errorf(core.Invalid, "the body has no JSON form: %w", err)
		}
		return &webBody{kind: "application/json", pieces: []webPiece{dataPiece(data)}}, nil
	}
	form := url.Values{}
	for name, value := range r.Body {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			form.Add(name, fieldText(v))
		}
	}
	return &webBody{kind: "application/x-www-form-urlencoded", pieces: []webPiece{dataPiece([]byte(form.Encode()))}}, nil
}

func dataPiece(data []byte) webPiece { return webPiece{data: data, size: int64(len(data))} }

// fieldText is a value as the field of a form: text as it is, nothing for null.
func fieldText(v any) string {
	if v == nil {
		return ""
	}
	return core.Text(v)
}

// multipart puts the fields first and the files after them, whose content is
// not read yet.
func (r *WebRequest) multipart() (*webBody, error) {
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	body := &webBody{kind: form.FormDataContentType()}
	cut := func() {
		body.pieces = append(body.pieces, dataPiece(bytes.Clone(buf.Bytes())))
		buf.Reset()
	}
	for _, name := range core.SortedKeys(r.Body) {
		if err := form.WriteField(name, fieldText(r.Body[name])); err != nil {
			return nil, core.Errorf(core.Invalid, "encoding the form: %w", err)
		}
	}
	for _, f := range r.Files {
		if _, err := form.CreatePart(filePart(r.FilesName, f)); err != nil {
			return nil, core.Errorf(core.Invalid, "encoding the form: %w", err)
		}
		cut()
		body.pieces = append(body.pieces, webPiece{path: f.Path, size: f.Size})
	}
	if err := form.Close(); err != nil {
		return nil, core.Errorf(core.Invalid, "encoding the form: %w", err)
	}
	cut()
	return body, nil
}

func filePart(field string, f *core.LocalFile) textproto.MIMEHeader {
	name := f.Name
	if name == "" {
		name = filepath.Base(f.Path)
	}
	kind := f.MIME
	if kind == "" {
		kind = "application/octet-stream"
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", multipart.FileContentDisposition(field, name))
	h.Set("Content-Type", strings.NewReplacer("\r", "", "\n", "").Replace(kind))
	return h
}

// addTo makes the body that of a request, to be opened when it is sent. A content
// type of the user's stays, except for a multipart form, whose own names the
// boundary.
func (b *webBody) addTo(req *http.Request) {
	if b.kind == "" {
		return
	}
	if req.Header.Get("Content-Type") == "" || strings.HasPrefix(b.kind, "multipart/") {
		req.Header.Set("Content-Type", b.kind)
	}
	for _, p := range b.pieces {
		req.ContentLength += p.size
	}
	req.GetBody = b.open
}

// open gives the body from its start.
func (b *webBody) open() (io.ReadCloser, error) {
	var readers []io.Reader
	var files openFiles
	for _, p := range b.pieces {
		if p.path == "" {
			readers = append(readers, bytes.NewReader(p.data))
			continue
		}
		f, err := os.Open(p.path)
		if err != nil {
			_ = files.Close()
			return nil, core.WithCause(core.Internal, err, "a file cannot be opened")
		}
		files = append(files, f)
		readers = append(readers, f)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(readers...), files}, nil
}

type openFiles []*os.File

// Close closes all.
func (l openFiles) Close() error {
	var errs []error
	for _, f := range l {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
