package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"agentserver/core"
	"agentserver/core/credential"
)

// deletedCredential is the answer to a deletion. Revoked is null where there is
// nothing to revoke at the vendor. The others are set when nothing was deleted
// because the client has to confirm it.
type deletedCredential struct {
	Deleted          bool   `json:"deleted"`
	Revoked          *bool  `json:"revoked"`
	NeedConfirmation bool   `json:"need_confirmation,omitempty"`
	Message          string `json:"message,omitempty"`
}

// MarshalJSON leaves out revoked when nothing was deleted: clients tell the two
// answers apart by their members.
func (d deletedCredential) MarshalJSON() ([]byte, error) {
	members := map[string]any{"deleted": d.Deleted, "revoked": d.Revoked}
	if d.NeedConfirmation {
		members = map[string]any{"deleted": d.Deleted, "need_confirmation": true, "message": d.Message}
	}
	return core.JSON(members)
}

// stillInUse is what clients ask users to confirm.
const stillInUse = "Some webhooks linked to these credentials are still in use by an agent"

// credentialBody is a credential as clients send it, whatever its type.
type credentialBody struct{ credential.Input }

// Schema declares the members of every type. Which of them a type needs is
// checked by what reads them; provider, is_managed and metadata are accepted and
// not taken from clients.
func (credentialBody) Schema(huma.Registry) *huma.Schema {
	text := func(nullable bool) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Nullable: nullable} }
	seconds := &huma.Schema{Type: huma.TypeInteger, Nullable: true}
	schema := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Properties: map[string]*huma.Schema{
		"id": text(false), "provider": text(false), "title": text(true),
		"type":       {Type: huma.TypeString, Enum: []any{"api_key", "oauth2", "user_password", "host_scoped"}},
		"is_managed": {Type: huma.TypeBoolean}, "metadata": {Type: huma.TypeObject, AdditionalProperties: true},
		"api_key": text(false), "expires_at": seconds,
		"access_token": text(false), "access_token_expires_at": seconds,
		"refresh_token": text(true), "refresh_token_expires_at": seconds,
		"scopes":   {Type: huma.TypeArray, Items: text(false)},
		"username": text(true), "password": text(false),
		"host": text(false), "headers": {Type: huma.TypeObject, AdditionalProperties: text(false)},
	}}
	schema.PrecomputeMessages()
	for _, p := range schema.Properties {
		p.PrecomputeMessages()
	}
	return schema
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
		a.platform.Managed.Ensure(ctx, UserID(ctx))
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
		a.platform.Managed.Ensure(ctx, UserID(ctx))
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
		Body     credentialBody
	}
	route(a, operation{
		id: "postV1Create credentials", method: http.MethodPost, path: "/api/integrations/{provider}/credentials",
		summary: "Create Credentials", tags: tags, status: http.StatusCreated, secret: true,
	}, func(ctx context.Context, in *createRequest) (*metaAnswer, error) {
		if _, known := a.platform.Registry.Provider(in.Provider); !known {
			return nil, core.PlainErrorf(core.NotFound, "Provider '%s' not found", in.Provider)
		}
		meta, err := credentials.Create(ctx, UserID(ctx), in.Provider, in.Body.Input)
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
		done, err := credentials.Delete(ctx, UserID(ctx), in.Provider, in.ID, in.Force)
		if done.NeedsConfirmation {
			return &deleteAnswer{deletedCredential{NeedConfirmation: true, Message: stillInUse}}, err
		}
		return &deleteAnswer{deletedCredential{Deleted: true, Revoked: done.Revoked}}, err
	})
	a.oauthRoutes()
}
