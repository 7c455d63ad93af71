package github

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"agentserver/core"
)

var searchBlocks = []core.Block{searchCode, getRepositoryTree}

type searchCodeInput struct {
	credentialsIn
	Query   string `json:"query" placeholder:"className language:python" doc:"What to search for, in GitHub's syntax for code"`
	Repo    string `json:"repo" default:"" placeholder:"owner/repo" advanced:"true" doc:"Repository to search in, or nothing for all"`
	PerPage int    `json:"per_page" default:"30" min:"1" max:"100" advanced:"true" doc:"Most results to give, from 1 to 100"`
}

// SearchResult is a file that a search found.
type SearchResult struct {
	Name       string  `json:"name" doc:"Name of the file"`
	Path       string  `json:"path" doc:"Its path"`
	Repository string  `json:"repository" doc:"Repository that it is in"`
	URL        string  `json:"url" doc:"Address of its page"`
	Score      float64 `json:"score" doc:"How well it fits"`
}

type searchCodeOutput struct {
	Result     core.Pin[SearchResult]   `json:"result" title:"Result" doc:"Each result in turn"`
	Results    core.Pin[[]SearchResult] `json:"results" doc:"All results"`
	TotalCount core.Pin[int]            `json:"total_count" doc:"How many files fit, also those that are not among the results"`
}

var searchCode = core.NewBlock(core.BlockSpec{
	ID: "47f94891-a2b1-4f1c-b5f2-573c043f721e", Name: "GithubSearchCodeBlock",
	Description: "Searches the code of repositories. GitHub allows about ten searches a minute.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *searchCodeInput, out *searchCodeOutput) error {
	words := in.Query
	if in.Repo != "" {
		r, err := parseRepo(in.Repo)
		if err != nil {
			return err
		}
		words += " repo:" + r.String()
	}
	query := url.Values{"q": {words}, "per_page": {strconv.Itoa(in.PerPage)}}
	var found struct {
		TotalCount int `json:"total_count"`
		Items      []struct {
			Name       string  `json:"name"`
			Path       string  `json:"path"`
			HTMLURL    string  `json:"html_url"`
			Score      float64 `json:"score"`
			Repository struct {
				FullName string `json:"full_name"`
			} `json:"repository"`
		} `json:"items"`
	}
	if err := newAPI(run, in.Credentials).do(ctx, http.MethodGet, "/search/code", query, nil, &found); err != nil {
		return err
	}
	results := make([]SearchResult, len(found.Items))
	for i, f := range found.Items {
		results[i] = SearchResult{Name: f.Name, Path: f.Path, Repository: f.Repository.FullName, URL: f.HTMLURL, Score: f.Score}
	}
	out.TotalCount.Emit(found.TotalCount)
	emitList(out.Results, out.Result, results)
	return nil
})
