package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

// labelBlocks put labels and people on issues and take them off.
var labelBlocks = []core.Block{addLabel, removeLabel, assignIssue, unassignIssue}

// statusOutput is the output of blocks that only report success.
type statusOutput struct {
	Status core.Pin[string] `json:"status" doc:"Says that it was done"`
}

// emit reports success, unless there was an error.
func (o statusOutput) emit(err error, done string) error {
	if err != nil {
		return err
	}
	o.Status.Emit(done)
	return nil
}

type labelInput struct {
	issueIn
	Label string `json:"label" doc:"Name of the label"`
}

var addLabel = core.NewBlock(core.BlockSpec{
	ID: "98bd6b77-9506-43d5-b669-6b9733c4b1f1", Name: "GithubAddLabelBlock",
	Description: "Puts a label on an issue or a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *labelInput, out *statusOutput) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	err = a.do(ctx, http.MethodPost, t.issue("labels"), nil, object{"labels": []string{in.Label}}, nil)
	return out.emit(err, "Label added successfully")
})

var removeLabel = core.NewBlock(core.BlockSpec{
	ID: "78f050c5-3e3a-48c0-9e5b-ef1ceca5589c", Name: "GithubRemoveLabelBlock",
	Description: "Takes a label off an issue or a pull request.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *labelInput, out *statusOutput) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	err = a.do(ctx, http.MethodDelete, t.issue("labels", in.Label), nil, nil, nil)
	return out.emit(err, "Label removed successfully")
})

type assigneeInput struct {
	issueIn
	Assignee string `json:"assignee" doc:"Name of the person's account"`
}

var assignIssue = core.NewBlock(core.BlockSpec{
	ID: "90507c72-b0ff-413a-886a-23bbbd66f542", Name: "GithubAssignIssueBlock",
	Description: "Assigns an issue or a pull request to a person.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *assigneeInput, out *statusOutput) error {
	return out.emit(in.send(ctx, run, http.MethodPost), "Issue assigned successfully")
})

var unassignIssue = core.NewBlock(core.BlockSpec{
	ID: "d154002a-38f4-46c2-962d-2488f2b05ece", Name: "GithubUnassignIssueBlock",
	Description: "Takes an issue or a pull request from a person it was assigned to.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *assigneeInput, out *statusOutput) error {
	return out.emit(in.send(ctx, run, http.MethodDelete), "Issue unassigned successfully")
})

func (in *assigneeInput) send(ctx context.Context, run *core.Run, method string) error {
	a, t, err := in.open(run)
	if err != nil {
		return err
	}
	return a.do(ctx, method, t.issue("assignees"), nil, object{"assignees": []string{in.Assignee}}, nil)
}
