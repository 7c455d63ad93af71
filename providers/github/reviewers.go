package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

// reviewerBlocks ask people to review pull requests.
var reviewerBlocks = []core.Block{assignReviewer, unassignReviewer, listReviewers}

type reviewerInput struct {
	pullIn
	Reviewer string `json:"reviewer" doc:"Name of the person's account"`
}

func (in *reviewerInput) send(ctx context.Context, run *core.Run, method string) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	return a.do(ctx, method, t.pull("requested_reviewers"), nil, object{"reviewers": []string{in.Reviewer}}, nil)
}

var assignReviewer = core.NewBlock(core.BlockSpec{
	ID: "c0d22c5e-e688-43e3-ba43-d5faba7927fd", Name: "GithubAssignPRReviewerBlock",
	Description: "Asks a person to review a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *reviewerInput, out *statusOutput) error {
	return out.emit(in.send(ctx, run, http.MethodPost), "Reviewer assigned successfully")
})

var unassignReviewer = core.NewBlock(core.BlockSpec{
	ID: "9637945d-c602-4875-899a-9c22f8fd30de", Name: "GithubUnassignPRReviewerBlock",
	Description: "Takes back the request that a person review a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *reviewerInput, out *statusOutput) error {
	return out.emit(in.send(ctx, run, http.MethodDelete), "Reviewer unassigned successfully")
})

// ReviewerItem is a person in a list.
type ReviewerItem struct {
	Username string `json:"username"`
	URL      string `json:"url"`
}

type listReviewersOutput struct {
	Reviewer  core.Pin[ReviewerItem]   `json:"reviewer" title:"Reviewer" doc:"Each person in turn"`
	Reviewers core.Pin[[]ReviewerItem] `json:"reviewers" doc:"All of them"`
}

var listReviewers = core.NewBlock(core.BlockSpec{
	ID: "2646956e-96d5-4754-a3df-034017e7ed96", Name: "GithubListPRReviewersBlock",
	Description: "Lists the people who were asked to review a pull request and have not yet done so. Teams are left out.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *pullIn, out *listReviewersOutput) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	var asked struct {
		Users []struct {
			Login   string `json:"login"`
			HTMLURL string `json:"html_url"`
		} `json:"users"`
	}
	if err := a.do(ctx, http.MethodGet, t.pull("requested_reviewers"), nil, nil, &asked); err != nil {
		return err
	}
	items := make([]ReviewerItem, len(asked.Users))
	for i, u := range asked.Users {
		items[i] = ReviewerItem{Username: u.Login, URL: u.HTMLURL}
	}
	out.Reviewers.Emit(items)
	for _, item := range items {
		out.Reviewer.Emit(item)
	}
	return nil
})
