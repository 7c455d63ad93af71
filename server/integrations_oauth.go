package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"agentserver/core"
	"agentserver/core/credential"
)

// loginResponse tells a client where to send the user, and which token comes
// back from there.
type loginResponse struct {
	LoginURL   string `json:"login_url"`
	StateToken string `json:"state_token"`
}

// ayrshareSSOResponse tells where a user links social accounts, and until when.
type ayrshareSSOResponse struct {
	SSOURL    string    `json:"sso_url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// oauthRoutes adds the sign-in at vendors.
func (a *API) oauthRoutes() {
	credentials := a.platform.Credentials
	tags := []string{"v1", "integrations"}

	type loginRequest struct {
		Provider string `path:"provider"`
		Scopes   string `query:"scopes" default:"" doc:"Scopes to ask for, with commas between them; the provider's usual ones unless set"`
	}
	type loginAnswer struct{ Body loginResponse }
	route(a, operation{
		id: "getV1Initiate oauth flow", method: http.MethodGet, path: "/api/integrations/{provider}/login",
		summary: "Initiate OAuth flow", tags: tags,
	}, func(ctx context.Context, in *loginRequest) (*loginAnswer, error) {
		login, err := credentials.Login(ctx, UserID(ctx), in.Provider, scopesOf(in.Scopes))
		return &loginAnswer{loginResponse{LoginURL: login.URL, StateToken: login.StateToken}}, err
	})

	type callbackRequest struct {
		Provider string `path:"provider"`
		Body     struct {
			Code       string `json:"code" required:"true" doc:"What the vendor sent back with the browser"`
			StateToken string `json:"state_token" required:"true" doc:"What the login gave"`
		}
	}
	type callbackAnswer struct{ Body credential.Meta }
	route(a, operation{
		id: "postV1Exchange oauth code for tokens", method: http.MethodPost, path: "/api/integrations/{provider}/callback",
		summary: "Exchange OAuth code for tokens", tags: tags, secret: true,
	}, func(ctx context.Context, in *callbackRequest) (*callbackAnswer, error) {
		meta, err := credentials.Callback(ctx, UserID(ctx), in.Provider, core.Secret(in.Body.Code), in.Body.StateToken)
		return &callbackAnswer{meta}, err
	})

	type ssoAnswer struct{ Body ayrshareSSOResponse }
	route(a, operation{
		id: "getV1GetAyrshareSsoUrl", method: http.MethodGet, path: "/api/integrations/ayrshare/sso_url",
		summary: "Get Ayrshare SSO URL", tags: tags,
	}, func(context.Context, *struct{}) (*ssoAnswer, error) {
		return nil, core.PlainErrorf(core.Internal, "Ayrshare integration is not configured")
	})
}

// scopesOf reads a list with commas.
func scopesOf(text string) []string {
	var scopes []string
	for _, scope := range strings.Split(text, ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}
