package server

import (
	"context"
	"net/http"

	"agentserver/core/credential"
)

// deletedCredential is the answer to a deletion. Revoked is null where there is
// nothing to revoke at the vendor.
type deletedCredential struct {
	Deleted bool  `json:"deleted"`
	Revoked *bool `json:"revoked"`
}

// credentialRoutes adds the credentials of users.
func (a *API) credentialRoutes() {
	credentials := a.platform.Credentials
	tags := []string{"v1", "integrations"}

	type listAnswer struct{ Body []credential.Meta }
	type metaAnswer struct{ Body credential.Meta }
	route(a, operation{
		id: "getV1List credentials", method: http.MethodGet, path: "/api/integrations/credentials", summary: "List credentials", tags: tags,
	}, func(ctx context.Context, _ *struct{}) (*listAnswer, error) {
		list, err := credentials.List(ctx, UserID(ctx))
		return &listAnswer{list}, err
	})

	type providerRequest struct {
		Provider string `path:"provider"`
	}
	route(a, operation{
		id: "getV1ListCredentialsByProvider", method: http.MethodGet, path: "/api/integrations/{provider}/credentials",
		summary: "List credentials by provider", tags: tags,
	}, func(ctx context.Context, in *providerRequest) (*listAnswer, error) {
		list, err := credentials.ListProvider(ctx, UserID(ctx), in.Provider)
		return &listAnswer{list}, err
	})

	type oneRequest struct {
		Provider string `path:"provider"`
		ID       string `path:"cred_id"`
	}
	route(a, operation{
		id: "getV1Get specific credential by id", method: http.MethodGet, path: "/api/integrations/{provider}/credentials/{cred_id}",
		summary: "Get specific credential by ID", tags: tags,
	}, func(ctx context.Context, in *oneRequest) (*metaAnswer, error) {
		meta, err := credentials.Meta(ctx, UserID(ctx), in.Provider, in.ID)
		return &metaAnswer{meta}, err
	})

	type createRequest struct {
		Provider string `path:"provider"`
		Body     credential.Input
	}
	route(a, operation{
		id: "postV1Create credentials", method: http.MethodPost, path: "/api/integrations/{provider}/credentials",
		summary: "Create Credentials", tags: tags, status: http.StatusCreated,
	}, func(ctx context.Context, in *createRequest) (*metaAnswer, error) {
		meta, err := credentials.Create(ctx, UserID(ctx), in.Provider, in.Body)
		return &metaAnswer{meta}, err
	})

	type deleteRequest struct {
		Provider string `path:"provider"`
		ID       string `path:"cred_id"`
		Force    bool   `query:"force" default:"false" doc:"Delete even if webhooks still use the credential"`
	}
	type deleteAnswer struct{ Body deletedCredential }
	route(a, operation{
		id: "deleteV1DeleteCredentials", method: http.MethodDelete, path: "/api/integrations/{provider}/credentials/{cred_id}",
		summary: "Delete credentials", tags: tags,
	}, func(ctx context.Context, in *deleteRequest) (*deleteAnswer, error) {
		return &deleteAnswer{deletedCredential{Deleted: true}}, credentials.Delete(ctx, UserID(ctx), in.Provider, in.ID)
	})
}
