package github

import (
	"context"
	"net/http"
	"strings"

	"agentserver/core"
)

var pullBlocks = []core.Block{listPulls, makePull, readPull, mergePull}

// pullIn is the input of blocks that work on a pull request.
type pullIn struct {
	credentialsIn
	PRURL string `json:"pr_url" placeholder:"https://github.com/owner/repo/pull/1" doc:"Address of the pull request"`
}

// open gives the pull request and the API to reach it.
func (in *pullIn) open(run *core.Run) (*api, target, error) {
	t, err := parsePull(in.PRURL)
	return newAPI(run, in.Credentials), t, err
}

// PRItem is a pull request in a list.
type PRItem struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

type listPullsOutput struct {
	PullRequest  core.Pin[PRItem]   `json:"pull_request" title:"Pull Request" doc:"Each pull request in turn"`
	PullRequests core.Pin[[]PRItem] `json:"pull_requests" doc:"All of them"`
}

var listPulls = core.NewBlock(core.BlockSpec{
	ID: "ffef3c4c-6cd0-48dd-817d-459f975219f4", Name: "GithubListPullRequestsBlock",
	Description: "Lists the 30 newest open pull requests of a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *repoIn, out *listPullsOutput) error {
	r, err := parseRepo(in.RepoURL)
	if err != nil {
		return err
	}
	var list []listed
	if err := newAPI(run, in.Credentials).do(ctx, http.MethodGet, r.path("pulls"), nil, nil, &list); err != nil {
		return err
	}
	items := make([]PRItem, len(list))
	for i, pull := range list {
		items[i] = PRItem{Title: pull.Title, URL: pull.HTMLURL}
	}
	out.PullRequests.Emit(items)
	for _, item := range items {
		out.PullRequest.Emit(item)
	}
	return nil
})

type makePullInput struct {
	repoIn
	Title string `json:"title" doc:"Title of the pull request"`
	Body  string `json:"body" doc:"Its text, in Markdown"`
	Head  string `json:"head" doc:"Branch with the changes; one of a fork is owner:branch"`
	Base  string `json:"base" doc:"Branch that the changes are for"`
}

var makePull = core.NewBlock(core.BlockSpec{
	ID: "dfb987f8-f197-4b2e-bf19-111812afd692", Name: "GithubMakePullRequestBlock",
	Description: "Opens a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *makePullInput, out *madeOutput) error {
	r, err := parseRepo(in.RepoURL)
	if err != nil {
		return err
	}
	var pull made
	body := object{"title": in.Title, "body": in.Body, "head": in.Head, "base": in.Base}
	if err := newAPI(run, in.Credentials).do(ctx, http.MethodPost, r.path("pulls"), nil, body, &pull); err != nil {
		return err
	}
	out.emit(pull)
	return nil
})

type readPullInput struct {
	pullIn
	IncludePRChanges bool `json:"include_pr_changes" default:"false" advanced:"false" doc:"Whether to read the changes too"`
}

type readPullOutput struct {
	Title   core.Pin[string] `json:"title" doc:"Title of the pull request"`
	Body    core.Pin[string] `json:"body" doc:"Its text, in Markdown"`
	Author  core.Pin[string] `json:"author" doc:"Who opened it"`
	Changes core.Pin[string] `json:"changes" doc:"What it changes, as a diff"`
}

var readPull = core.NewBlock(core.BlockSpec{
	ID: "bf94b2a4-1a30-4600-a783-a8a44ee31301", Name: "GithubReadPullRequestBlock",
	Description: "Reads the title, the text, the author and, if wanted, the changes of a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *readPullInput, out *readPullOutput) error {
	t, err := parseIssue(in.PRURL)
	if err != nil {
		return err
	}
	a := newAPI(run, in.Credentials)
	var pull object
	if err := a.do(ctx, http.MethodGet, t.issue(), nil, nil, &pull); err != nil {
		return err
	}
	out.Title.Emit(textOr(pull, "title", "No title found"))
	out.Body.Emit(textOr(pull, "body", "No body content found"))
	user, _ := pull["user"].(object)
	out.Author.Emit(textOr(user, "login", "Unknown author"))
	if !in.IncludePRChanges {
		return nil
	}
	files, err := listAll[changedFile](ctx, a, t.pull("files"), nil)
	if err != nil {
		return err
	}
	out.Changes.Emit(diffOf(files))
	return nil
})

// textOr gives a member that is text, "" where it is null, and what stands for
// it where it is missing.
func textOr(o object, name, missing string) string {
	value, ok := o[name]
	if !ok {
		return missing
	}
	text, _ := value.(string)
	return text
}

// changedFile is a file of a pull request.
type changedFile struct {
	Filename         string `json:"filename"`
	PreviousFilename string `json:"previous_filename"`
	Status           string `json:"status"`
	// Patch is missing for binary files and for large ones.
	Patch string `json:"patch"`
}

// diffOf puts the patches together, each below the names of its file.
func diffOf(files []changedFile) string {
	parts := make([]string, len(files))
	for i, f := range files {
		before := f.PreviousFilename
		if before == "" {
			before = f.Filename
		}
		var head string
		if f.Status != "added" {
			head += "--- " + before + "\n"
		}
		if f.Status != "removed" {
			head += "+++ " + f.Filename + "\n"
		}
		parts[i] = head + f.Patch
	}
	return strings.Join(parts, "\n\n")
}

type mergePullInput struct {
	pullIn
	MergeMethod   string `json:"merge_method" enum:"merge,squash,rebase" default:"merge" advanced:"true" doc:"How to merge"`
	CommitTitle   string `json:"commit_title" default:"" advanced:"true" doc:"Title of the commit; GitHub's own when empty"`
	CommitMessage string `json:"commit_message" default:"" advanced:"true" doc:"Text of the commit; GitHub's own when empty"`
}

type mergePullOutput struct {
	SHA     core.Pin[string] `json:"sha" doc:"Id of the commit"`
	Merged  core.Pin[bool]   `json:"merged" doc:"Whether it was merged"`
	Message core.Pin[string] `json:"message" doc:"What GitHub says"`
}

var mergePull = core.NewBlock(core.BlockSpec{
	ID: "77456c22-33d8-4fd4-9eef-50b46a35bb48", Name: "GithubMergePullRequestBlock",
	Description: "Merges a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *mergePullInput, out *mergePullOutput) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	body := object{"merge_method": in.MergeMethod}
	if in.CommitTitle != "" {
		body["commit_title"] = in.CommitTitle
	}
	if in.CommitMessage != "" {
		body["commit_message"] = in.CommitMessage
	}
	var merge struct {
		SHA     string `json:"sha"`
		Merged  bool   `json:"merged"`
		Message string `json:"message"`
	}
	if err := a.do(ctx, http.MethodPut, t.pull("merge"), nil, body, &merge); err != nil {
		return err
	}
	out.SHA.Emit(merge.SHA)
	out.Merged.Emit(merge.Merged)
	out.Message.Emit(merge.Message)
	return nil
})
