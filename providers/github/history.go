package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

var commitBlocks = []core.Block{listCommits, multiFileCommit}

type listCommitsInput struct {
	repoIn
	Branch string `json:"branch" default:"main" advanced:"true" doc:"Branch whose commits to list; nothing for the default branch"`
	pageIn
}

// CommitItem is a commit in a list.
type CommitItem struct {
	SHA     string `json:"sha" doc:"Hash of the commit"`
	Message string `json:"message" doc:"Its message"`
	Author  string `json:"author" doc:"Name of its author, or Unknown"`
	Date    string `json:"date" doc:"When it was written"`
	URL     string `json:"url" doc:"Address of its page"`
}

type listCommitsOutput struct {
	Commit  core.Pin[CommitItem]   `json:"commit" title:"Commit" doc:"Each commit in turn"`
	Commits core.Pin[[]CommitItem] `json:"commits" doc:"All commits of the page"`
}

var listCommits = core.NewBlock(core.BlockSpec{
	ID: "8b13f579-d8b6-4dc2-a140-f770428805de", Name: "GithubListCommitsBlock",
	Description: "Lists the commits of a branch, the newest first, page by page.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *listCommitsInput, out *listCommitsOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	query := in.query()
	if in.Branch != "" {
		query.Set("sha", in.Branch)
	}
	var found []struct {
		SHA    string `json:"sha"`
		Commit struct {
			Message string `json:"message"`
			Author  struct {
				Name string `json:"name"`
				Date string `json:"date"`
			} `json:"author"`
		} `json:"commit"`
	}
	if err := a.do(ctx, http.MethodGet, r.path("commits"), query, nil, &found); err != nil {
		return err
	}
	commits := make([]CommitItem, len(found))
	for i, f := range found {
		author := f.Commit.Author.Name
		if author == "" {
			author = "Unknown"
		}
		commits[i] = CommitItem{
			SHA: f.SHA, Message: f.Commit.Message, Author: author, Date: f.Commit.Author.Date,
			URL: r.web("commit", f.SHA),
		}
	}
	emitList(out.Commits, out.Commit, commits)
	return nil
})
