package server_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/server"
)

var discard = slog.New(slog.DiscardHandler)

// tokens is a verifier that knows its tokens by heart.
type tokens map[string]account.Identity

func (k tokens) Verify(token string) (account.Identity, error) {
	id, known := k[token]
	if !known {
		return id, core.PlainErrorf(core.Unauthenticated, "Token has expired")
	}
	return id, nil
}

var people = tokens{
	"user":   {UserID: "u1", Role: "user"},
	"norole": {UserID: "u2"},
	"admin":  {UserID: "a1", Role: "admin", Email: "root@example.com"},
}

func TestAuth(t *testing.T) {
	log := &bytes.Buffer{}
	auth := server.NewAuth(people, slog.New(slog.NewTextHandler(log, nil)))
	s := newSite(t, nil)
	who := func(c echo.Context) error {
		ctx := c.Request().Context()
		return c.String(200, server.UserID(ctx)+" "+server.Caller(ctx).UserID)
	}
	s.GET("/user", who, auth.RequireUser())
	s.GET("/self", who, auth.RequireSelf())
	s.GET("/optional", who, auth.Optional())
	s.GET("/admin", who, auth.RequireUser(), server.RequireAdmin())
	s.GET("/open", who)

	const missing = `{"detail":"Authorization header is missing"}`
	for name, c := range map[string]struct {
		target, authorization, actAs string
		status                       int
		body                         string
	}{
		"no header":              {"/user", "", "", 401, missing},
		"another scheme":         {"/user", "Basic user", "", 401, missing},
		"no token":               {"/user", "Bearer", "", 401, missing},
		"blank token":            {"/user", "Bearer  ", "", 401, missing},
		"token without scheme":   {"/user", "user", "", 401, missing},
		"bad token":              {"/user", "Bearer old", "", 401, `{"detail":"Token has expired"}`},
		"user":                   {"/user", "Bearer user", "", 200, "u1 u1"},
		"scheme in small":        {"/user", "bearer user", "", 200, "u1 u1"},
		"no role":                {"/user", "Bearer norole", "", 200, "u2 u2"},
		"admin acts for":         {"/user", "Bearer admin", "  target-user-123  ", 200, "target-user-123 a1"},
		"admin, blank header":    {"/user", "Bearer admin", "   ", 200, "a1 a1"},
		"user acts for":          {"/user", "Bearer user", "a1", 403, `{"detail":"Only admin users can impersonate other users"}`},
		"user acts for itself":   {"/user", "Bearer user", "u1", 403, `{"detail":"Only admin users can impersonate other users"}`},
		"stranger acts for":      {"/user", "Bearer old", "u1", 401, `{"detail":"Token has expired"}`},
		"self ignores the other": {"/self", "Bearer admin", "u1", 200, "a1 a1"},
		"self of a user":         {"/self", "Bearer user", "a1", 200, "u1 u1"},
		"self needs a token":     {"/self", "", "", 401, missing},
		"optional, none":         {"/optional", "", "", 200, " "},
		"optional, bad":          {"/optional", "Bearer old", "", 200, " "},
		"optional, good":         {"/optional", "Bearer user", "", 200, "u1 u1"},
		"admin route, admin":     {"/admin", "Bearer admin", "", 200, "a1 a1"},
		"admin route, acting":    {"/admin", "Bearer admin", "u1", 200, "u1 a1"},
		"admin route, user":      {"/admin", "Bearer user", "", 403, `{"detail":"Admin access required"}`},
		"admin route, no role":   {"/admin", "Bearer norole", "", 403, `{"detail":"Admin access required"}`},
		"admin route, stranger":  {"/admin", "", "", 401, missing},
		"open route":             {"/open", "Bearer user", "", 200, " "},
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			var headers []string
			if c.authorization != "" {
				headers = append(headers, "Authorization", c.authorization)
			}
			if c.actAs != "" {
				headers = append(headers, "X-Act-As-User-Id", c.actAs)
			}
			w := s.ask("GET", c.target+"?secret=x", nil, headers...)
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.body, w.Body.String())
			require.Empty(t, w.Header().Get("WWW-Authenticate"))
			if name == "admin acts for" {
				require.Contains(t, log.String(), "admin=a1 admin_email=root@example.com user=target-user-123 method=GET path=/user")
				require.NotContains(t, log.String(), "secret")
			} else if name != "admin route, acting" {
				require.Empty(t, log.String())
			}
		})
	}
}
