package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

var releaseBlocks = []core.Block{listReleases}

// ReleaseItem is a release in a list.
type ReleaseItem struct {
	Name string `json:"name" doc:"Title of the release, empty when it has none"`
	URL  string `json:"url" doc:"Address of its page"`
}

type listReleasesOutput struct {
	Release  core.Pin[ReleaseItem]   `json:"release" title:"Release" doc:"Each release in turn"`
	Releases core.Pin[[]ReleaseItem] `json:"releases" doc:"All of them"`
}

var listReleases = core.NewBlock(core.BlockSpec{
	ID: "3460367a-6ba7-4645-8ce6-47b05d040b92", Name: "GithubListReleasesBlock",
	Description: "Lists the 30 newest releases of a repository.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *repoIn, out *listReleasesOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	var found []struct {
		Name    string `json:"name"`
		HTMLURL string `json:"html_url"`
	}
	if err := a.do(ctx, http.MethodGet, r.path("releases"), nil, nil, &found); err != nil {
		return err
	}
	releases := make([]ReleaseItem, len(found))
	for i, f := range found {
		releases[i] = ReleaseItem{Name: f.Name, URL: f.HTMLURL}
	}
	emitList(out.Releases, out.Release, releases)
	return nil
})
