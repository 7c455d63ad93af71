package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

var starBlocks = []core.Block{listStargazers, starRepository}

// StargazerItem is an account in a list.
type StargazerItem struct {
	Username string `json:"username" doc:"Name of the account"`
	URL      string `json:"url" doc:"Address of its page"`
}

type listStargazersOutput struct {
	Stargazer  core.Pin[StargazerItem]   `json:"stargazer" title:"Stargazer" doc:"Each account in turn"`
	Stargazers core.Pin[[]StargazerItem] `json:"stargazers" doc:"All of them"`
}

var listStargazers = core.NewBlock(core.BlockSpec{
	ID: "e96d01ec-b55e-4a99-8ce8-c8776dce850b", Name: "GithubListStargazersBlock",
	Description: "Lists the first 30 accounts that starred a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *repoIn, out *listStargazersOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	var found []struct {
		Login   string `json:"login"`
		HTMLURL string `json:"html_url"`
	}
	if err := a.do(ctx, http.MethodGet, r.path("stargazers"), nil, nil, &found); err != nil {
		return err
	}
	gazers := make([]StargazerItem, len(found))
	for i, f := range found {
		gazers[i] = StargazerItem{Username: f.Login, URL: f.HTMLURL}
	}
	emitList(out.Stargazers, out.Stargazer, gazers)
	return nil
})

var starRepository = core.NewBlock(core.BlockSpec{
	ID: "bd700764-53e3-44dd-a969-d1854088458f", Name: "GithubStarRepositoryBlock",
	Description: "Stars a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *repoIn, out *statusOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	err = a.do(ctx, http.MethodPut, "/user/starred/"+r.owner+"/"+r.name, nil, nil, nil)
	return out.emit(err, "Repository starred successfully")
})
