package server

import (
	"context"
	"net/http"

	"agentserver/core/managed"
)

// managedRoutes adds what administrators do about the credentials that the
// platform provisions.
func (a *API) managedRoutes() {
	tags := []string{"v1", "admin", "integrations"}

	type listRequest struct {
		UserID   string `query:"user_id" doc:"Only this user"`
		Provider string `query:"provider" doc:"Only this provider"`
		Open     bool   `query:"open" doc:"Only those with something under way or given up"`
		AfterID  string `query:"after_user" doc:"User of the last entry of the page before"`
		After    string `query:"after_provider" doc:"Provider of that entry"`
		Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most entries to give"`
	}
	type listBody struct {
		Managed []managed.Entry `json:"managed"`
	}
	type listAnswer struct{ Body listBody }
	route(a, operation{
		id: "getV1ListManagedCredentials", method: http.MethodGet, path: "/api/admin/managed", summary: "List managed credentials", tags: tags,
	}, func(ctx context.Context, in *listRequest) (*listAnswer, error) {
		if err := MustAdmin(ctx); err != nil {
			return nil, err
		}
		list, err := a.platform.Managed.List(ctx, managed.Filter{
			UserID: in.UserID, Provider: in.Provider, Open: in.Open, Limit: in.Limit,
			After: managed.Entry{UserID: in.AfterID, Provider: in.After},
		})
		return &listAnswer{listBody{list}}, err
	})

	type oneRequest struct {
		UserID   string `path:"user_id"`
		Provider string `path:"provider"`
	}
	type rotateAnswer struct{ Body managed.Rotation }
	route(a, operation{
		id: "postV1RotateManagedCredential", method: http.MethodPost, path: "/api/admin/managed/{user_id}/{provider}/rotate",
		summary: "Rotate a managed credential", tags: tags,
	}, func(ctx context.Context, in *oneRequest) (*rotateAnswer, error) {
		if err := a.orders(ctx, "rotate", in.UserID, in.Provider); err != nil {
			return nil, err
		}
		rotation, err := a.platform.Managed.Rotate(ctx, in.UserID, in.Provider)
		return &rotateAnswer{rotation}, err
	})

	type acceptedBody struct {
		Accepted bool `json:"accepted"`
	}
	type acceptedAnswer struct{ Body acceptedBody }
	for _, o := range []struct {
		id, name, summary string
		do                func(ctx context.Context, userID, provider string) error
	}{
		{"postV1RetryManagedCredential", "retry", "Retry a managed credential now", a.platform.Managed.Retry},
		{"postV1RevokeManagedCredential", "revoke", "Revoke a managed credential", a.platform.Managed.Revoke},
	} {
		route(a, operation{
			id: o.id, method: http.MethodPost, path: "/api/admin/managed/{user_id}/{provider}/" + o.name, summary: o.summary, tags: tags,
			status: http.StatusAccepted,
		}, func(ctx context.Context, in *oneRequest) (*acceptedAnswer, error) {
			if err := a.orders(ctx, o.name, in.UserID, in.Provider); err != nil {
				return nil, err
			}
			return &acceptedAnswer{acceptedBody{true}}, o.do(ctx, in.UserID, in.Provider)
		})
	}
}

// orders lets administrators through, and notes what they do to whom.
func (a *API) orders(ctx context.Context, what, userID, provider string) error {
	if err := MustAdmin(ctx); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "administrator looks after a managed credential", "id", RequestID(ctx),
		"admin", Caller(ctx).UserID, "does", what, "user", userID, "provider", provider)
	return nil
}
