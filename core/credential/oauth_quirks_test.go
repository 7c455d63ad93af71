package credential_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db/dbtest"
	"agentserver/core/rest"
)

// whoAmI identifies an account as most vendors let one do.
func whoAmI(a *core.OAuth2Auth) func(context.Context, core.Doer, core.OAuthGrant) (core.OAuthIdentity, error) {
	address := strings.TrimSuffix(a.TokenURL, oauthtest.TokenPath) + oauthtest.UserPath
	return func(ctx context.Context, http core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
		var user struct{ Name string }
		err := rest.JSON(ctx, http, "GET", address, grant.Token.Authorization(), nil, &user)
		return core.OAuthIdentity{Username: user.Name}, err
	}
}

func texts(s ...string) []string { return append([]string{}, s...) }

// Each shape of vendor that is known can be declared: what the vendor wants is
// what it gets, and what it gives is what is stored.
func TestVendorShapes(t *testing.T) {
	type shape struct {
		server *oauthtest.Server
		auth   func(a *core.OAuth2Auth)
		scopes []string
		asked  string // the scope parameter

		stored   []string
		username string
		title    string
		metadata map[string]any
		lifetime time.Duration // of the access token, 0 for ever
		refresh  time.Duration // of the refresh token, 0 for ever
		renewed  bool          // whether it is refreshed when it is due
		revoked  bool
	}
	for name, c := range map[string]shape{
		// PKCE, the client in the body, and in a header for revocation.
		"discord": {
			server: &oauthtest.Server{PKCE: true, RevokeAuth: core.ClientAuthBasic, Rotate: true},
			auth: func(a *core.OAuth2Auth) {
				a.PKCE, a.RevokeAuth, a.DefaultScopes, a.Identify = true, core.ClientAuthBasic, texts("identify"), whoAmI(a)
			},
			asked: "identify", stored: texts("identify"), username: "ada at vendor", lifetime: time.Hour, renewed: true, revoked: true,
		},
		// Scopes with commas in the answer, no expiry, a revocation of its own.
		"github": {
			server: &oauthtest.Server{ExpiresIn: false, NoRefreshToken: true, Members: map[string]any{"scope": "repo,user"}},
			auth: func(a *core.OAuth2Auth) {
				a.GrantedSeparator, a.Identify, a.RevokeURL = ",", whoAmI(a), ""
				a.Revoke = func(_ context.Context, _ core.Doer, token core.OAuth2) error {
					if !strings.HasPrefix(token.AccessToken.Reveal(), oauthtest.Canary+"access") {
						return core.Errorf(core.Invalid, "not the token")
					}
					return nil
				}
			},
			scopes: texts("repo", "user"), asked: "repo user", stored: texts("repo", "user"), username: "ada at vendor", revoked: true,
		},
		"github with expiry": {
			server: &oauthtest.Server{Rotate: true, ExpiresIn: 28800, Members: map[string]any{"refresh_token_expires_in": 15811200, "scope": ""}, FormAnswer: true},
			auth:   func(a *core.OAuth2Auth) { a.GrantedSeparator = "," },
			asked:  "", stored: texts(), lifetime: 8 * time.Hour, refresh: 15811200 * time.Second, renewed: true, revoked: true,
		},
		// Scopes that are always added, a header at first and the body later, no
		// client at the revocation.
		"google": {
			server: &oauthtest.Server{ExchangeAuth: core.ClientAuthBasic, RevokeAuth: core.ClientAuthNone, Members: map[string]any{"scope": "openid drive"}},
			auth: func(a *core.OAuth2Auth) {
				a.ClientAuth, a.RefreshAuth, a.RevokeAuth = core.ClientAuthBasic, core.ClientAuthBody, core.ClientAuthNone
				a.AlwaysScopes, a.NeedsRefreshToken, a.Identify = texts("openid"), true, whoAmI(a)
				a.AuthorizeParams = map[string]string{"access_type": "offline", "prompt": "consent"}
			},
			scopes: texts("drive", "gmail"), asked: "drive gmail openid", stored: texts("openid", "drive"), username: "ada at vendor",
			lifetime: time.Hour, renewed: true, revoked: true,
		},
		// JSON, and an answer that says whose the token is.
		"notion": {
			server: &oauthtest.Server{JSON: true, ExchangeAuth: core.ClientAuthBasic, NoRefreshToken: true, Members: map[string]any{
				"workspace_name": "Ada's notes", "bot_id": "bot-1", "owner": map[string]any{"person": map[string]any{"email": "ada@example.com"}},
			}},
			auth: func(a *core.OAuth2Auth) {
				a.TokenJSON, a.ClientAuth, a.RevokeURL, a.NeverExpires = true, core.ClientAuthBasic, "", true
				a.AuthorizeParams = map[string]string{"owner": "user"}
				a.Identify = func(_ context.Context, _ core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
					owner, _ := grant.Member("owner").(map[string]any)
					person, _ := owner["person"].(map[string]any)
					email, _ := person["email"].(string)
					title, _ := grant.Member("workspace_name").(string)
					return core.OAuthIdentity{Username: email, Title: title, Metadata: map[string]any{"bot_id": grant.Member("bot_id")}}, nil
				}
			},
			stored: texts(), username: "ada@example.com", title: "Ada's notes", metadata: map[string]any{"bot_id": "bot-1"},
		},
		// A header on every call, a lifetime that the answer does not name, and the
		// scopes that were asked for.
		"reddit": {
			server: &oauthtest.Server{
				ExchangeAuth: core.ClientAuthBasic, RefreshAuth: core.ClientAuthBasic, RevokeAuth: core.ClientAuthBasic,
				Header: map[string]string{"User-Agent": "web:acme:1"}, ExpiresIn: false, Members: map[string]any{"scope": "*"},
			},
			auth: func(a *core.OAuth2Auth) {
				a.ClientAuth, a.Header, a.Lifetime, a.KeepRequested = core.ClientAuthBasic, map[string]string{"User-Agent": "web:acme:1"}, time.Hour, true
				a.DefaultScopes, a.AuthorizeParams = texts("identity", "read"), map[string]string{"duration": "permanent"}
			},
			asked: "identity read", stored: texts("identity", "read"), lifetime: time.Hour, renewed: true, revoked: true,
		},
		// The same scopes whatever is asked for, and tokens that last.
		"todoist": {
			server: &oauthtest.Server{NoRefreshToken: true},
			auth: func(a *core.OAuth2Auth) {
				a.DefaultScopes, a.FixedScopes, a.ScopeSeparator, a.GrantedSeparator = texts("task:add", "data:read"), true, ",", ","
				a.NeverExpires, a.RevokeURL = true, ""
			},
			scopes: texts("data:delete"), asked: "task:add,data:read", stored: texts("task:add", "data:read"),
		},
		"twitter": {
			server: &oauthtest.Server{
				PKCE: true, Rotate: true, ExchangeAuth: core.ClientAuthBasic, RefreshAuth: core.ClientAuthBasic, RevokeAuth: core.ClientAuthBasic,
				ExpiresIn: 7200, Members: map[string]any{"scope": "users.read"},
			},
			auth: func(a *core.OAuth2Auth) {
				a.PKCE, a.ClientAuth, a.DefaultScopes, a.FixedScopes, a.KeepRequested = true, core.ClientAuthBasic, texts("tweet.read", "offline.access"), true, true
			},
			scopes: texts("space.read"), asked: "tweet.read offline.access", stored: texts("tweet.read", "offline.access"),
			lifetime: 2 * time.Hour, renewed: true, revoked: true,
		},
		// Commas both ways, the body at first and a header later, revocation with
		// the token itself; the lifetime is a text.
		"linear": {
			server: &oauthtest.Server{RefreshAuth: core.ClientAuthBasic, RevokeAuth: core.ClientAuthBearer, ExpiresIn: "86400", Members: map[string]any{"scope": []string{"read", "write"}}},
			auth: func(a *core.OAuth2Auth) {
				a.RefreshAuth, a.RevokeAuth, a.ScopeSeparator, a.GrantedSeparator = core.ClientAuthBasic, core.ClientAuthBearer, ",", ","
			},
			scopes: texts("read", "write"), asked: "read,write", stored: texts("read", "write"), lifetime: 24 * time.Hour, renewed: true, revoked: true,
		},
		"linear with spaces": {
			server: &oauthtest.Server{Members: map[string]any{"scope": "read write,admin"}},
			auth:   func(a *core.OAuth2Auth) { a.ScopeSeparator, a.GrantedSeparator = ",", "," },
			scopes: texts("read", "write"), asked: "read,write", stored: texts("read", "write", "admin"), lifetime: time.Hour, renewed: true, revoked: true,
		},
		// The id in the body beside the header, and a refresh token that ends.
		"airtable": {
			server: &oauthtest.Server{
				PKCE: true, Rotate: true, ExchangeAuth: core.ClientAuthBasicAndID, RefreshAuth: core.ClientAuthBasicAndID,
				Members: map[string]any{"refresh_expires_in": 5184000},
			},
			auth: func(a *core.OAuth2Auth) {
				a.PKCE, a.ClientAuth, a.RevokeURL, a.DefaultScopes = true, core.ClientAuthBasicAndID, "", texts("data.records:read")
			},
			asked: "data.records:read", stored: texts("data.records:read"), lifetime: time.Hour, refresh: 1440 * time.Hour, renewed: true,
		},
		// Metadata from the answer, and tokens that last although it names an end.
		"wordpress": {
			server: &oauthtest.Server{Members: map[string]any{"blog_id": "1", "blog_url": "https://ada.example"}},
			auth: func(a *core.OAuth2Auth) {
				a.NeverExpires, a.RevokeURL = true, ""
				a.Identify = func(_ context.Context, _ core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
					return core.OAuthIdentity{Metadata: map[string]any{"blog_id": grant.Member("blog_id")}}, nil
				}
			},
			stored: texts(), metadata: map[string]any{"blog_id": "1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSignIn(t, dbtest.SQLite(t), c.server, c.auth)
			meta := b.connect(ada, c.scopes...)
			require.Equal(t, c.asked, b.vendor.Asked().Get("scope"))
			require.Equal(t, c.asked != "", b.vendor.Asked().Has("scope"))
			require.Equal(t, c.stored, meta.Scopes)
			require.Equal(t, [2]string{c.username, c.title}, [2]string{deref(meta.Username), deref(meta.Title)})
			token := b.token(ada, meta.ID)
			require.Equal(t, c.metadata, token.Metadata)
			require.Equal(t, b.in(c.lifetime), token.AccessExpiresAt)
			require.Equal(t, b.in(c.refresh), token.RefreshExpiresAt)
			require.True(t, b.vendor.Works(token.AccessToken.Reveal()))

			b.clock.move(c.lifetime)
			fresh := b.token(ada, meta.ID)
			require.Equal(t, c.renewed, fresh.AccessToken != token.AccessToken)
			require.True(t, b.vendor.Works(fresh.AccessToken.Reveal()))
			require.Equal(t, b.in(c.lifetime), fresh.AccessExpiresAt)
			require.Equal(t, c.server.Rotate, fresh.RefreshToken != token.RefreshToken)
			if c.server.Rotate {
				require.Equal(t, b.in(c.refresh), fresh.RefreshExpiresAt)
			} else {
				require.Equal(t, token.RefreshExpiresAt, fresh.RefreshExpiresAt)
			}
			require.Equal(t, []any{token.Base(), token.Scopes, token.Username}, []any{fresh.Base(), fresh.Scopes, fresh.Username})

			done, err := b.service.Delete(t.Context(), ada, "acme", meta.ID, false)
			require.NoError(t, err)
			require.Equal(t, c.revoked, *done.Revoked)
			require.Equal(t, c.revoked && b.vendor.Count("revoke") > 0, !b.vendor.Works(fresh.AccessToken.Reveal()))
		})
	}
}

