package server

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"agentserver/core"
)

// ownBodyLimits are the routes whose bodies have limits of their own.
var ownBodyLimits = []string{ingressPath, workspaceUploadPath, fileUploadPath}

// uploadTimeout bounds how long an upload may take to arrive.
const uploadTimeout = 15 * time.Minute

// uploadBody describes a form with one file.
func (a *API) uploadBody(name string) *huma.RequestBody {
	a.huma.OpenAPI().Components.Schemas.Map()[name] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"file"},
		Properties: map[string]*huma.Schema{"file": {Type: huma.TypeString, Format: "binary"}},
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{Ref: "#/components/schemas/" + name}},
	}}
}

// answers describes the JSON of a 200.
func (a *API) answers(op *huma.Operation, schema *huma.Schema) {
	op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// uploadedFile is the file of a form, on disk.
type uploadedFile struct {
	*core.LocalFile
	// declared is the media type that the client gave, or "".
	declared string
	remove   func()
}

// upload writes the part "file" of a form to disk. It stops after most bytes with the
// error tooLarge gives for what arrived so far.
func (a *API) upload(c echo.Context, most int64, tooLarge func(size int64) error) (*uploadedFile, error) {
	// Without a deadline, a client that sends nothing would hold a connection.
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(uploadTimeout))
	form, err := c.Request().MultipartReader()
	if err != nil {
		return nil, badUpload("missing", "the body is not a form (multipart/form-data)")
	}
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, badUpload("missing", "Field required")
		case err != nil:
			return nil, badUpload("value_error", "the form ends in the middle")
		case part.FormName() != "file":
			continue
		}
		local, remove, err := a.platform.Files.Spool(c.Request().Context(), part, part.FileName(), most)
		if core.IsKind(err, core.TooLarge) {
			return nil, tooLarge(most + 1)
		}
		var known *core.Error
		switch {
		case errors.As(err, &known):
			return nil, err
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, badUpload("value_error", "the form ends in the middle")
		case err != nil:
			return nil, fmt.Errorf("taking an upload: %w", err)
		}
		declared, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			declared = ""
		}
		return &uploadedFile{LocalFile: local, declared: declared, remove: remove}, nil
	}
}

// badUpload is a 422 about the file.
func badUpload(kind, text string) error {
	e := core.Errorf(core.Unprocessable, "%s", text)
	e.Detail = []FieldError{{Type: kind, Loc: []any{"body", "file"}, Msg: text}}
	return e
}

// invalidQuery is a 422 about a parameter.
func invalidQuery(name, text string) error {
	e := core.Errorf(core.Unprocessable, "%s", text)
	e.Detail = []FieldError{{Type: "value_error", Loc: []any{"query", name}, Msg: text}}
	return e
}
