package server

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"agentserver/core"
	"agentserver/core/account"
)

// actAsHeader names the user on whose behalf an administrator calls.
const actAsHeader = "X-Act-As-User-Id"

// Principal is who makes a request.
type Principal struct {
	// Caller is whom the token speaks for.
	Caller account.Identity
	// UserID is whose data the request is about: the caller's, or the user's on
	// whose behalf an administrator calls.
	UserID string
}

type principalKey struct{}

// WithPrincipal gives a context that knows who makes the request.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf gives who makes the request; ok is false for anonymous ones.
func PrincipalOf(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// UserID gives the id of the user that the request is about, or "" when it is
// anonymous.
func UserID(ctx context.Context) string {
	p, _ := PrincipalOf(ctx)
	return p.UserID
}

// Caller gives the identity in the token, empty when the request is anonymous.
func Caller(ctx context.Context) account.Identity {
	p, _ := PrincipalOf(ctx)
	return p.Caller
}

// TokenVerifier checks bearer tokens; [account.Verifier] is one.
type TokenVerifier interface {
	Verify(token string) (account.Identity, error)
}

// Auth finds out who makes a request.
type Auth struct {
	tokens TokenVerifier
	log    *slog.Logger
}

// NewAuth checks tokens with v and writes to log who acts for whom.
func NewAuth(v TokenVerifier, log *slog.Logger) *Auth { return &Auth{tokens: v, log: log} }

// Self gives who makes a request, for routes that are about the caller even
// when an administrator acts for another user. The error is of kind
// [core.Unauthenticated].
func (a *Auth) Self(r *http.Request) (Principal, error) {
	token := bearer(r)
	if token == "" {
		return Principal{}, core.PlainErrorf(core.Unauthenticated, "Authorization header is missing")
	}
	id, err := a.tokens.Verify(token)
	if err != nil {
		return Principal{}, err
	}
	return Principal{Caller: id, UserID: id.UserID}, nil
}

// User is Self for all other routes: the header X-Act-As-User-Id makes an
// administrator's request one about another user, and is refused with
// [core.Forbidden] from anyone else.
func (a *Auth) User(r *http.Request) (Principal, error) {
	p, err := a.Self(r)
	if err != nil {
		return p, err
	}
	target := strings.TrimSpace(r.Header.Get(actAsHeader))
	if target == "" {
		return p, nil
	}
	if !p.Caller.Admin() {
		return Principal{}, core.PlainErrorf(core.Forbidden, "Only admin users can impersonate other users")
	}
	if !isText(target) {
		return Principal{}, core.Errorf(core.NotFound, "User not found")
	}
	a.log.InfoContext(r.Context(), "administrator acts for a user", "id", RequestID(r.Context()),
		"admin", p.Caller.UserID, "admin_email", p.Caller.Email, "user", target,
		"method", r.Method, "path", r.URL.Path)
	p.UserID = target
	return p, nil
}

// RequireUser lets through who has a valid token; see [Auth.User].
func (a *Auth) RequireUser() echo.MiddlewareFunc { return require(a.User) }

// RequireSelf lets through who has a valid token; see [Auth.Self].
func (a *Auth) RequireSelf() echo.MiddlewareFunc { return require(a.Self) }

// Optional lets everyone through, as anonymous without a valid token.
func (a *Auth) Optional() echo.MiddlewareFunc {
	return require(func(r *http.Request) (Principal, error) {
		p, err := a.User(r)
		if err != nil {
			return Principal{}, nil //nolint:nilerr // who shows no valid token is anonymous here
		}
		return p, nil
	})
}

// MustAdmin gives an error of kind [core.Forbidden] unless the caller is an
// administrator.
func MustAdmin(ctx context.Context) error {
	if !Caller(ctx).Admin() {
		return core.PlainErrorf(core.Forbidden, "Admin access required")
	}
	return nil
}

// RequireAdmin lets administrators through. It stands inside RequireUser.
func RequireAdmin() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := MustAdmin(c.Request().Context()); err != nil {
				return err
			}
			return next(c)
		}
	}
}

func require(find func(*http.Request) (Principal, error)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			p, err := find(c.Request())
			if err != nil {
				return err
			}
			if p.UserID != "" {
				c.SetRequest(c.Request().WithContext(WithPrincipal(c.Request().Context(), p)))
			}
			return next(c)
		}
	}
}

// bearer gives the token of the Authorization header, or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
