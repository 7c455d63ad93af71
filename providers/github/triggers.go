package github

import (
	"context"

	"agentserver/core"
)

var triggerBlocks = []core.Block{pullTrigger, starTrigger, releaseTrigger, issuesTrigger, discussionTrigger}

// triggerIn is the input of every trigger. E has a boolean for each action.
type triggerIn[E any] struct {
	credentialsIn
	Repo    string  `json:"repo" placeholder:"{owner}/{repo}" doc:"Repository to watch, as owner/repo. The account must be an owner or an administrator of it"`
	Payload payload `json:"payload" factory:"{}" advanced:"true" hidden:"true" doc:"What GitHub sent"`
	Events  E       `json:"events" title:"Events" doc:"What starts the agent"`
}

// triggerOut are the outputs that every trigger has, before its own.
type triggerOut struct {
	Payload         core.Pin[object] `json:"payload" doc:"All that GitHub sent"`
	TriggeredByUser core.Pin[object] `json:"triggered_by_user" doc:"Account of the person who did it"`
}

func (o triggerOut) emit(p payload) {
	o.Payload.Emit(p)
	o.TriggeredByUser.Emit(p.object("sender"))
}

// trigger makes a trigger for one of GitHub's events.
func trigger[E, Out any](id, name, event, description string, run func(p payload, out *Out)) core.Block {
	return core.NewBlock(core.BlockSpec{
		ID: id, Name: name, Description: description,
		Categories:  []core.Category{core.CategoryDeveloper, core.CategoryInput},
		Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
		Webhook: &core.WebhookConfig{
			Provider: "github", Type: webhookType, Resource: "{repo}",
			EventFilter: "events", EventFormat: event + ".{event}",
		},
	}, func(_ context.Context, _ *core.Run, in *triggerIn[E], out *Out) error {
		run(in.Payload, out)
		return nil
	})
}

// payload is what GitHub sent. What is missing in it or null is the zero value
// of what is asked for.
type payload map[string]any

// JSONSchema implements [core.Schemer].
func (payload) JSONSchema() *core.Object {
	return core.NewObject("additionalProperties", true, "type", "object")
}

func (p payload) object(name string) payload {
	if o, ok := p[name].(map[string]any); ok {
		return o
	}
	return payload{}
}

func (p payload) text(name string) string {
	text, _ := p[name].(string)
	return text
}

func (p payload) integer(name string) int {
	n, _ := core.Number(p[name])
	return int(n)
}

func (p payload) flag(name string) bool {
	yes, _ := p[name].(bool)
	return yes
}

func (p payload) list(name string) []any {
	if list, ok := p[name].([]any); ok {
		return list
	}
	return []any{}
}

type pullEvents struct {
	Opened               bool `json:"opened" default:"false"`
	Edited               bool `json:"edited" default:"false"`
	Closed               bool `json:"closed" default:"false"`
	Reopened             bool `json:"reopened" default:"false"`
	Synchronize          bool `json:"synchronize" default:"false"`
	Assigned             bool `json:"assigned" default:"false"`
	Unassigned           bool `json:"unassigned" default:"false"`
	Labeled              bool `json:"labeled" default:"false"`
	Unlabeled            bool `json:"unlabeled" default:"false"`
	ConvertedToDraft     bool `json:"converted_to_draft" default:"false"`
	Locked               bool `json:"locked" default:"false"`
	Unlocked             bool `json:"unlocked" default:"false"`
	Enqueued             bool `json:"enqueued" default:"false"`
	Dequeued             bool `json:"dequeued" default:"false"`
	Milestoned           bool `json:"milestoned" default:"false"`
	Demilestoned         bool `json:"demilestoned" default:"false"`
	ReadyForReview       bool `json:"ready_for_review" default:"false"`
	ReviewRequested      bool `json:"review_requested" default:"false"`
	ReviewRequestRemoved bool `json:"review_request_removed" default:"false"`
	AutoMergeEnabled     bool `json:"auto_merge_enabled" default:"false"`
	AutoMergeDisabled    bool `json:"auto_merge_disabled" default:"false"`
}

type pullTriggerOut struct {
	triggerOut
	Event          core.Pin[string] `json:"event" doc:"What happened, such as opened"`
	Number         core.Pin[int]    `json:"number" doc:"Number of the pull request"`
	PullRequest    core.Pin[object] `json:"pull_request" doc:"The whole pull request"`
	PullRequestURL core.Pin[string] `json:"pull_request_url" doc:"Address of its page"`
}

