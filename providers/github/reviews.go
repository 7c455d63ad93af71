package github

import (
	"context"
	"net/http"
	"strconv"

	"agentserver/core"
)

var reviewBlocks = []core.Block{
	createReview, listReviews, submitPendingReview,
	resolveReviewDiscussion, getReviewComments, createCommentObject,
}

// numberedPullIn is the input of blocks that work on a pull request by its number.
type numberedPullIn struct {
	credentialsIn
	Repo     string `json:"repo" placeholder:"owner/repo" doc:"The repository, as owner/repo"`
	PRNumber int    `json:"pr_number" placeholder:"123" doc:"Number of the pull request"`
}

// open gives the pull request and the API as the user's credential sees it.
func (in *numberedPullIn) open(run *core.Run) (*api, target, error) {
	r, err := parseRepo(in.Repo)
	return newAPI(run, in.Credentials), target{repo: r, kind: kindPull, number: in.PRNumber}, err
}

// review is a review as GitHub gives it.
type review struct {
	ID      int     `json:"id"`
	User    account `json:"user"`
	State   string  `json:"state"`
	Body    string  `json:"body"`
	HTMLURL string  `json:"html_url"`
}

type createReviewInput struct {
	numberedPullIn
	Body          string           `json:"body" doc:"Text of the review"`
	Event         string           `json:"event" enum:"COMMENT,APPROVE,REQUEST_CHANGES" default:"COMMENT" advanced:"true" doc:"Verdict of the review"`
	CreateAsDraft bool             `json:"create_as_draft" default:"false" advanced:"false" doc:"Whether to keep the review pending, without a verdict, until it is submitted"`
	Comments      *[]ReviewComment `json:"comments" advanced:"true" doc:"Comments on lines of the changes"`
}

// ReviewComment is a comment on a line, for a new review.
type ReviewComment struct {
	Path      string  `json:"path" default:"" doc:"Path of the file"`
	Position  *int    `json:"position" doc:"Where in the diff of the file: its first line after the first @@ is 1"`
	Body      string  `json:"body" default:"" doc:"Text of the comment"`
	Line      *int    `json:"line" doc:"Line of the file, in place of position"`
	Side      *string `json:"side" doc:"Side of the changes that the line is on: LEFT for lines that go, RIGHT for all others"`
	StartLine *int    `json:"start_line" doc:"First of several lines, of which line is the last"`
	StartSide *string `json:"start_side" doc:"Side that the first line is on"`
}

// lineComment is a comment of a new review, in GitHub's form.
type lineComment struct {
	Path      string  `json:"path"`
	Body      string  `json:"body"`
	Position  *int    `json:"position,omitempty"`
	Line      *int    `json:"line,omitempty"`
	Side      *string `json:"side,omitempty"`
	StartLine *int    `json:"start_line,omitempty"`
	StartSide *string `json:"start_side,omitempty"`
}

// wire gives the comment for GitHub, which takes a position or a line. A
// position that comes with a side or a first line is a line: comment objects
// hold it under that name.
func (c ReviewComment) wire() lineComment {
	w := lineComment{Path: c.Path, Body: c.Body}
	if c.Position != nil && c.Side == nil && c.StartLine == nil {
		w.Position = c.Position
		return w
	}
	w.Line, w.Side, w.StartLine, w.StartSide = c.Line, c.Side, c.StartLine, c.StartSide
	if w.Line == nil {
		w.Line = c.Position
	}
	return w
}

type createReviewOutput struct {
	ReviewID core.Pin[int]    `json:"review_id" doc:"Id of the review"`
	State    core.Pin[string] `json:"state" doc:"Its state, such as APPROVED or PENDING"`
	HTMLURL  core.Pin[string] `json:"html_url" doc:"Address of the review"`
}

