package server

import (
	"context"
	"net/http"

	"agentserver/core/account"
)

type timezoneBody struct {
	Timezone string `json:"timezone" required:"true" doc:"IANA name"`
}

// accountRoutes adds /api/auth/user and what belongs to it.
func (a *API) accountRoutes() {
	accounts := a.platform.Accounts
	tags := []string{"v1", "auth"}

	type userAnswer struct{ Body *account.User }
	route(a, operation{
		id: "postV1Get or create user", method: http.MethodPost, path: "/api/auth/user", summary: "Get or create user", tags: tags, access: asSelf,
	}, func(ctx context.Context, _ *struct{}) (*userAnswer, error) {
		u, err := accounts.Ensure(ctx, Caller(ctx))
		return &userAnswer{u}, err
	})

	type emailRequest struct {
		Body string `contentType:"application/json"`
	}
	type emailAnswer struct{ Body map[string]string }
	route(a, operation{
		id: "postV1Update user email", method: http.MethodPost, path: "/api/auth/user/email", summary: "Update user email", tags: tags,
	}, func(ctx context.Context, in *emailRequest) (*emailAnswer, error) {
		err := accounts.SetEmail(ctx, UserID(ctx), in.Body)
		return &emailAnswer{map[string]string{"email": in.Body}}, err
	})

	type timezoneAnswer struct{ Body account.TimezoneResponse }
	route(a, operation{
		id: "getV1Get user timezone", method: http.MethodGet, path: "/api/auth/user/timezone", summary: "Get user timezone", tags: tags, access: asSelf,
	}, func(ctx context.Context, _ *struct{}) (*timezoneAnswer, error) {
		zone, err := accounts.Timezone(ctx, UserID(ctx))
		return &timezoneAnswer{zone}, err
	})
	type timezoneRequest struct{ Body timezoneBody }
	route(a, operation{
		id: "postV1Update user timezone", method: http.MethodPost, path: "/api/auth/user/timezone", summary: "Update user timezone", tags: tags,
	}, func(ctx context.Context, in *timezoneRequest) (*timezoneAnswer, error) {
		zone, err := accounts.SetTimezone(ctx, UserID(ctx), in.Body.Timezone)
		return &timezoneAnswer{zone}, err
	})

	type preferencesAnswer struct {
		Body *account.NotificationPreference
	}
	route(a, operation{
		id: "getV1Get notification preferences", method: http.MethodGet, path: "/api/auth/user/preferences", summary: "Get notification preferences", tags: tags,
	}, func(ctx context.Context, _ *struct{}) (*preferencesAnswer, error) {
		p, err := accounts.Preferences(ctx, UserID(ctx))
		return &preferencesAnswer{p}, err
	})
	type preferencesRequest struct {
		Body account.NotificationPreferenceDTO
	}
	route(a, operation{
		id: "postV1Update notification preferences", method: http.MethodPost, path: "/api/auth/user/preferences", summary: "Update notification preferences", tags: tags,
	}, func(ctx context.Context, in *preferencesRequest) (*preferencesAnswer, error) {
		p, err := accounts.SetPreferences(ctx, UserID(ctx), in.Body)
		return &preferencesAnswer{p}, err
	})
}