var pullTrigger = trigger[pullEvents](
	"6c60ec01-8128-419e-988f-96a063ee2fea", "GithubPullRequestTriggerBlock", "pull_request",
	"Starts the agent when something happens to a pull request of a repository.",
	func(p payload, out *pullTriggerOut) {
		pull := p.object("pull_request")
		out.emit(p)
		out.Event.Emit(p.text("action"))
		out.Number.Emit(p.integer("number"))
		out.PullRequest.Emit(pull)
		out.PullRequestURL.Emit(pull.text("html_url"))
	})

type starEvents struct {
	Created bool `json:"created" default:"false"`
	Deleted bool `json:"deleted" default:"false"`
}

type starTriggerOut struct {
	triggerOut
	Event           core.Pin[string] `json:"event" doc:"What happened: created or deleted"`
	StarredAt       core.Pin[string] `json:"starred_at" doc:"When the star was given; empty when it was taken back"`
	StargazersCount core.Pin[int]    `json:"stargazers_count" doc:"How many stars the repository has"`
	RepositoryName  core.Pin[string] `json:"repository_name" doc:"The repository, as owner/repo"`
	RepositoryURL   core.Pin[string] `json:"repository_url" doc:"Address of its page"`
}

var starTrigger = trigger[starEvents](
	"551e0a35-100b-49b7-89b8-3031322239b6", "GithubStarTriggerBlock", "star",
	"Starts the agent when a repository gets a star, or loses one.",
	func(p payload, out *starTriggerOut) {
		repository := p.object("repository")
		out.emit(p)
		out.Event.Emit(p.text("action"))
		out.StarredAt.Emit(p.text("starred_at"))
		out.StargazersCount.Emit(repository.integer("stargazers_count"))
		out.RepositoryName.Emit(repository.text("full_name"))
		out.RepositoryURL.Emit(repository.text("html_url"))
	})

type releaseEvents struct {
	Published   bool `json:"published" default:"false"`
	Unpublished bool `json:"unpublished" default:"false"`
	Created     bool `json:"created" default:"false"`
	Edited      bool `json:"edited" default:"false"`
	Deleted     bool `json:"deleted" default:"false"`
	Prereleased bool `json:"prereleased" default:"false"`
	Released    bool `json:"released" default:"false"`
}

type releaseTriggerOut struct {
	triggerOut
	Event       core.Pin[string] `json:"event" doc:"What happened, such as published"`
	Release     core.Pin[object] `json:"release" doc:"The whole release"`
	ReleaseURL  core.Pin[string] `json:"release_url" doc:"Address of its page"`
	TagName     core.Pin[string] `json:"tag_name" doc:"Its tag, such as v1.0.0"`
	ReleaseName core.Pin[string] `json:"release_name" doc:"Its name"`
	Body        core.Pin[string] `json:"body" doc:"Its notes, in Markdown"`
	Prerelease  core.Pin[bool]   `json:"prerelease" doc:"Whether it is a prerelease"`
	Draft       core.Pin[bool]   `json:"draft" doc:"Whether it is a draft"`
	Assets      core.Pin[[]any]  `json:"assets" doc:"Its files"`
}

var releaseTrigger = trigger[releaseEvents](
	"2052dd1b-74e1-46ac-9c87-c7a0e057b60b", "GithubReleaseTriggerBlock", "release",
	"Starts the agent when something happens to a release of a repository.",
	func(p payload, out *releaseTriggerOut) {
		release := p.object("release")
		out.emit(p)
		out.Event.Emit(p.text("action"))
		out.Release.Emit(release)
		out.ReleaseURL.Emit(release.text("html_url"))
		out.TagName.Emit(release.text("tag_name"))
		out.ReleaseName.Emit(release.text("name"))
		out.Body.Emit(release.text("body"))
		out.Prerelease.Emit(release.flag("prerelease"))
		out.Draft.Emit(release.flag("draft"))
		out.Assets.Emit(release.list("assets"))
	})

type issueEvents struct {
	Opened       bool `json:"opened" default:"false"`
	Edited       bool `json:"edited" default:"false"`
	Deleted      bool `json:"deleted" default:"false"`
	Closed       bool `json:"closed" default:"false"`
	Reopened     bool `json:"reopened" default:"false"`
	Assigned     bool `json:"assigned" default:"false"`
	Unassigned   bool `json:"unassigned" default:"false"`
	Labeled      bool `json:"labeled" default:"false"`
	Unlabeled    bool `json:"unlabeled" default:"false"`
	Locked       bool `json:"locked" default:"false"`
	Unlocked     bool `json:"unlocked" default:"false"`
	Transferred  bool `json:"transferred" default:"false"`
	Milestoned   bool `json:"milestoned" default:"false"`
	Demilestoned bool `json:"demilestoned" default:"false"`
	Pinned       bool `json:"pinned" default:"false"`
	Unpinned     bool `json:"unpinned" default:"false"`
}

