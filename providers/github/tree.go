package github

import (
	"context"
	"net/http"
	"net/url"

	"agentserver/core"
)

type treeInput struct {
	repoIn
	Branch    string `json:"branch" default:"main" advanced:"true" doc:"Branch, tag or commit whose files to list; nothing for the default branch"`
	Recursive bool   `json:"recursive" default:"true" advanced:"true" doc:"Whether to go into folders"`
}

// TreeEntry is a file or folder of a tree, in GitHub's form and in that of the pin.
type TreeEntry struct {
	Path string `json:"path" doc:"Path of the entry"`
	Type string `json:"type" doc:"What it is: blob for a file, tree for a folder, commit for a submodule"`
	Size int    `json:"size" doc:"Bytes of a file, 0 for anything else"`
	SHA  string `json:"sha" doc:"Hash of its content"`
}

type treeOutput struct {
	Entry     core.Pin[TreeEntry]   `json:"entry" title:"Entry" doc:"Each entry in turn"`
	Entries   core.Pin[[]TreeEntry] `json:"entries" doc:"All entries"`
	Truncated core.Pin[bool]        `json:"truncated" doc:"Whether there are more entries than GitHub gives"`
}

var getRepositoryTree = core.NewBlock(core.BlockSpec{
	ID: "89c5c0ec-172e-4001-a32c-bdfe4d0c9e81", Name: "GithubGetRepositoryTreeBlock",
	Description: "Lists the files and folders of a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *treeInput, out *treeOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	if in.Branch == "" {
		in.Branch = "HEAD"
	}
	at, err := checkRef(in.Branch)
	if err != nil {
		return err
	}
	var query url.Values
	if in.Recursive {
		query = url.Values{"recursive": {"1"}}
	}
	var found struct {
		Truncated bool        `json:"truncated"`
		Tree      []TreeEntry `json:"tree"`
	}
	if err := a.do(ctx, http.MethodGet, r.path("git", "trees", at), query, nil, &found); err != nil {
		return err
	}
	out.Truncated.Emit(found.Truncated)
	emitList(out.Entries, out.Entry, found.Tree)
	return nil
})
