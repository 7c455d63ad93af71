package github

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"unicode/utf8"

	"agentserver/core"
	"agentserver/core/rest"
)

var fileBlocks = []core.Block{readFile, readFolder, createFile, updateFile}

// content is a file or folder as the contents API gives it.
type content struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	Path     string `json:"path"`
	SHA      string `json:"sha"`
	Size     int    `json:"size"`
	Encoding string `json:"encoding"`
	Content  string `json:"content"`
}

// contentsPath gives the path of a file or folder below the API.
func contentsPath(r repo, parts []string) string {
	return r.path(append([]string{"contents"}, parts...)...)
}

// filePath is [contentsPath] for what must be a file.
func filePath(r repo, path string) (string, error) {
	parts, err := fileParts(path)
	if err == nil && len(parts) == 0 {
		err = core.Errorf(core.Invalid, "the path of the file is empty")
	}
	return contentsPath(r, parts), err
}

// atBranch is the query for a branch, or none for the default one.
func atBranch(branch string) url.Values {
	if branch == "" {
		return nil
	}
	return url.Values{"ref": {branch}}
}

// contentsOf reads a path into out. What is of the other kind, a file or a
// folder, is refused with the text given.
func contentsOf(ctx context.Context, a *api, path, branch string, out any, refusal string) error {
	var raw json.RawMessage
	if err := a.do(ctx, http.MethodGet, path, atBranch(branch), nil, &raw); err != nil {
		return err
	}
	_, wantsFolder := out.(*[]content)
	if isFolder := bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")); isFolder != wantsFolder {
		return core.Errorf(core.Invalid, "%s", refusal)
	}
	return rest.Decode(raw, out)
}

// fileAt gives a file. A link is given as the file that it leads to.
func fileAt(ctx context.Context, a *api, path, branch string) (*content, error) {
	const refusal = "Not a file"
	file := &content{}
	if err := contentsOf(ctx, a, path, branch, file, refusal); err != nil {
		return nil, err
	}
	if file.Type != "file" { // a submodule, or a link to a folder
		return nil, core.Errorf(core.Invalid, refusal)
	}
	return file, nil
}

type readFileInput struct {
	repoIn
	FilePath string `json:"file_path" placeholder:"path/to/file" doc:"Path of the file"`
	Branch   string `json:"branch" default:"main" placeholder:"branch_name" advanced:"true" doc:"Branch to read from; nothing for the default branch"`
}

type readFileOutput struct {
	Text core.Pin[string] `json:"text_content" doc:"The content as text. A file that is not text in UTF-8 gives none"`
	Raw  core.Pin[string] `json:"raw_content" doc:"The content in base64, which GitHub breaks into lines"`
	Size core.Pin[int]    `json:"size" doc:"Bytes of the file"`
}

var readFile = core.NewBlock(core.BlockSpec{
	ID: "87ce6c27-5752-4bbc-8e26-6da40a3dcfd3", Name: "GithubReadFileBlock",
	Description: "Reads a file of a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *readFileInput, out *readFileOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	path, err := filePath(r, in.FilePath)
	if err != nil {
		return err
	}
	file, err := fileAt(ctx, a, path, in.Branch)
	if err != nil {
		return err
	}
	if file.Encoding == "none" { // over 1 MB, and left out
		if err := a.do(ctx, http.MethodGet, r.path("git", "blobs", file.SHA), nil, nil, file); err != nil {
			return err
		}
	}
	data, err := base64.StdEncoding.DecodeString(file.Content)
	if err != nil {
		return core.Errorf(core.Unavailable, "GitHub gave a content that is not base64: %w", err)
	}
	out.Raw.Emit(file.Content)
	if utf8.Valid(data) {
		out.Text.Emit(string(data))
	}
	out.Size.Emit(file.Size)
	return nil
})

type readFolderInput struct {
	repoIn
	FolderPath string `json:"folder_path" placeholder:"path/to/folder" doc:"Path of the folder; nothing for the top"`
	Branch     string `json:"branch" default:"main" placeholder:"branch_name" advanced:"true" doc:"Branch to read from; nothing for the default branch"`
}

// FileEntry is a file in a folder.
type FileEntry struct {
	Name string `json:"name" doc:"Name of the file"`
	Path string `json:"path" doc:"Its path"`
	Size int    `json:"size" doc:"Its bytes"`
}

// DirEntry is a folder in a folder.
type DirEntry struct {
	Name string `json:"name" doc:"Name of the folder"`
	Path string `json:"path" doc:"Its path"`
}

type readFolderOutput struct {
	File core.Pin[FileEntry] `json:"file" title:"File" doc:"Each file in turn"`
	Dir  core.Pin[DirEntry]  `json:"dir" title:"Dir" doc:"Then each folder in turn"`
}

var readFolder = core.NewBlock(core.BlockSpec{
	ID: "1355f863-2db3-4d75-9fba-f91e8a8ca400", Name: "GithubReadFolderBlock",
	Description: "Lists the files and folders in a folder of a repository, at most 1000.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *readFolderInput, out *readFolderOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	parts, err := fileParts(in.FolderPath)
	if err != nil {
		return err
	}
	var entries []content
	if err := contentsOf(ctx, a, contentsPath(r, parts), in.Branch, &entries, "Not a folder"); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type == "file" {
			out.File.Emit(FileEntry{Name: e.Name, Path: e.Path, Size: e.Size})
		}
	}
	for _, e := range entries {
		if e.Type == "dir" {
			out.Dir.Emit(DirEntry{Name: e.Name, Path: e.Path})
		}
	}
	return nil
})