type issuesTriggerOut struct {
	triggerOut
	Event      core.Pin[string] `json:"event" doc:"What happened, such as opened"`
	Number     core.Pin[int]    `json:"number" doc:"Number of the issue"`
	Issue      core.Pin[object] `json:"issue" doc:"The whole issue"`
	IssueURL   core.Pin[string] `json:"issue_url" doc:"Address of its page"`
	IssueTitle core.Pin[string] `json:"issue_title" doc:"Its title"`
	IssueBody  core.Pin[string] `json:"issue_body" doc:"Its text, in Markdown"`
	Labels     core.Pin[[]any]  `json:"labels" doc:"Its labels"`
	Assignees  core.Pin[[]any]  `json:"assignees" doc:"Whom it is assigned to"`
	State      core.Pin[string] `json:"state" doc:"Whether it is open or closed"`
}

var issuesTrigger = trigger[issueEvents](
	"b2605464-e486-4bf4-aad3-d8a213c8a48a", "GithubIssuesTriggerBlock", "issues",
	"Starts the agent when something happens to an issue of a repository.",
	func(p payload, out *issuesTriggerOut) {
		issue := p.object("issue")
		out.emit(p)
		out.Event.Emit(p.text("action"))
		out.Number.Emit(issue.integer("number"))
		out.Issue.Emit(issue)
		out.IssueURL.Emit(issue.text("html_url"))
		out.IssueTitle.Emit(issue.text("title"))
		out.IssueBody.Emit(issue.text("body"))
		out.Labels.Emit(issue.list("labels"))
		out.Assignees.Emit(issue.list("assignees"))
		out.State.Emit(issue.text("state"))
	})

type discussionEvents struct {
	Created         bool `json:"created" default:"false"`
	Edited          bool `json:"edited" default:"false"`
	Deleted         bool `json:"deleted" default:"false"`
	Answered        bool `json:"answered" default:"false"`
	Unanswered      bool `json:"unanswered" default:"false"`
	Labeled         bool `json:"labeled" default:"false"`
	Unlabeled       bool `json:"unlabeled" default:"false"`
	Locked          bool `json:"locked" default:"false"`
	Unlocked        bool `json:"unlocked" default:"false"`
	CategoryChanged bool `json:"category_changed" default:"false"`
	Transferred     bool `json:"transferred" default:"false"`
	Pinned          bool `json:"pinned" default:"false"`
	Unpinned        bool `json:"unpinned" default:"false"`
}

type discussionTriggerOut struct {
	triggerOut
	Event         core.Pin[string] `json:"event" doc:"What happened, such as created"`
	Number        core.Pin[int]    `json:"number" doc:"Number of the discussion"`
	Discussion    core.Pin[object] `json:"discussion" doc:"The whole discussion"`
	DiscussionURL core.Pin[string] `json:"discussion_url" doc:"Address of its page"`
	Title         core.Pin[string] `json:"title" doc:"Its title"`
	Body          core.Pin[string] `json:"body" doc:"Its text, in Markdown"`
	Category      core.Pin[object] `json:"category" doc:"Its category"`
	CategoryName  core.Pin[string] `json:"category_name" doc:"Name of that"`
	State         core.Pin[string] `json:"state" doc:"Its state, such as open"`
}

var discussionTrigger = trigger[discussionEvents](
	"87f847b3-d81a-424e-8e89-acadb5c9d52b", "GithubDiscussionTriggerBlock", "discussion",
	"Starts the agent when something happens to a discussion of a repository.",
	func(p payload, out *discussionTriggerOut) {
		discussion := p.object("discussion")
		category := discussion.object("category")
		out.emit(p)
		out.Event.Emit(p.text("action"))
		out.Number.Emit(discussion.integer("number"))
		out.Discussion.Emit(discussion)
		out.DiscussionURL.Emit(discussion.text("html_url"))
		out.Title.Emit(discussion.text("title"))
		out.Body.Emit(discussion.text("body"))
		out.Category.Emit(category)
		out.CategoryName.Emit(category.text("name"))
		out.State.Emit(discussion.text("state"))
	})