// in gives the time after a while, or none for 0.
func (b *signIn) in(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return b.clock.now().UTC().Add(d)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestASignInThatNeedsARefreshToken(t *testing.T) {
	b := newSignIn(t, dbtest.SQLite(t), &oauthtest.Server{NoRefreshToken: true}, func(a *core.OAuth2Auth) { a.NeedsRefreshToken = true })
	code, state := b.begin(ada, "acme")
	_, err := b.service.Callback(t.Context(), ada, "acme", code, state)
	refused(t, err, core.Invalid, "OAuth2 callback failed to exchange code for tokens: Acme gave no refresh token")
}

// What a vendor says of an account is cut to what users may store themselves.
func TestLargeAnswers(t *testing.T) {
	many := strings.TrimSpace(strings.Repeat("s ", 600))
	b := newSignIn(t, dbtest.SQLite(t), &oauthtest.Server{Members: map[string]any{"scope": "\x00" + strings.Repeat("x", 600) + " " + many}},
		func(a *core.OAuth2Auth) {
			a.Identify = func(context.Context, core.Doer, core.OAuthGrant) (core.OAuthIdentity, error) {
				return core.OAuthIdentity{Username: "u\x00" + strings.Repeat("é", 600), Title: "t\x00" + strings.Repeat("é", 300)}, nil
			}
		})
	meta := b.connect(ada)
	require.Len(t, meta.Scopes, 500)
	require.Len(t, meta.Scopes[0], 500)
	require.Equal(t, "u"+strings.Repeat("é", 499), *meta.Username)
	require.Equal(t, "t"+strings.Repeat("é", 199), *meta.Title)
}

func TestAnswersThatCannotBeStored(t *testing.T) {
	for name, who := range map[string]core.OAuthIdentity{
		"too large": {Metadata: map[string]any{"a": strings.Repeat("x", 256<<10)}},
		"not JSON":  {Metadata: map[string]any{"a": http.NoBody, "b": make(chan int)}},
	} {
		b := newSignIn(t, dbtest.SQLite(t), plainServer(), func(a *core.OAuth2Auth) {
			a.Identify = func(context.Context, core.Doer, core.OAuthGrant) (core.OAuthIdentity, error) { return who, nil }
		})
		code, state := b.begin(ada, "acme")
		_, err := b.service.Callback(t.Context(), ada, "acme", code, state)
		require.True(t, core.IsKind(err, core.Invalid), "%s: %v", name, err)
	}
}
