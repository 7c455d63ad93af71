package github

import (
	"context"
	"strconv"

	"agentserver/core"
)

type resolveInput struct {
	numberedPullIn
	CommentID int  `json:"comment_id" placeholder:"123456" doc:"Id of a comment of the discussion"`
	Resolve   bool `json:"resolve" default:"true" advanced:"true" doc:"Whether to resolve the discussion or to open it again"`
}

type resolveOutput struct {
	Success core.Pin[bool] `json:"success" doc:"Whether it was done"`
}

var resolveReviewDiscussion = core.NewBlock(core.BlockSpec{
	ID: "b4b8a38c-95ae-4c91-9ef8-c2cffaf2b5d1", Name: "GithubResolveReviewDiscussionBlock",
	Description: "Resolves a discussion of a pull request, or opens it again.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *resolveInput, out *resolveOutput) error {
	a, pull, err := in.open(run)
	if err == nil {
		err = resolveThread(ctx, a, pull, in.CommentID, in.Resolve)
	}
	out.Success.Emit(err == nil)
	return err
})

const (
	resolveMutation = `mutation($thread: ID!) {
  resolveReviewThread(input: {threadId: $thread}) { thread { isResolved } }
}`
	unresolveMutation = `mutation($thread: ID!) {
  unresolveReviewThread(input: {threadId: $thread}) { thread { isResolved } }
}`
)

func resolveThread(ctx context.Context, a *api, pull target, comment int, resolve bool) error {
	thread, err := threadOf(ctx, a, pull, comment)
	if err != nil {
		return err
	}
	mutation := resolveMutation
	if !resolve {
		mutation = unresolveMutation
	}
	return a.graphql(ctx, mutation, object{"thread": thread}, nil)
}

// threadsQuery asks for the ids that the REST API has for comments. Those of
// today do not fit the older databaseId.
const threadsQuery = `query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        nodes { id comments(first: 100) { nodes { fullDatabaseId } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`

type reviewThread struct {
	ID       string `json:"id"`
	Comments struct {
		Nodes []struct {
			FullDatabaseID string `json:"fullDatabaseId"`
		} `json:"nodes"`
	} `json:"comments"`
}

// threadOf gives the id of the discussion that a comment is in. It looks at the
// first hundred comments of every discussion.
func threadOf(ctx context.Context, a *api, pull target, comment int) (string, error) {
	id := strconv.Itoa(comment)
	var after any
	for range maxPages {
		var page struct {
			Repository struct {
				PullRequest struct {
					ReviewThreads struct {
						Nodes    []reviewThread `json:"nodes"`
						PageInfo pageInfo       `json:"pageInfo"`
					} `json:"reviewThreads"`
				} `json:"pullRequest"`
			} `json:"repository"`
		}
		variables := object{"owner": pull.owner, "name": pull.name, "number": pull.number, "after": after}
		if err := a.graphql(ctx, threadsQuery, variables, &page); err != nil {
			return "", err
		}
		threads := page.Repository.PullRequest.ReviewThreads
		for _, t := range threads.Nodes {
			for _, c := range t.Comments.Nodes {
				if c.FullDatabaseID == id {
					return t.ID, nil
				}
			}
		}
		if !threads.PageInfo.HasNextPage {
			break
		}
		after = threads.PageInfo.EndCursor
	}
	return "", core.Errorf(core.NotFound, "Comment %d not found in pull request", comment)
}
