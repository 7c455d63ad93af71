package workspace

import (
	"context"
	"io"
	"path"
	"strings"

	"agentserver/core"
)

// refScheme begins references to files of a workspace.
const refScheme = "workspace://"

// openRef opens a file of the user's workspace: workspace://<id>, or
// workspace:///<path>, each with an optional #<media type>.
func (f *Files) openRef(ctx context.Context, run *core.Run, ref string) (*File, io.ReadCloser, error) {
	if f.service == nil || run == nil || run.UserID == "" {
		return nil, nil, core.Errorf(core.Unavailable, "files of the workspace (workspace://) are not available here")
	}
	name, kind, _ := strings.Cut(ref[len(refScheme):], "#")
	var file *File
	var body io.ReadCloser
	var err error
	if strings.HasPrefix(name, "/") {
		file, body, err = f.service.OpenPath(ctx, run.UserID, path.Clean(name))
	} else {
		file, body, err = f.service.Open(ctx, run.UserID, name)
	}
	if core.IsKind(err, core.NotFound) {
		return nil, nil, core.Errorf(core.NotFound, "the workspace has no such file")
	}
	if err != nil {
		return nil, nil, err
	}
	if kind, _ := cleanType(kind); kind != "" {
		file.MIME = kind
	}
	return file, body, nil
}

// isRef reports whether a reference is one to a file of a workspace.
func isRef(ref string) bool {
	return len(ref) >= len(refScheme) && strings.EqualFold(ref[:len(refScheme)], refScheme)
}
