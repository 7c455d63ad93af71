package server

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"agentserver/core"
	"agentserver/core/workspace"
)

const fileUploadPath = "/api/files/upload"

// uploadAnswer names a file that a run can take as its input.
type uploadAnswer struct {
	FileURI        string `json:"file_uri"`
	FileName       string `json:"file_name"`
	Size           int64  `json:"size"`
	ContentType    string `json:"content_type"`
	ExpiresInHours int    `json:"expires_in_hours"`
}

// fileRoutes adds the upload of inputs for runs.
func (a *API) fileRoutes() {
	up := a.describe(operation{
		id: "postV1Upload file to cloud storage", method: http.MethodPost, path: fileUploadPath, summary: "Upload a file for a run", tags: []string{"v1", "files"},
	})
	up.Parameters = []*huma.Param{{Name: "expiration_hours", In: "query", Schema: &huma.Schema{Type: huma.TypeInteger, Default: 24}}}
	up.RequestBody = a.uploadBody("Body_postV1Upload_file_to_cloud_storage")
	a.answers(&up, huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, reflect.TypeFor[uploadAnswer]()))
	a.huma.OpenAPI().AddOperation(&up)
	a.echo.POST(fileUploadPath, a.uploadForRun, a.user)
}

// uploadForRun takes a file for the inputs of a run. A small one is given back as
// it is; a larger one is kept until it expires.
func (a *API) uploadForRun(c echo.Context) error {
	hours := 24
	if text := c.QueryParam("expiration_hours"); text != "" {
		var err error
		if hours, err = strconv.Atoi(text); err != nil {
			return invalidQuery("expiration_hours", "Input should be a valid integer, unable to parse string as an integer")
		}
	}
	if hours < 1 || hours > 48 {
		return core.PlainErrorf(core.Invalid, "Expiration hours must be between 1 and 48")
	}
	settings := a.platform.Config.Files
	limit := int64(settings.MaxUpload)
	file, err := a.upload(c, limit, func(size int64) error {
		size = max(size, c.Request().ContentLength)
		return core.PlainErrorf(core.Invalid, "File size (%d bytes) exceeds the maximum allowed size of %dMB", size, limit>>20)
	})
	if err != nil {
		return err
	}
	defer file.remove()
	answer := uploadAnswer{FileName: workspace.FileName(file.Name), Size: file.Size, ContentType: file.declared, ExpiresInHours: hours}
	if answer.FileName == "" {
		answer.FileName = "uploaded_file"
	}
	if answer.ContentType == "" {
		answer.ContentType = "application/octet-stream"
	}
	if answer.FileURI, err = a.inputReference(c, file, &answer); err != nil {
		return err
	}
	writeJSON(c, http.StatusOK, answer)
	return nil
}

// inputReference gives what the run takes in place of the file.
func (a *API) inputReference(c echo.Context, file *uploadedFile, answer *uploadAnswer) (string, error) {
	ctx := c.Request().Context()
	if file.Size <= int64(a.platform.Config.Files.Inline) {
		if err := a.platform.Workspace.Check(ctx, file.LocalFile); err != nil {
			return "", err
		}
		data, err := os.ReadFile(file.Path)
		if err != nil {
			return "", fmt.Errorf("reading an upload: %w", err)
		}
		return core.DataURI(data, answer.ContentType), nil
	}
	file.MIME = answer.ContentType
	kept, err := a.platform.Workspace.Save(ctx, workspace.NewFile{
		UserID: UserID(ctx), Path: "/uploads/" + uuid.NewString() + "/" + answer.FileName,
		Expires: time.Now().Add(time.Duration(answer.ExpiresInHours) * time.Hour),
	}, file.LocalFile)
	if err != nil {
		return "", err
	}
	return kept.Reference(), nil
}
