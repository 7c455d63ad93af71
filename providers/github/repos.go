package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

var repoBlocks = []core.Block{createRepository, getRepositoryInfo, forkRepository}

// repository are the members of GitHub's repositories that blocks give.
type repository struct {
	Name          string `json:"name"`
	FullName      string `json:"full_name"`
	Description   string `json:"description"`
	DefaultBranch string `json:"default_branch"`
	Private       bool   `json:"private"`
	HTMLURL       string `json:"html_url"`
	CloneURL      string `json:"clone_url"`
	Stars         int    `json:"stargazers_count"`
	Forks         int    `json:"forks_count"`
	OpenIssues    int    `json:"open_issues_count"`
}

type createRepositoryInput struct {
	credentialsIn
	Name              string `json:"name" placeholder:"my-new-repo" doc:"Name of the new repository"`
	Description       string `json:"description" default:"" advanced:"true" doc:"What it is about"`
	Private           bool   `json:"private" default:"false" advanced:"true" doc:"Whether only people with access see it"`
	AutoInit          bool   `json:"auto_init" default:"true" advanced:"true" doc:"Whether it starts with a README"`
	GitignoreTemplate string `json:"gitignore_template" default:"" advanced:"true" doc:"Template of its .gitignore, such as Python"`
}

type createRepositoryOutput struct {
	URL      core.Pin[string] `json:"url" doc:"Address of the repository"`
	CloneURL core.Pin[string] `json:"clone_url" doc:"Address to clone it from"`
}

var createRepository = core.NewBlock(core.BlockSpec{
	ID: "029ec3b8-1cfd-46d3-b6aa-28e4a706efd1", Name: "GithubCreateRepositoryBlock",
	Description: "Creates a repository of the account.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *createRepositoryInput, out *createRepositoryOutput) error {
	body := object{
		"name": in.Name, "description": in.Description, "private": in.Private,
		"auto_init": in.AutoInit, "gitignore_template": in.GitignoreTemplate,
	}
	var made repository
	if err := newAPI(run, in.Credentials).do(ctx, http.MethodPost, "/user/repos", nil, body, &made); err != nil {
		return err
	}
	out.URL.Emit(made.HTMLURL)
	out.CloneURL.Emit(made.CloneURL)
	return nil
})

type repositoryInfoOutput struct {
	Name          core.Pin[string] `json:"name" doc:"Name of the repository"`
	FullName      core.Pin[string] `json:"full_name" doc:"Its name with that of the owner"`
	Description   core.Pin[string] `json:"description" doc:"What it is about"`
	DefaultBranch core.Pin[string] `json:"default_branch" doc:"Its default branch"`
	Private       core.Pin[bool]   `json:"private" doc:"Whether only people with access see it"`
	HTMLURL       core.Pin[string] `json:"html_url" doc:"Address of its page"`
	CloneURL      core.Pin[string] `json:"clone_url" doc:"Address to clone it from"`
	Stars         core.Pin[int]    `json:"stars" doc:"How many accounts starred it"`
	Forks         core.Pin[int]    `json:"forks" doc:"How many forks it has"`
	OpenIssues    core.Pin[int]    `json:"open_issues" doc:"How many issues and pull requests are open"`
}

var getRepositoryInfo = core.NewBlock(core.BlockSpec{
	ID: "59d4f241-968a-4040-95da-348ac5c5ce27", Name: "GithubGetRepositoryInfoBlock",
	Description: "Gives facts about a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *repoIn, out *repositoryInfoOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	var found repository
	if err := a.do(ctx, http.MethodGet, r.path(), nil, nil, &found); err != nil {
		return err
	}
	out.Name.Emit(found.Name)
	out.FullName.Emit(found.FullName)
	out.Description.Emit(found.Description)
	out.DefaultBranch.Emit(found.DefaultBranch)
	out.Private.Emit(found.Private)
	out.HTMLURL.Emit(found.HTMLURL)
	out.CloneURL.Emit(found.CloneURL)
	out.Stars.Emit(found.Stars)
	out.Forks.Emit(found.Forks)
	out.OpenIssues.Emit(found.OpenIssues)
	return nil
})

type forkInput struct {
	repoIn
	Organization string `json:"organization" default:"" advanced:"true" doc:"Organization that gets the fork, or nothing for the account itself"`
}

type forkOutput struct {
	URL      core.Pin[string] `json:"url" doc:"Address of the fork"`
	CloneURL core.Pin[string] `json:"clone_url" doc:"Address to clone it from"`
	FullName core.Pin[string] `json:"full_name" doc:"Its name with that of the owner"`
}

var forkRepository = core.NewBlock(core.BlockSpec{
	ID: "a439f2f4-835f-4dae-ba7b-0205ffa70be6", Name: "GithubForkRepositoryBlock",
	Description: "Forks a repository. GitHub copies it in the background: a large one takes minutes to be complete.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *forkInput, out *forkOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	body := object{}
	if in.Organization != "" {
		body["organization"] = in.Organization
	}
	var made repository
	if err := a.do(ctx, http.MethodPost, r.path("forks"), nil, body, &made); err != nil {
		return err
	}
	out.URL.Emit(made.HTMLURL)
	out.CloneURL.Emit(made.CloneURL)
	out.FullName.Emit(made.FullName)
	return nil
})
