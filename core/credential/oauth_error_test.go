package credential_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db/dbtest"
)

// echo refuses with all the secrets of the request in its words.
func echo(w http.ResponseWriter, r *http.Request, form url.Values) bool {
	_, password, _ := r.BasicAuth()
	words := []string{form.Get("code"), form.Get("code_verifier"), form.Get("refresh_token"), form.Get("client_secret"), password, r.Header.Get("Authorization"), form.Encode()}
	return oauthtest.Refuse(400, "invalid_request", strings.Join(words, " and\n\t"))(w, r, form)
}

// A failed exchange says why, and nothing that is secret.
func TestExchangeErrors(t *testing.T) {
	long := strings.Repeat("é", 300)
	for name, c := range map[string]struct {
		fault oauthtest.Fault
		want  string
	}{
		"refused":              {oauthtest.Refuse(400, "invalid_grant", "The code has expired"), "invalid_grant: The code has expired"},
		"refused shortly":      {oauthtest.Refuse(401, "invalid_client", ""), "invalid_client"},
		"refused with 200":     {oauthtest.Refuse(200, "bad_verification_code", "The code is incorrect"), "bad_verification_code: The code is incorrect"},
		"refused at length":    {oauthtest.Refuse(400, "invalid_grant", long), "invalid_grant: " + long[:400] + "…"},
		"refused on two lines": {oauthtest.Refuse(400, "invalid\n_grant\x00", "a\r\n\x1bb"), "invalid _grant: a b"},
		"a page":               {oauthtest.Say(502, "text/html", "<h1>canary-page</h1>"), "the status of the answer is 502"},
		"a page with 200":      {oauthtest.Say(200, "text/html", "<h1>canary-page</h1>"), "the answer of Acme is not as expected"},
		"no token":             {oauthtest.Say(200, "application/json", `{"token":"canary-token"}`), "the answer of Acme is not as expected"},
		"another kind of JSON": {oauthtest.Say(200, "application/json", `["canary-token"]`), "the answer of Acme is not as expected"},
		"broken connection":    {oauthtest.Drop, "calling 127.0.0.1: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSignIn(t, dbtest.SQLite(t), plainServer(), nil)
			code, state := b.begin(ada, "acme")
			b.vendor.SetFault(c.fault)
			_, err := b.service.Callback(t.Context(), ada, "acme", code, state)
			refused(t, err, core.Invalid, "OAuth2 callback failed to exchange code for tokens: "+c.want)
			require.NoError(t, errors.Unwrap(err), "no cause that could be logged")
			listed, err := b.service.ListProvider(t.Context(), ada, "acme")
			require.NoError(t, err)
			require.Empty(t, listed)
		})
	}
}

func TestErrorsHideWhatTheyRepeat(t *testing.T) {
	for name, auth := range map[string]core.OAuthClientAuth{"body": core.ClientAuthBody, "header": core.ClientAuthBasic} {
		t.Run(name, func(t *testing.T) {
			b := newSignIn(t, dbtest.SQLite(t), &oauthtest.Server{PKCE: true, ExchangeAuth: auth, RefreshAuth: auth},
				func(a *core.OAuth2Auth) { a.PKCE, a.ClientAuth = true, auth })
			id := b.connect(ada).ID
			code, state := b.begin(ada, "acme")
			b.vendor.SetFault(echo)
			_, err := b.service.Callback(t.Context(), ada, "acme", code, state)
			require.ErrorContains(t, err, "invalid_request: **********")
			require.NotContains(t, err.Error(), oauthtest.Canary)
			require.NotContains(t, err.Error(), url.QueryEscape(code.Reveal()))

			b.clock.move(hour)
			_, err = b.service.Get(t.Context(), ada, id)
			require.ErrorContains(t, err, "invalid_request: and and **********")
			require.NotContains(t, err.Error(), oauthtest.Canary)
			require.Contains(t, b.log.String(), "could not be refreshed")
		})
	}
}

func TestIdentifyErrors(t *testing.T) {
	for name, c := range map[string]struct {
		identify func(context.Context, core.Doer, core.OAuthGrant) (core.OAuthIdentity, error)
		want     string
	}{
		"a message": {
			func(context.Context, core.Doer, core.OAuthGrant) (core.OAuthIdentity, error) {
				return core.OAuthIdentity{}, core.Errorf(core.Invalid, "this account has no workspace")
			}, "this account has no workspace",
		},
		"a message with a secret": {
			func(_ context.Context, _ core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
				return core.OAuthIdentity{}, core.Errorf(core.Invalid, "no account for %s", grant.Token.AccessToken.Reveal())
			}, "no account for **********",
		},
		"an error of its own": {
			func(_ context.Context, _ core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
				return core.OAuthIdentity{}, errors.New(grant.Token.AccessToken.Reveal())
			}, "the answer of Acme is not as expected",
		},
		"a crash": {
			func(_ context.Context, _ core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
				panic(grant.Token.AccessToken.Reveal())
			}, "the answer of Acme is not as expected",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSignIn(t, dbtest.SQLite(t), plainServer(), func(a *core.OAuth2Auth) { a.Identify = c.identify })
			code, state := b.begin(ada, "acme")
			_, err := b.service.Callback(t.Context(), ada, "acme", code, state)
			refused(t, err, core.Invalid, "OAuth2 callback failed to exchange code for tokens: "+c.want)
		})
	}
	t.Run("a status", func(t *testing.T) {
		b := newSignIn(t, dbtest.SQLite(t), plainServer(), func(a *core.OAuth2Auth) {
			ask := whoAmI(a)
			a.Identify = func(ctx context.Context, http core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
				grant.Token.AccessToken = "canary-wrong"
				return ask(ctx, http, grant)
			}
		})
		code, state := b.begin(ada, "acme")
		_, err := b.service.Callback(t.Context(), ada, "acme", code, state)
		refused(t, err, core.Invalid, "OAuth2 callback failed to exchange code for tokens: Acme answered with the status 401")
	})
}
