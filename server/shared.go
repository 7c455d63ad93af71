package server

import (
	"context"
	"net/http"

	"agentserver/core/execution"
)

type shareBody struct{}

// sharedRoutes adds the sharing of runs by link.
func (a *API) sharedRoutes() {
	runs := a.platform.Executions
	tags := []string{"v1"}

	type shareRequest struct {
		GraphID     string `path:"graph_id"`
		GraphExecID string `path:"graph_exec_id"`
		Body        *shareBody
	}
	type linkAnswer struct{ Body *execution.ShareLink }
	route(a, operation{
		id: "postV1EnableExecutionSharing", method: http.MethodPost, path: "/api/graphs/{graph_id}/executions/{graph_exec_id}/share",
		summary: "Enable execution sharing", tags: tags,
	}, func(ctx context.Context, in *shareRequest) (*linkAnswer, error) {
		link, err := runs.Share(ctx, UserID(ctx), in.GraphID, in.GraphExecID)
		return &linkAnswer{link}, err
	})

	type unshareRequest struct {
		GraphID     string `path:"graph_id"`
		GraphExecID string `path:"graph_exec_id"`
	}
	route(a, operation{
		id: "deleteV1DisableExecutionSharing", method: http.MethodDelete, path: "/api/graphs/{graph_id}/executions/{graph_exec_id}/share",
		summary: "Disable execution sharing", tags: tags, status: http.StatusNoContent,
	}, func(ctx context.Context, in *unshareRequest) (*struct{}, error) {
		return nil, runs.Unshare(ctx, UserID(ctx), in.GraphID, in.GraphExecID)
	})

	type sharedRequest struct {
		ShareToken string `path:"share_token" pattern:"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"`
	}
	type sharedAnswer struct{ Body *execution.Shared }
	route(a, operation{
		id: "getV1GetSharedExecution", method: http.MethodGet, path: "/api/public/shared/{share_token}",
		summary: "Get shared execution", tags: tags, access: anyone,
	}, func(ctx context.Context, in *sharedRequest) (*sharedAnswer, error) {
		shared, err := runs.Shared(ctx, in.ShareToken)
		return &sharedAnswer{shared}, err
	})
}
