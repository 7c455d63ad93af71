package server

import (
	"context"
	"net/http"

	"agentserver/core/account"
)

// confirmation is what a request to delete an account must say.
type confirmation struct {
	Confirm string `json:"confirm" doc:"E-mail address of the account"`
}

// given reads a body that may be missing.
func (c *confirmation) given() string {
	if c == nil {
		return ""
	}
	return c.Confirm
}

// accountDeletionRoutes adds the deletion of the caller's own account.
func (a *API) accountDeletionRoutes() {
	type deleteRequest struct {
		Body *confirmation
	}
	type deletionAnswer struct{ Body *account.Deletion }
	route(a, operation{
		id: "deleteV1Delete user account", method: http.MethodDelete, path: "/api/auth/user", summary: "Delete user account",
		tags: []string{"v1", "auth"}, access: asLeaver, status: http.StatusAccepted,
	}, func(ctx context.Context, in *deleteRequest) (*deletionAnswer, error) {
		deletion, err := a.platform.Accounts.DeleteConfirmed(ctx, UserID(ctx), UserID(ctx), in.Body.given())
		return &deletionAnswer{deletion}, err
	})
}
