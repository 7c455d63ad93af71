package server

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"agentserver/core"
	"agentserver/core/workspace"
)

const (
	workspaceUploadPath   = "/api/workspace/files/upload"
	workspaceDownloadPath = "/api/workspace/files/:file_id/download"
)

type deletedFile struct {
	Deleted bool `json:"deleted"`
}

// workspaceRoutes adds what is about the files of a user.
func (a *API) workspaceRoutes() {
	files := a.platform.Workspace
	tags := []string{"workspace"}
	schemas := a.huma.OpenAPI().Components.Schemas

	up := a.describe(operation{
		id: "postWorkspaceUpload file to workspace", method: http.MethodPost, path: workspaceUploadPath, summary: "Upload a file to the workspace", tags: tags,
	})
	up.Parameters = []*huma.Param{
		{Name: "session_id", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Nullable: true}},
		{Name: "overwrite", In: "query", Schema: &huma.Schema{Type: huma.TypeBoolean, Default: false}},
	}
	up.RequestBody = a.uploadBody("Body_postWorkspaceUpload_file_to_workspace")
	a.answers(&up, huma.SchemaFromType(schemas, reflect.TypeFor[workspace.File]()))
	a.huma.OpenAPI().AddOperation(&up)
	a.echo.POST(workspaceUploadPath, a.uploadToWorkspace, a.user)

	down := a.describe(operation{
		id: "getWorkspaceDownload file by id", method: http.MethodGet, path: braces(workspaceDownloadPath), summary: "Download a file of the workspace", tags: tags,
	})
	down.Parameters = []*huma.Param{{Name: "file_id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	a.answers(&down, &huma.Schema{})
	a.huma.OpenAPI().AddOperation(&down)
	a.echo.GET(workspaceDownloadPath, a.downloadFromWorkspace, a.user)

	type fileRequest struct {
		FileID string `path:"file_id"`
	}
	type deletedAnswer struct{ Body deletedFile }
	route(a, operation{
		id: "deleteWorkspaceDelete a workspace file", method: http.MethodDelete, path: "/api/workspace/files/{file_id}", summary: "Delete a workspace file", tags: tags,
	}, func(ctx context.Context, in *fileRequest) (*deletedAnswer, error) {
		err := files.Delete(ctx, UserID(ctx), in.FileID)
		return &deletedAnswer{deletedFile{true}}, err
	})

	type usageAnswer struct{ Body workspace.Usage }
	route(a, operation{
		id: "getWorkspaceGet workspace storage usage", method: http.MethodGet, path: "/api/workspace/storage/usage", summary: "Get workspace storage usage", tags: tags,
	}, func(ctx context.Context, _ *struct{}) (*usageAnswer, error) {
		usage, err := files.Usage(ctx, UserID(ctx))
		return &usageAnswer{usage}, err
	})
}

// sessionID is what a session may be called.
var sessionID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// uploadToWorkspace keeps a file, in the folder of a chat's session when one is
// named.
func (a *API) uploadToWorkspace(c echo.Context) error {
	folder := "/"
	if session := c.QueryParam("session_id"); session != "" {
		if !sessionID.MatchString(session) {
			return invalidQuery("session_id", "a session's id has letters, digits, - and _ only")
		}
		folder = "/sessions/" + session + "/"
	}
	overwrite := false
	if text := c.QueryParam("overwrite"); text != "" {
		var err error
		if overwrite, err = strconv.ParseBool(text); err != nil {
			return invalidQuery("overwrite", "Input should be a valid boolean")
		}
	}
	limit := int64(a.platform.Config.Files.MaxFile)
	file, err := a.upload(c, limit, func(int64) error {
		return core.PlainErrorf(core.TooLarge, "File exceeds maximum size of %d MB", limit>>20)
	})
	if err != nil {
		return err
	}
	defer file.remove()
	name := workspace.FileName(file.Name)
	if name == "" {
		name = "upload"
	}
	file.MIME = core.FileType(name)
	ctx := c.Request().Context()
	kept, err := a.platform.Workspace.Save(ctx, workspace.NewFile{UserID: UserID(ctx), Path: folder + name, Overwrite: overwrite}, file.LocalFile)
	if err != nil {
		return err
	}
	writeJSON(c, http.StatusOK, kept)
	return nil
}

func (a *API) downloadFromWorkspace(c echo.Context) error {
	ctx := c.Request().Context()
	file, body, err := a.platform.Workspace.Open(ctx, UserID(ctx), c.Param("file_id"))
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	kind := file.MIME
	if strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset") {
		kind += "; charset=utf-8"
	}
	h := c.Response().Header()
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	h.Set("Content-Disposition", attachment(file.Name))
	// Nothing that a user has uploaded acts as a page of this server.
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	return c.Stream(http.StatusOK, kind, body)
}

// attachment gives the header with which a browser keeps a file under its name.
func attachment(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, name)
	for _, r := range name {
		if r > 126 {
			return "attachment; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
		}
	}
	return `attachment; filename="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
