package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

var tagBlocks = []core.Block{listTags}

// TagItem is a tag in a list.
type TagItem struct {
	Name string `json:"name" doc:"Name of the tag"`
	URL  string `json:"url" doc:"Address of the files at the tag"`
}

type listTagsOutput struct {
	Tag  core.Pin[TagItem]   `json:"tag" title:"Tag" doc:"Each tag in turn"`
	Tags core.Pin[[]TagItem] `json:"tags" doc:"All of them"`
}

var listTags = core.NewBlock(core.BlockSpec{
	ID: "358924e7-9a11-4d1a-a0f2-13c67fe59e2e", Name: "GithubListTagsBlock",
	Description: "Lists the tags of a repository, the first 30 that GitHub gives.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *repoIn, out *listTagsOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	var found []struct {
		Name string `json:"name"`
	}
	if err := a.do(ctx, http.MethodGet, r.path("tags"), nil, nil, &found); err != nil {
		return err
	}
	tags := make([]TagItem, len(found))
	for i, t := range found {
		tags[i] = TagItem{Name: t.Name, URL: r.web("tree", t.Name)}
	}
	emitList(out.Tags, out.Tag, tags)
	return nil
})
