package github

import (
	"context"
	"strconv"

	"agentserver/core"
)

type reviewCommentsInput struct {
	numberedPullIn
	ReviewID *int `json:"review_id" placeholder:"123456" advanced:"true" doc:"Id of a review, for its comments only"`
}

// CommentItem is a comment on a line of a pull request.
type CommentItem struct {
	ID          int    `json:"id" doc:"Id of the comment"`
	User        string `json:"user" doc:"Who wrote it, empty once the account is deleted"`
	Body        string `json:"body" doc:"Its text"`
	Path        string `json:"path" doc:"Path of the file"`
	Line        int    `json:"line" doc:"Line of the file, 0 when the comment is outdated"`
	Side        string `json:"side" doc:"Side of the changes: LEFT or RIGHT"`
	CreatedAt   string `json:"created_at" doc:"When it was written"`
	UpdatedAt   string `json:"updated_at" doc:"When it was last changed"`
	InReplyToID *int   `json:"in_reply_to_id" required:"true" doc:"Id of the comment that it answers, if any"`
	HTMLURL     string `json:"html_url" doc:"Address of the comment"`
}

type reviewCommentsOutput struct {
	Comment  core.Pin[CommentItem]   `json:"comment" title:"Comment" doc:"Each comment in turn"`
	Comments core.Pin[[]CommentItem] `json:"comments" doc:"All of them"`
}

var getReviewComments = core.NewBlock(core.BlockSpec{
	ID: "1d34db7f-10c1-45c1-9d43-749f743c8bd4", Name: "GithubGetPRReviewCommentsBlock",
	Description: "Lists the comments on lines of a pull request, or those of one review.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *reviewCommentsInput, out *reviewCommentsOutput) error {
	a, pull, err := in.open(run)
	if err != nil {
		return err
	}
	path := pull.pull("comments")
	if in.ReviewID != nil {
		path = pull.pull("reviews", strconv.Itoa(*in.ReviewID), "comments")
	}
	found, err := listAll[struct {
		CommentItem
		User account `json:"user"`
	}](ctx, a, path, nil)
	if err != nil {
		return err
	}
	comments := make([]CommentItem, len(found))
	for i, f := range found {
		comments[i] = f.CommentItem
		comments[i].User = f.User.Login
	}
	emitList(out.Comments, out.Comment, comments)
	return nil
})

type commentObjectInput struct {
	Path      string  `json:"path" placeholder:"src/main.py" doc:"Path of the file"`
	Body      string  `json:"body" placeholder:"Please fix this issue" doc:"Text of the comment"`
	Position  *int    `json:"position" placeholder:"6" advanced:"true" doc:"Where in the diff of the file: its first line after the first @@ is 1"`
	Line      *int    `json:"line" placeholder:"42" advanced:"true" doc:"Line of the file, used when there is no position"`
	Side      *string `json:"side" default:"\"RIGHT\"" advanced:"true" doc:"Side of the changes that the line is on: LEFT for lines that go, RIGHT for all others"`
	StartLine *int    `json:"start_line" advanced:"true" doc:"First of several lines, of which line is the last"`
	StartSide *string `json:"start_side" advanced:"true" doc:"Side that the first line is on"`
}

type commentObjectOutput struct {
	CommentObject core.Pin[object] `json:"comment_object" doc:"The comment, for the list of comments of a review"`
}

var createCommentObject = core.NewBlock(core.BlockSpec{
	ID: "b7d5e4f2-8c3a-4e6b-9f1d-7a8b9c5e4d3f", Name: "GithubCreateCommentObjectBlock",
	Description: "Makes a comment on a line, for a review of a pull request.",
	Categories:  developer,
}, func(_ context.Context, _ *core.Run, in *commentObjectInput, out *commentObjectOutput) error {
	o := object{"path": in.Path, "body": in.Body}
	switch {
	case in.Position != nil:
		o["position"] = *in.Position
	case in.Line != nil:
		o["position"] = *in.Line
	}
	if in.Side != nil && *in.Side != "" && *in.Side != "RIGHT" {
		o["side"] = *in.Side
	}
	if in.StartLine != nil {
		o["start_line"] = *in.StartLine
	}
	if in.StartSide != nil && *in.StartSide != "" {
		o["start_side"] = *in.StartSide
	}
	out.CommentObject.Emit(o)
	return nil
})
