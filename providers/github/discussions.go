package github

import (
	"context"

	"agentserver/core"
)

var discussionBlocks = []core.Block{listDiscussions}

type listDiscussionsInput struct {
	repoIn
	Count int `json:"num_discussions" default:"5" advanced:"true" doc:"Most discussions to give"`
}

// DiscussionItem is a discussion in a list.
type DiscussionItem struct {
	Title string `json:"title" doc:"Title of the discussion"`
	URL   string `json:"url" doc:"Address of its page"`
}

type listDiscussionsOutput struct {
	Discussion  core.Pin[DiscussionItem]   `json:"discussion" title:"Discussion" doc:"Each discussion in turn"`
	Discussions core.Pin[[]DiscussionItem] `json:"discussions" doc:"All of them"`
}

const discussionsQuery = `query($owner: String!, $name: String!, $count: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    discussions(first: $count, after: $after) {
      nodes { title url }
      pageInfo { hasNextPage endCursor }
    }
  }
}`

// pageInfo says whether and where a list of the GraphQL API goes on.
type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

var listDiscussions = core.NewBlock(core.BlockSpec{
	ID: "3ef1a419-3d76-4e07-b761-de9dad4d51d7", Name: "GithubListDiscussionsBlock",
	Description: "Lists the discussions of a repository.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *listDiscussionsInput, out *listDiscussionsOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	list := []DiscussionItem{}
	var after any
	for len(list) < in.Count {
		var page struct {
			Repository struct {
				Discussions struct {
					Nodes    []DiscussionItem `json:"nodes"`
					PageInfo pageInfo         `json:"pageInfo"`
				} `json:"discussions"`
			} `json:"repository"`
		}
		variables := object{
			"owner": r.owner, "name": r.name, "count": min(in.Count-len(list), pageSize), "after": after,
		}
		if err := a.graphql(ctx, discussionsQuery, variables, &page); err != nil {
			return err
		}
		found := page.Repository.Discussions
		list = append(list, found.Nodes...)
		if !found.PageInfo.HasNextPage || len(found.Nodes) == 0 {
			break
		}
		after = found.PageInfo.EndCursor
	}
	emitList(out.Discussions, out.Discussion, list)
	return nil
})
