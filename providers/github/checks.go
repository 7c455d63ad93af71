package github

import (
	"context"
	"net/http"
	"strconv"

	"agentserver/core"
)

var checkBlocks = []core.Block{createCheckRun, updateCheckRun}

type createCheckRunInput struct {
	repoIn
	Name          string  `json:"name" doc:"Name of the check"`
	HeadSHA       string  `json:"head_sha" doc:"Hash of the commit"`
	Status        string  `json:"status" enum:"queued,in_progress,completed,waiting,requested,pending" default:"queued" advanced:"true" doc:"How far the check is"`
	Conclusion    *string `json:"conclusion" enum:"success,failure,neutral,cancelled,timed_out,action_required,skipped" advanced:"true" doc:"How it ended, once it is completed"`
	DetailsURL    string  `json:"details_url" default:"" advanced:"true" doc:"Address of the details"`
	OutputTitle   string  `json:"output_title" default:"" advanced:"true" doc:"Title of the report"`
	OutputSummary string  `json:"output_summary" default:"" advanced:"true" doc:"Summary of the report"`
	OutputText    string  `json:"output_text" default:"" advanced:"true" doc:"Text of the report"`
}

// CheckRunResult is a check run that was written.
type CheckRunResult struct {
	ID      int    `json:"id" doc:"Id of the check run"`
	HTMLURL string `json:"html_url" doc:"Address of its page"`
	Status  string `json:"status" doc:"How far it is"`
}

type createCheckRunOutput struct {
	CheckRun core.Pin[CheckRunResult] `json:"check_run" title:"Check Run" doc:"The new check run"`
}

var createCheckRun = core.NewBlock(core.BlockSpec{
	ID: "2f45e89a-3b7d-4f22-b89e-6c4f5c7e1234", Name: "GithubCreateCheckRunBlock",
	Description: "Creates a check run of a commit. GitHub takes it from GitHub Apps only: the key must be an installation access token.",
	Categories:  developer, Credentials: needs("repo:status"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *createCheckRunInput, out *createCheckRunOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	body := object{"name": in.Name, "head_sha": in.HeadSHA, "status": in.Status}
	setText(body, "conclusion", in.Conclusion)
	setText(body, "details_url", &in.DetailsURL)
	setReport(body, in.OutputTitle, in.OutputSummary, in.OutputText)
	var made CheckRunResult
	if err := a.do(ctx, http.MethodPost, r.path("check-runs"), nil, body, &made); err != nil {
		return err
	}
	out.CheckRun.Emit(made)
	return nil
})

// setReport sets the report of a check run, if there is anything in it.
func setReport(body object, title, summary, text string) {
	if title != "" || summary != "" || text != "" {
		body["output"] = object{"title": title, "summary": summary, "text": text}
	}
}

type updateCheckRunInput struct {
	repoIn
	CheckRunID    int     `json:"check_run_id" doc:"Id of the check run"`
	Status        string  `json:"status" enum:"queued,in_progress,completed,waiting,requested,pending" doc:"How far the check is"`
	Conclusion    string  `json:"conclusion" enum:"success,failure,neutral,cancelled,timed_out,action_required,skipped" doc:"How it ended"`
	OutputTitle   *string `json:"output_title" advanced:"true" doc:"Title of the report"`
	OutputSummary *string `json:"output_summary" advanced:"true" doc:"Summary of the report"`
	OutputText    *string `json:"output_text" advanced:"true" doc:"Text of the report"`
}

// EndedCheckRun is one with how it ended.
type EndedCheckRun struct {
	CheckRunResult
	Conclusion *string `json:"conclusion" required:"true" doc:"How it ended"`
}

type updateCheckRunOutput struct {
	CheckRun core.Pin[EndedCheckRun] `json:"check_run" title:"Check Run" doc:"The check run as GitHub has it now"`
}

var updateCheckRun = core.NewBlock(core.BlockSpec{
	ID: "8a23c567-9d01-4e56-b789-0c12d3e45678", Name: "GithubUpdateCheckRunBlock",
	Description: "Changes a check run of a commit. GitHub takes it from GitHub Apps only: the key must be an installation access token.",
	Categories:  developer, Credentials: needs("repo:status"),
}, func(ctx context.Context, run *core.Run, in *updateCheckRunInput, out *updateCheckRunOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	body := object{"status": in.Status, "conclusion": in.Conclusion}
	setReport(body, textOf(in.OutputTitle), textOf(in.OutputSummary), textOf(in.OutputText))
	var changed EndedCheckRun
	path := r.path("check-runs", strconv.Itoa(in.CheckRunID))
	if err := a.do(ctx, http.MethodPatch, path, nil, body, &changed); err != nil {
		return err
	}
	out.CheckRun.Emit(changed)
	return nil
})

// textOf gives a text, "" for none.
func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