var createReview = core.NewBlock(core.BlockSpec{
	ID: "84754b30-97d2-4c37-a3b8-eb39f268275b", Name: "GithubCreatePRReviewBlock",
	Description: "Reviews a pull request: comments, approves or asks for changes, with comments on lines.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *createReviewInput, out *createReviewOutput) error {
	a, pull, err := in.open(run)
	if err != nil {
		return err
	}
	body := object{"body": in.Body}
	if !in.CreateAsDraft {
		body["event"] = in.Event
	}
	if in.Comments != nil && len(*in.Comments) > 0 {
		head, err := pullHead(ctx, a, pull)
		if err != nil {
			return err
		}
		comments := make([]lineComment, len(*in.Comments))
		for i, c := range *in.Comments {
			comments[i] = c.wire()
		}
		body["commit_id"], body["comments"] = head, comments
	}
	var made review
	if err := a.do(ctx, http.MethodPost, pull.pull("reviews"), nil, body, &made); err != nil {
		return err
	}
	out.ReviewID.Emit(made.ID)
	out.State.Emit(made.State)
	out.HTMLURL.Emit(made.HTMLURL)
	return nil
})

// pullHead gives the newest commit of a pull request.
func pullHead(ctx context.Context, a *api, pull target) (string, error) {
	var found struct {
		Head struct {
			SHA string `json:"sha"`
		} `json:"head"`
	}
	err := a.do(ctx, http.MethodGet, pull.pull(), nil, nil, &found)
	return found.Head.SHA, err
}

// ReviewItem is a review in a list.
type ReviewItem struct {
	ID      int    `json:"id" doc:"Id of the review"`
	User    string `json:"user" doc:"Who wrote it, empty once the account is deleted"`
	State   string `json:"state" doc:"Its state, such as APPROVED"`
	Body    string `json:"body" doc:"Its text"`
	HTMLURL string `json:"html_url" doc:"Address of the review"`
}

type listReviewsOutput struct {
	Review  core.Pin[ReviewItem]   `json:"review" title:"Review" doc:"Each review in turn"`
	Reviews core.Pin[[]ReviewItem] `json:"reviews" doc:"All of them"`
}

var listReviews = core.NewBlock(core.BlockSpec{
	ID: "f79bc6eb-33c0-4099-9c0f-d664ae1ba4d0", Name: "GithubListPRReviewsBlock",
	Description: "Lists the reviews of a pull request.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *numberedPullIn, out *listReviewsOutput) error {
	a, pull, err := in.open(run)
	if err != nil {
		return err
	}
	found, err := listAll[review](ctx, a, pull.pull("reviews"), nil)
	if err != nil {
		return err
	}
	reviews := make([]ReviewItem, len(found))
	for i, f := range found {
		reviews[i] = ReviewItem{ID: f.ID, User: f.User.Login, State: f.State, Body: f.Body, HTMLURL: f.HTMLURL}
	}
	emitList(out.Reviews, out.Review, reviews)
	return nil
})

type submitReviewInput struct {
	numberedPullIn
	ReviewID int    `json:"review_id" placeholder:"123456" doc:"Id of the pending review"`
	Event    string `json:"event" enum:"COMMENT,APPROVE,REQUEST_CHANGES" default:"COMMENT" advanced:"true" doc:"Verdict of the review"`
}

type submitReviewOutput struct {
	State   core.Pin[string] `json:"state" doc:"State of the review, such as APPROVED"`
	HTMLURL core.Pin[string] `json:"html_url" doc:"Address of the review"`
}

var submitPendingReview = core.NewBlock(core.BlockSpec{
	ID: "2e468217-7ca0-4201-9553-36e93eb9357a", Name: "GithubSubmitPendingReviewBlock",
	Description: "Submits a pending review of a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *submitReviewInput, out *submitReviewOutput) error {
	a, pull, err := in.open(run)
	if err != nil {
		return err
	}
	path := pull.pull("reviews", strconv.Itoa(in.ReviewID), "events")
	var sent review
	if err := a.do(ctx, http.MethodPost, path, nil, object{"event": in.Event}, &sent); err != nil {
		return err
	}
	out.State.Emit(sent.State)
	out.HTMLURL.Emit(sent.HTMLURL)
	return nil
})
