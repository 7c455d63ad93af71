package server

import (
	"context"
	"net/http"

	"agentserver/core/account"
)

// adminDeletionRoutes adds what administrators do about the deletion of
// accounts.
func (a *API) adminDeletionRoutes() {
	accounts := a.platform.Accounts
	tags := []string{"v1", "admin"}

	type deleteRequest struct {
		UserID string `path:"user_id"`
		Body   *confirmation
	}
	type deletionAnswer struct{ Body *account.Deletion }
	route(a, operation{
		id: "deleteV1Delete account of user", method: http.MethodDelete, path: "/api/admin/users/{user_id}", summary: "Delete account of user",
		tags: tags, status: http.StatusAccepted,
	}, func(ctx context.Context, in *deleteRequest) (*deletionAnswer, error) {
		if err := MustAdmin(ctx); err != nil {
			return nil, err
		}
		deletion, err := accounts.DeleteConfirmed(ctx, in.UserID, Caller(ctx).UserID, in.Body.given())
		return &deletionAnswer{deletion}, err
	})

	type listRequest struct {
		Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25"`
		Cursor string `query:"cursor" doc:"next_cursor of the page before"`
		State  string `query:"state" enum:"pending,finished"`
	}
	type pageAnswer struct{ Body *account.DeletionPage }
	route(a, operation{
		id: "getV1List account deletions", method: http.MethodGet, path: "/api/admin/deletions", summary: "List account deletions", tags: tags,
	}, func(ctx context.Context, in *listRequest) (*pageAnswer, error) {
		if err := MustAdmin(ctx); err != nil {
			return nil, err
		}
		page, err := accounts.Deletions(ctx, account.DeletionFilter{Limit: in.Limit, Cursor: in.Cursor, State: account.DeletionState(in.State)})
		return &pageAnswer{page}, err
	})

	type recordRequest struct {
		ID string `path:"deletion_id"`
	}
	type recordAnswer struct{ Body *account.DeletionRecord }
	route(a, operation{
		id: "getV1Get account deletion", method: http.MethodGet, path: "/api/admin/deletions/{deletion_id}", summary: "Get account deletion", tags: tags,
	}, func(ctx context.Context, in *recordRequest) (*recordAnswer, error) {
		if err := MustAdmin(ctx); err != nil {
			return nil, err
		}
		record, err := accounts.Deletion(ctx, in.ID)
		return &recordAnswer{record}, err
	})
}
