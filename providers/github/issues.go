package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

var issueBlocks = []core.Block{makeIssue, readIssue, listIssues}

// repoIn is the input of blocks that work on a repository.
type repoIn struct {
	credentialsIn
	RepoURL string `json:"repo_url" placeholder:"https://github.com/owner/repo" doc:"Address of the repository"`
}

// issueIn is the input of blocks that work on an issue or a pull request.
type issueIn struct {
	credentialsIn
	IssueURL string `json:"issue_url" placeholder:"https://github.com/owner/repo/issues/1" doc:"Address of the issue or the pull request"`
}

// open gives the issue and the API to reach it.
func (in *issueIn) open(run *core.Run) (*api, target, error) {
	t, err := parseIssue(in.IssueURL)
	return newAPI(run, in.Credentials), t, err
}

// account is who made something. GitHub has null for accounts that are gone.
type account struct {
	Login string `json:"login"`
}

// made is what GitHub answers to the creation of an issue or a pull request.
type made struct {
	Number  int    `json:"number"`
	HTMLURL string `json:"html_url"`
}

type makeIssueInput struct {
	repoIn
	Title string `json:"title" doc:"Title of the issue"`
	Body  string `json:"body" doc:"Text of the issue, in Markdown"`
}

// madeOutput are the outputs of blocks that make an issue or a pull request.
type madeOutput struct {
	Number core.Pin[int]    `json:"number" doc:"Its number in the repository"`
	URL    core.Pin[string] `json:"url" doc:"Address of its page"`
}

func (o madeOutput) emit(m made) {
	o.Number.Emit(m.Number)
	o.URL.Emit(m.HTMLURL)
}

var makeIssue = core.NewBlock(core.BlockSpec{
	ID: "691dad47-f494-44c3-a1e8-05b7990f2dab", Name: "GithubMakeIssueBlock",
	Description: "Opens an issue in a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *makeIssueInput, out *madeOutput) error {
	r, err := parseRepo(in.RepoURL)
	if err != nil {
		return err
	}
	var issue made
	body := object{"title": in.Title, "body": in.Body}
	if err := newAPI(run, in.Credentials).do(ctx, http.MethodPost, r.path("issues"), nil, body, &issue); err != nil {
		return err
	}
	out.emit(issue)
	return nil
})

type readIssueOutput struct {
	Title core.Pin[string] `json:"title" doc:"Title of the issue"`
	Body  core.Pin[string] `json:"body" doc:"Text of the issue, in Markdown"`
	User  core.Pin[string] `json:"user" doc:"Who opened it"`
}

var readIssue = core.NewBlock(core.BlockSpec{
	ID: "6443c75d-032a-4772-9c08-230c707c8acc", Name: "GithubReadIssueBlock",
	Description: "Reads the title, the text and the author of an issue.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *issueIn, out *readIssueOutput) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	var issue struct {
		Title string  `json:"title"`
		Body  string  `json:"body"`
		User  account `json:"user"`
	}
	if err := a.do(ctx, http.MethodGet, t.issue(), nil, nil, &issue); err != nil {
		return err
	}
	for _, part := range []struct {
		pin   core.Pin[string]
		value string
	}{{out.Title, issue.Title}, {out.Body, issue.Body}, {out.User, issue.User.Login}} {
		if part.value != "" {
			part.pin.Emit(part.value)
		}
	}
	return nil
})

// IssueItem is an issue in a list.
type IssueItem struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// listed is an issue or a pull request in an answer of GitHub's.
type listed struct {
	Title   string `json:"title"`
	HTMLURL string `json:"html_url"`
}

type listIssuesOutput struct {
	Issue  core.Pin[IssueItem]   `json:"issue" title:"Issue" doc:"Each issue in turn"`
	Issues core.Pin[[]IssueItem] `json:"issues" doc:"All of them"`
}

// The list is GitHub's own, in which pull requests are issues too.
var listIssues = core.NewBlock(core.BlockSpec{
	ID: "c215bfd7-0e57-4573-8f8c-f7d4963dcd74", Name: "GithubListIssuesBlock",
	Description: "Lists the 30 newest open issues of a repository, and pull requests among them.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *repoIn, out *listIssuesOutput) error {
	r, err := parseRepo(in.RepoURL)
	if err != nil {
		return err
	}
	var list []listed
	if err := newAPI(run, in.Credentials).do(ctx, http.MethodGet, r.path("issues"), nil, nil, &list); err != nil {
		return err
	}
	items := make([]IssueItem, len(list))
	for i, issue := range list {
		items[i] = IssueItem{Title: issue.Title, URL: issue.HTMLURL}
	}
	out.Issues.Emit(items)
	for _, item := range items {
		out.Issue.Emit(item)
	}
	return nil
})
