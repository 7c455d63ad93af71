package server

import (
	"context"
	"net/http"

	"agentserver/core/execution"
)

type reviewItem struct {
	NodeExecID        string  `json:"node_exec_id" required:"true"`
	Approved          bool    `json:"approved" required:"true"`
	Message           *string `json:"message" maxLength:"2000" doc:"What the reviewer says about it"`
	ReviewedData      any     `json:"reviewed_data" doc:"Takes the place of the payload, if the review can be edited"`
	AutoApproveFuture bool    `json:"auto_approve_future" default:"false" doc:"Let the node go on without asking for the rest of the run; changes of the data do not count then"`
}

type reviewBody struct {
	Reviews []reviewItem `json:"reviews" required:"true" nullable:"false"`
}

type reviewed struct {
	ApprovedCount int     `json:"approved_count"`
	RejectedCount int     `json:"rejected_count"`
	FailedCount   int     `json:"failed_count"`
	Error         *string `json:"error"`
}

// reviewRoutes adds what people decide about runs.
func (a *API) reviewRoutes() {
	runs := a.platform.Executions
	tags := []string{"v2", "executions", "review"}

	type pageRequest struct {
		Page     int `query:"page" minimum:"1" default:"1"`
		PageSize int `query:"page_size" minimum:"1" maximum:"100" default:"25"`
	}
	type pendingAnswer struct{ Body []execution.PendingReview }
	route(a, operation{
		id: "getV2Get pending reviews", method: http.MethodGet, path: "/api/review/pending", summary: "Get pending reviews", tags: tags,
	}, func(ctx context.Context, in *pageRequest) (*pendingAnswer, error) {
		list, err := runs.PendingReviews(ctx, UserID(ctx), in.Page, in.PageSize)
		return &pendingAnswer{list}, err
	})

	type runRequest struct {
		GraphExecID string `path:"graph_exec_id"`
	}
	route(a, operation{
		id: "getV2Get pending reviews for execution", method: http.MethodGet, path: "/api/review/execution/{graph_exec_id}",
		summary: "Get pending reviews for execution", tags: tags,
	}, func(ctx context.Context, in *runRequest) (*pendingAnswer, error) {
		list, err := runs.RunReviews(ctx, UserID(ctx), in.GraphExecID)
		return &pendingAnswer{list}, err
	})

	type actionRequest struct{ Body reviewBody }
	type actionAnswer struct{ Body reviewed }
	route(a, operation{
		id: "postV2ProcessReviewAction", method: http.MethodPost, path: "/api/review/action", summary: "Process review action", tags: tags,
	}, func(ctx context.Context, in *actionRequest) (*actionAnswer, error) {
		list := make([]execution.Verdict, len(in.Body.Reviews))
		for i, r := range in.Body.Reviews {
			list[i] = execution.Verdict{
				NodeExecID: r.NodeExecID, Approved: r.Approved, Message: r.Message, Data: r.ReviewedData, AutoApprove: r.AutoApproveFuture,
			}
		}
		done, err := runs.Decide(ctx, UserID(ctx), list)
		return &actionAnswer{reviewed{ApprovedCount: done.Approved, RejectedCount: done.Rejected}}, err
	})
}
