package github

import (
	"context"
	"encoding/base64"
	"net/http"

	"agentserver/core"
)

type createFileInput struct {
	repoIn
	FilePath      string `json:"file_path" placeholder:"path/to/file.txt" doc:"Path of the new file"`
	Content       string `json:"content" placeholder:"File content here" doc:"Its text"`
	Branch        string `json:"branch" default:"main" advanced:"true" doc:"Branch to write to; nothing for the default branch"`
	CommitMessage string `json:"commit_message" default:"Create new file" advanced:"true" doc:"Message of the commit"`
}

type updateFileInput struct {
	repoIn
	FilePath      string `json:"file_path" placeholder:"path/to/file.txt" doc:"Path of the file"`
	Content       string `json:"content" placeholder:"Updated content here" doc:"Its new text"`
	Branch        string `json:"branch" default:"main" advanced:"true" doc:"Branch to write to; nothing for the default branch"`
	CommitMessage string `json:"commit_message" default:"Update file" advanced:"true" doc:"Message of the commit"`
}

type writeFileOutput struct {
	URL core.Pin[string] `json:"url" doc:"Address of the file"`
	SHA core.Pin[string] `json:"sha" doc:"Hash of the commit"`
}

// fileWrite is the body of a request that writes a file. With the hash of the
// file it replaces that, and without one it makes a new file.
type fileWrite struct {
	Message string `json:"message"`
	Content string `json:"content"` // base64
	SHA     string `json:"sha,omitempty"`
	Branch  string `json:"branch,omitempty"`
}

func (o *writeFileOutput) write(ctx context.Context, a *api, path string, text string, w fileWrite) error {
	w.Content = base64.StdEncoding.EncodeToString([]byte(text))
	var made struct {
		Content struct {
			HTMLURL string `json:"html_url"`
		} `json:"content"`
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	}
	if err := a.do(ctx, http.MethodPut, path, nil, w, &made); err != nil {
		return err
	}
	o.URL.Emit(made.Content.HTMLURL)
	o.SHA.Emit(made.Commit.SHA)
	return nil
}

var createFile = core.NewBlock(core.BlockSpec{
	ID: "8fd132ac-b917-428a-8159-d62893e8a3fe", Name: "GithubCreateFileBlock",
	Description: "Creates a text file in a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *createFileInput, out *writeFileOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	path, err := filePath(r, in.FilePath)
	if err != nil {
		return err
	}
	return out.write(ctx, a, path, in.Content, fileWrite{Message: in.CommitMessage, Branch: in.Branch})
})

var updateFile = core.NewBlock(core.BlockSpec{
	ID: "30be12a4-57cb-4aa4-baf5-fcc68d136076", Name: "GithubUpdateFileBlock",
	Description: "Replaces the text of a file in a repository.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *updateFileInput, out *writeFileOutput) error {
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
	return out.write(ctx, a, path, in.Content, fileWrite{Message: in.CommitMessage, SHA: file.SHA, Branch: in.Branch})
})
