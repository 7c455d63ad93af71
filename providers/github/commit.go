package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
)

// maxRebases is how often a commit is made again because the branch has moved.
const maxRebases = 3

const operationDelete = "delete"

// FileOperationInput is what a commit does to a file.
type FileOperationInput struct {
	Path      string `json:"path" doc:"Path of the file"`
	Content   string `json:"content" format:"file" doc:"Its new text, or a file to take the content from: its data URI, its address or a file of the workspace"`
	Operation string `json:"operation" enum:"upsert,delete" default:"upsert" doc:"Whether to write the file or to delete it"`
}

type multiFileCommitInput struct {
	repoIn
	Branch        string               `json:"branch" placeholder:"feature-branch" doc:"Branch to commit to"`
	CommitMessage string               `json:"commit_message" doc:"Message of the commit"`
	Files         []FileOperationInput `json:"files" doc:"The files to write and to delete"`
}

type multiFileCommitOutput struct {
	SHA core.Pin[string] `json:"sha" doc:"Hash of the commit"`
	URL core.Pin[string] `json:"url" doc:"Address of its page"`
}

var multiFileCommit = core.NewBlock(core.BlockSpec{
	ID: "389eee51-a95e-4230-9bed-92167a327802", Name: "GithubMultiFileCommitBlock",
	Description: "Writes and deletes any number of files in one commit.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *multiFileCommitInput, out *multiFileCommitOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	branch, err := checkRef(in.Branch)
	if err != nil {
		return err
	}
	c := &committer{api: a, repo: r, branch: branch, message: in.CommitMessage}
	if err := c.plan(ctx, run, in.Files); err != nil {
		return err
	}
	sha, err := c.commit(ctx)
	if err != nil {
		return err
	}
	out.SHA.Emit(sha)
	out.URL.Emit(r.web("commit", sha))
	return nil
})

// committer makes one commit out of GitHub's git objects.
type committer struct {
	*api
	repo    repo
	branch  string
	message string

	deletes []string // paths
	writes  []fileContent
}

// base is what a commit builds on.
type base struct{ commit, tree string }

// plan sorts the operations and opens all contents, before anything is made at
// GitHub.
func (c *committer) plan(ctx context.Context, run *core.Run, files []FileOperationInput) error {
	if len(files) == 0 {
		return core.Errorf(core.Invalid, "a commit needs at least one file")
	}
	for _, f := range files {
		parts, err := fileParts(f.Path)
		if err != nil {
			return err
		}
		if len(parts) == 0 {
			return core.Errorf(core.Invalid, "the path of a file is empty")
		}
		path := strings.Join(parts, "/")
		if f.Operation == operationDelete {
			c.deletes = append(c.deletes, path)
			continue
		}
		file, err := openContent(ctx, run, path, f.Content)
		if err != nil {
			return err
		}
		c.writes = append(c.writes, file)
	}
	return nil
}

// commit makes the commit and moves the branch to it, and does both again when
// the branch has moved meanwhile. It gives the commit's hash.
func (c *committer) commit(ctx context.Context) (string, error) {
	head, err := headOf(ctx, c.api, c.repo, c.branch)
	if err != nil {
		return "", err
	}
	on, err := c.baseAt(ctx, head)
	if err != nil {
		return "", err
	}
	if err := c.store(ctx); err != nil {
		return "", err
	}
	for rebases := 0; ; rebases++ {
		sha, err := c.write(ctx, on)
		if err != nil {
			return "", err
		}
		moved := c.move(ctx, sha)
		if moved == nil {
			return sha, nil
		}
		failure := core.Errorf(core.KindOf(moved), "Commit %s was created but failed to update ref heads/%s: %w. "+
			"You can recover by manually updating the branch to %s.", sha, c.branch, moved, sha)
		head, err := headOf(ctx, c.api, c.repo, c.branch)
		switch {
		case err != nil:
			return "", failure
		case head == sha: // only the answer was lost
			return sha, nil
		case head == on.commit, statusOf(moved) != http.StatusUnprocessableEntity, rebases == maxRebases:
			return "", failure
		}
		if on, err = c.baseAt(ctx, head); err != nil {
			return "", err
		}
	}
}

func (c *committer) baseAt(ctx context.Context, commit string) (base, error) {
	var found struct {
		Tree struct {
			SHA string `json:"sha"`
		} `json:"tree"`
	}
	err := c.do(ctx, http.MethodGet, c.repo.path("git", "commits", commit), nil, nil, &found)
	return base{commit: commit, tree: found.Tree.SHA}, err
}

// gitObject is how GitHub answers when it made one.
type gitObject struct {
	SHA string `json:"sha"`
}

// store makes a blob of each content, one after the other, as GitHub asks of
// those who write.
func (c *committer) store(ctx context.Context) error {
	for i := range c.writes {
		f := &c.writes[i]
		var blob gitObject
		body := object{"content": f.content, "encoding": f.encoding}
		if err := c.do(ctx, http.MethodPost, c.repo.path("git", "blobs"), nil, body, &blob); err != nil {
			return err
		}
		f.sha = blob.SHA
		f.content = "" // GitHub has it now
	}
	return nil
}

// The modes of files in git.
const (
	modeFile       = "100644"
	modeExecutable = "100755"
)

type treeChange struct {
	Path string  `json:"path"`
	Mode string  `json:"mode"`
	Type string  `json:"type"`
	SHA  *string `json:"sha"` // null deletes the file
}

// write makes the commit, on which no branch is yet.
func (c *committer) write(ctx context.Context, on base) (string, error) {
	modes, err := c.modes(ctx, on.tree)
	if err != nil {
		return "", err
	}
	var changes []treeChange
	for _, path := range c.deletes {
		changes = append(changes, treeChange{Path: path, Mode: modeFile, Type: "blob"})
	}
	for _, f := range c.writes {
		changes = append(changes, treeChange{Path: f.path, Mode: modes[f.path], Type: "blob", SHA: &f.sha})
	}
	var tree, commit gitObject
	body := object{"base_tree": on.tree, "tree": changes}
	if err := c.do(ctx, http.MethodPost, c.repo.path("git", "trees"), nil, body, &tree); err != nil {
		return "", err
	}
	body = object{"message": c.message, "tree": tree.SHA, "parents": []string{on.commit}}
	err = c.do(ctx, http.MethodPost, c.repo.path("git", "commits"), nil, body, &commit)
	return commit.SHA, err
}

// modes gives the mode of each file that is written: that of the file there, so
// that a script stays executable. Of a tree too large to be given whole, nothing
// is known.
func (c *committer) modes(ctx context.Context, tree string) (map[string]string, error) {
	modes := map[string]string{}
	for _, f := range c.writes {
		modes[f.path] = modeFile
	}
	if len(modes) == 0 {
		return modes, nil
	}
	var found struct {
		Truncated bool         `json:"truncated"`
		Tree      []treeChange `json:"tree"`
	}
	query := url.Values{"recursive": {"1"}}
	if err := c.do(ctx, http.MethodGet, c.repo.path("git", "trees", tree), query, nil, &found); err != nil {
		return nil, err
	}
	if found.Truncated {
		return modes, nil
	}
	for _, e := range found.Tree {
		if _, written := modes[e.Path]; written && e.Mode == modeExecutable {
			modes[e.Path] = e.Mode
		}
	}
	return modes, nil
}

// move sets the branch to the commit, if that is a descendant of where it is.
func (c *committer) move(ctx context.Context, sha string) error {
	path, err := headPath(c.repo, "refs", c.branch)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPatch, path, nil, object{"sha": sha}, nil)
}
