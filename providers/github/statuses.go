package github

import (
	"context"
	"net/http"

	"agentserver/core"
)

var statusBlocks = []core.Block{createStatus}

type createStatusInput struct {
	Credentials core.APIKey `json:"credentials" doc:"Token of GitHub"`
	RepoURL     string      `json:"repo_url" placeholder:"https://github.com/owner/repo" doc:"Address of the repository, or owner/repo"`
	SHA         string      `json:"sha" doc:"Hash of the commit"`
	State       string      `json:"state" enum:"error,failure,pending,success" doc:"The status"`
	TargetURL   *string     `json:"target_url" advanced:"true" doc:"Address of the details"`
	Description *string     `json:"description" advanced:"true" doc:"A short text on the status"`
	CheckName   *string     `json:"check_name" default:"\"AutoGPT Platform Checks\"" advanced:"false" doc:"Name that tells the status from others of the commit"`
}

// defaultContext is the name of a status that has none.
const defaultContext = "AutoGPT Platform Checks"

// StatusResult is a commit status, in GitHub's form and in that of the pin.
type StatusResult struct {
	ID          int     `json:"id" doc:"Id of the status"`
	URL         string  `json:"url" doc:"Its address in the API"`
	State       string  `json:"state" doc:"The status"`
	Context     string  `json:"context" doc:"Its name"`
	Description *string `json:"description" required:"true" doc:"A short text on it"`
	TargetURL   *string `json:"target_url" required:"true" doc:"Address of the details"`
	CreatedAt   string  `json:"created_at" doc:"When it was made"`
	UpdatedAt   string  `json:"updated_at" doc:"When it was last changed"`
}

type createStatusOutput struct {
	Status core.Pin[StatusResult] `json:"status" title:"Status" doc:"The status as GitHub has it"`
}

var createStatus = core.NewBlock(core.BlockSpec{
	ID: "3d67f123-a4b5-4c89-9d01-2e34f5c67890", Name: "GithubCreateStatusBlock",
	Description: "Sets a status of a commit.",
	Categories:  developer,
	Credentials: map[string]core.CredentialsField{"credentials": {Scopes: []string{"repo:status"}}},
}, func(ctx context.Context, run *core.Run, in *createStatusInput, out *createStatusOutput) error {
	r, err := parseRepo(in.RepoURL)
	if err != nil {
		return err
	}
	sha, err := checkRef(in.SHA)
	if err != nil {
		return err
	}
	body := object{"state": in.State, "context": defaultContext}
	if in.CheckName != nil && *in.CheckName != "" {
		body["context"] = *in.CheckName
	}
	setText(body, "target_url", in.TargetURL)
	setText(body, "description", in.Description)
	var made StatusResult
	if err := newAPI(run, in.Credentials).do(ctx, http.MethodPost, r.path("statuses", sha), nil, body, &made); err != nil {
		return err
	}
	out.Status.Emit(made)
	return nil
})

// setText sets a member of a body, unless there is no text for it.
func setText(body object, name string, text *string) {
	if text != nil && *text != "" {
		body[name] = *text
	}
}
