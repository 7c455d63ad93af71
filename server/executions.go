package server

import (
	"context"
	"net/http"
	"strconv"

	"agentserver/core"
	"agentserver/core/execution"
)

type executeBody struct {
	Inputs            core.Values                   `json:"inputs"`
	CredentialsInputs map[string]core.CredentialRef `json:"credentials_inputs"`
	Source            *string                       `json:"source" enum:"builder,library,onboarding"`
	DryRun            bool                          `json:"dry_run"`
}

// executionRoutes adds what is about runs of a user's agents.
func (a *API) executionRoutes() {
	runs := a.platform.Executions
	tags := []string{"v1", "graphs"}

	type executeRequest struct {
		GraphID      string `path:"graph_id"`
		GraphVersion string `path:"graph_version"`
		PresetID     string `query:"preset_id"`
		Body         executeBody
	}
	type metaAnswer struct{ Body *execution.Meta }
	route(a, operation{
		id: "postV1Execute graph agent", method: http.MethodPost, path: "/api/graphs/{graph_id}/execute/{graph_version}",
		summary: "Execute graph agent", tags: tags,
	}, func(ctx context.Context, in *executeRequest) (*metaAnswer, error) {
		version, err := versionNumber(in.GraphVersion)
		if err != nil {
			return nil, err
		}
		if in.PresetID != "" {
			if _, err := a.platform.Presets.Get(ctx, UserID(ctx), in.PresetID); err != nil {
				return nil, err
			}
		}
		zone, err := a.timezone(ctx)
		if err != nil {
			return nil, err
		}
		meta, err := runs.Start(ctx, execution.StartRequest{
			UserID: UserID(ctx), GraphID: in.GraphID, GraphVersion: version, Inputs: in.Body.Inputs,
			Credentials: in.Body.CredentialsInputs, PresetID: in.PresetID, DryRun: in.Body.DryRun, Timezone: zone,
		})
		return &metaAnswer{meta}, err
	})

	type recentAnswer struct{ Body []execution.Meta }
	route(a, operation{
		id: "getV1List all executions", method: http.MethodGet, path: "/api/executions", summary: "List all executions", tags: tags,
	}, func(ctx context.Context, _ *struct{}) (*recentAnswer, error) {
		list, err := runs.Recent(ctx, UserID(ctx))
		return &recentAnswer{list}, err
	})

	type listRequest struct {
		GraphID  string `path:"graph_id"`
		Page     int    `query:"page" minimum:"1" default:"1"`
		PageSize int    `query:"page_size" minimum:"1" maximum:"100" default:"25"`
	}
	type pageAnswer struct{ Body *execution.Page }
	route(a, operation{
		id: "getV1List graph executions", method: http.MethodGet, path: "/api/graphs/{graph_id}/executions", summary: "List graph executions", tags: tags,
	}, func(ctx context.Context, in *listRequest) (*pageAnswer, error) {
		page, err := runs.List(ctx, UserID(ctx), in.GraphID, in.Page, in.PageSize)
		return &pageAnswer{page}, err
	})

	type runRequest struct {
		GraphID     string `path:"graph_id"`
		GraphExecID string `path:"graph_exec_id"`
	}
	type runAnswer struct{ Body *execution.WithNodes }
	route(a, operation{
		id: "getV1Get execution details", method: http.MethodGet, path: "/api/graphs/{graph_id}/executions/{graph_exec_id}",
		summary: "Get execution details", tags: tags,
	}, func(ctx context.Context, in *runRequest) (*runAnswer, error) {
		run, err := runs.Get(ctx, UserID(ctx), in.GraphID, in.GraphExecID)
		return &runAnswer{run}, err
	})

	route(a, operation{
		id: "postV1Stop graph execution", method: http.MethodPost, path: "/api/graphs/{graph_id}/executions/{graph_exec_id}/stop",
		summary: "Stop graph execution", tags: tags,
	}, func(ctx context.Context, in *runRequest) (*metaAnswer, error) {
		meta, err := runs.Stop(ctx, UserID(ctx), in.GraphID, in.GraphExecID)
		return &metaAnswer{meta}, err
	})

	type deleteRequest struct {
		GraphExecID string `path:"graph_exec_id"`
	}
	route(a, operation{
		id: "deleteV1Delete graph execution", method: http.MethodDelete, path: "/api/executions/{graph_exec_id}",
		summary: "Delete graph execution", tags: tags, status: http.StatusNoContent,
	}, func(ctx context.Context, in *deleteRequest) (*struct{}, error) {
		return nil, runs.Delete(ctx, UserID(ctx), in.GraphExecID)
	})
}

// versionNumber reads a version from a path.
func versionNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, &core.Error{Kind: core.Unprocessable, Message: "graph_version is not a number", Detail: []FieldError{{
			Type: "int_parsing", Loc: []any{"path", "graph_version"},
			Msg: "Input should be a valid integer, unable to parse string as an integer", Input: text,
		}}}
	}
	return n, nil
}

// timezone gives the time zone of the user that the request is about.
func (a *API) timezone(ctx context.Context) (string, error) {
	if p, _ := PrincipalOf(ctx); p.UserID != p.Caller.UserID {
		u, err := a.platform.Accounts.Get(ctx, p.UserID)
		if err != nil {
			return "", err
		}
		return u.Timezone, nil
	}
	u, err := a.platform.Accounts.Ensure(ctx, Caller(ctx))
	if err != nil {
		return "", err
	}
	return u.Timezone, nil
}
