package github

import (
	"context"
	"net/http"
	"strings"

	"agentserver/core"
)

var commentBlocks = []core.Block{comment, updateComment, listComments}

type commentInput struct {
	issueIn
	Comment string `json:"comment" doc:"Text of the comment, in Markdown"`
}

// commentOutput are the outputs of blocks that write a comment.
type commentOutput struct {
	ID  core.Pin[int]    `json:"id" doc:"Id of the comment"`
	URL core.Pin[string] `json:"url" doc:"Address of the comment"`
}

// written is what GitHub answers to a comment.
type written struct {
	ID      int    `json:"id"`
	HTMLURL string `json:"html_url"`
}

func (o commentOutput) emit(c written) {
	o.ID.Emit(c.ID)
	o.URL.Emit(c.HTMLURL)
}

var comment = core.NewBlock(core.BlockSpec{
	ID: "a8db4d8d-db1c-4a25-a1b0-416a8c33602b", Name: "GithubCommentBlock",
	Description: "Comments on an issue or a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *commentInput, out *commentOutput) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	var c written
	if err := a.do(ctx, http.MethodPost, t.issue("comments"), nil, object{"body": in.Comment}, &c); err != nil {
		return err
	}
	out.emit(c)
	return nil
})

type updateCommentInput struct {
	credentialsIn
	CommentURL string `json:"comment_url" default:"" advanced:"false" doc:"Address of the comment, as its time links to it"`
	IssueURL   string `json:"issue_url" default:"" advanced:"true" placeholder:"https://github.com/owner/repo/issues/1" doc:"Address of the issue or the pull request, together with comment_id, instead of comment_url"`
	CommentID  string `json:"comment_id" default:"" advanced:"true" placeholder:"123456789" doc:"Id of the comment"`
	Comment    string `json:"comment" doc:"The new text, in Markdown"`
}

// request gives the call that changes the comment: its method and path.
func (in *updateCommentInput) request() (method, path string, err error) {
	switch {
	case in.CommentURL != "":
		t, err := parseTarget(in.CommentURL)
		if err != nil {
			return "", "", err
		}
		return t.comment()
	case in.IssueURL == "" && in.CommentID == "":
		return "", "", core.Errorf(core.Invalid, "%s", invalidURL)
	case in.IssueURL == "" || in.CommentID == "":
		return "", "", core.Errorf(core.Invalid, "Must provide either comment_url or comment_id and issue_url")
	}
	t, err := parseTarget(in.IssueURL)
	if err != nil {
		return "", "", err
	}
	t.anchor = issueComment + strings.TrimSpace(in.CommentID)
	return t.comment()
}

// reviewAnchor is the fragment of the text of a whole review, before its id.
const reviewAnchor = "pullrequestreview-"

// comment gives the call that changes the comment which the anchor names.
func (t target) comment() (method, path string, err error) {
	for _, c := range []struct {
		prefix, method string
		path           func(id string) string
	}{
		{issueComment, http.MethodPatch, func(id string) string { return t.path("issues", "comments", id) }},
		{reviewComment, http.MethodPatch, func(id string) string { return t.path("pulls", "comments", id) }},
		{reviewAnchor, http.MethodPut, func(id string) string { return t.pull("reviews", id) }},
	} {
		id, ok := strings.CutPrefix(t.anchor, c.prefix)
		if !ok || !digits.MatchString(id) || c.prefix == reviewAnchor && t.kind != kindPull {
			continue
		}
		return c.method, c.path(id), nil
	}
	return "", "", core.Errorf(core.Invalid, "%s It does not name a comment, such as https://github.com/owner/repo/issues/1#issuecomment-123456789", invalidURL)
}

var updateComment = core.NewBlock(core.BlockSpec{
	ID: "b3f4d747-10e3-4e69-8c51-f2be1d99c9a7", Name: "GithubUpdateCommentBlock",
	Description: "Replaces the text of a comment on an issue or a pull request, of one on its changes, or of a review.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *updateCommentInput, out *commentOutput) error {
	method, path, err := in.request()
	if err != nil {
		return err
	}
	var c written
	if err := newAPI(run, in.Credentials).do(ctx, method, path, nil, object{"body": in.Comment}, &c); err != nil {
		return err
	}
	out.emit(c)
	return nil
})

// IssueComment is a comment in a list.
type IssueComment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	User string `json:"user"`
	URL  string `json:"url"`
}

type listCommentsOutput struct {
	Comment  core.Pin[IssueComment]   `json:"comment" title:"Comment" doc:"Each comment in turn"`
	Comments core.Pin[[]IssueComment] `json:"comments" doc:"All of them"`
}

var listComments = core.NewBlock(core.BlockSpec{
	ID: "c4b5fb63-0005-4a11-b35a-0c2467bd6b59", Name: "GithubListCommentsBlock",
	Description: "Lists the comments on an issue or a pull request, oldest first.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *issueIn, out *listCommentsOutput) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	list, err := listAll[struct {
		written
		Body string  `json:"body"`
		User account `json:"user"`
	}](ctx, a, t.issue("comments"), nil)
	if err != nil {
		return err
	}
	items := make([]IssueComment, len(list))
	for i, c := range list {
		items[i] = IssueComment{ID: c.ID, Body: c.Body, User: c.User.Login, URL: c.HTMLURL}
		out.Comment.Emit(items[i])
	}
	out.Comments.Emit(items)
	return nil
})
