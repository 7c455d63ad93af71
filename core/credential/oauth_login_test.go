package credential_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"agentserver/core"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db/dbtest"
)

func TestWhoCannotSignIn(t *testing.T) {
	d := dbtest.SQLite(t)
	b := newSignIn(t, d, plainServer(), nil)
	unset := oauthtest.Auth("https://vendor.example")
	unset.Client = func() (string, core.Secret) { return oauthtest.ClientID, "" }
	// Login and callback refuse alike, in this order.
	for name, c := range map[string]struct {
		registry *core.Registry
		frontend string
		provider string
		kind     core.Kind
		text     string
	}{
		"unknown provider":      {registryOf(t, unset), "", "nope", core.NotFound, "Provider 'nope' does not support OAuth"},
		"provider without":      {registryOf(t, unset), "", "openai", core.NotFound, "Provider 'openai' does not support OAuth"},
		"provider turned off":   {registryOf(t, unset).Without(map[string]string{"acme": "listed in providers.disabled"}), "", "acme", core.NotFound, "Provider 'acme' does not support OAuth"},
		"client not set":        {registryOf(t, unset), "", "acme", core.NotConfigured, "Integration with provider 'acme' is not configured."},
		"web client not set":    {registryOf(t, oauthtest.Auth("https://vendor.example")), "", "acme", core.Internal, "Frontend base URL is not configured"},
		"provider by old name":  {registryOf(t, unset), "", "ProviderName.OPENAI", core.NotFound, "Provider 'openai' does not support OAuth"},
		"client before address": {registryOf(t, unset), frontend, "acme", core.NotConfigured, "Integration with provider 'acme' is not configured."},
	} {
		t.Run(name, func(t *testing.T) {
			s := b.open(d, c.registry, c.frontend)
			_, err := s.Login(t.Context(), ada, c.provider, nil)
			refused(t, err, c.kind, c.text)
			_, callbackErr := s.Callback(t.Context(), ada, c.provider, "code", "state")
			require.Equal(t, err, callbackErr)
			if c.kind == core.NotConfigured {
				var known *core.Error
				require.ErrorAs(t, err, &known)
				require.Equal(t, map[string]any{
					"message": c.text, "hint": "Set client ID and secret in the application's deployment environment",
				}, known.Detail)
			}
		})
	}
}

func TestAuthorizeURL(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *core.OAuth2Auth)
		scopes []string
		want   url.Values // besides client, state, type and redirect
	}{
		"no scopes":      {nil, nil, url.Values{}},
		"scopes":         {nil, []string{"a", "b"}, url.Values{"scope": {"a b"}}},
		"default scopes": {func(a *core.OAuth2Auth) { a.DefaultScopes = []string{"d", "e"} }, nil, url.Values{"scope": {"d e"}}},
		"scopes instead": {func(a *core.OAuth2Auth) { a.DefaultScopes = []string{"d"} }, []string{"a"}, url.Values{"scope": {"a"}}},
		"always": {
			func(a *core.OAuth2Auth) { a.DefaultScopes, a.AlwaysScopes = []string{"d"}, []string{"a", "x"} },
			[]string{"a"},
			url.Values{"scope": {"a x"}},
		},
		"always and default": {
			func(a *core.OAuth2Auth) { a.DefaultScopes, a.AlwaysScopes = []string{"d"}, []string{"x"} },
			nil,
			url.Values{"scope": {"d x"}},
		},
		"fixed":     {func(a *core.OAuth2Auth) { a.DefaultScopes, a.FixedScopes = []string{"d"}, true }, []string{"a"}, url.Values{"scope": {"d"}}},
		"separator": {func(a *core.OAuth2Auth) { a.ScopeSeparator = "," }, []string{"a", "b"}, url.Values{"scope": {"a,b"}}},
		"parameters": {
			func(a *core.OAuth2Auth) {
				a.AuthorizeParams = map[string]string{"access_type": "offline", "prompt": "consent"}
			}, nil,
			url.Values{"access_type": {"offline"}, "prompt": {"consent"}},
		},
		"address with a query": {func(a *core.OAuth2Auth) { a.AuthorizeURL += "?tenant=1" }, nil, url.Values{"tenant": {"1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSignIn(t, dbtest.SQLite(t), plainServer(), c.change)
			login, err := b.service.Login(t.Context(), ada, "acme", c.scopes)
			require.NoError(t, err)
			require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, login.StateToken)
			address, err := url.Parse(login.URL)
			require.NoError(t, err)
			require.Equal(t, "/authorize", address.Path)
			want := c.want
			want.Set("client_id", oauthtest.ClientID)
			want.Set("response_type", "code")
			want.Set("state", login.StateToken)
			want.Set("redirect_uri", "https://app.example/auth/integrations/oauth_callback")
			require.Equal(t, want, address.Query())
		})
	}
}

func TestPKCE(t *testing.T) {
	b := newSignIn(t, dbtest.SQLite(t), &oauthtest.Server{PKCE: true}, func(a *core.OAuth2Auth) { a.PKCE = true })
	form := b.capture("exchange")
	b.connect(ada)
	require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, b.vendor.Asked().Get("code_challenge"))
	require.Equal(t, "S256", b.vendor.Asked().Get("code_challenge_method"))
	require.Regexp(t, `^[A-Za-z0-9_-]{128}$`, (*form).Get("code_verifier"))
	// The vector of RFC 7636; that ours fit, the vendor has checked by itself.
	require.Equal(t, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", oauth2.S256ChallengeFromVerifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
}

func TestLoginChecksScopes(t *testing.T) {
	b := newSignIn(t, dbtest.SQLite(t), plainServer(), nil)
	for name, scopes := range map[string][]string{
		"long":              {"a", strings.Repeat("s", 501)},
		"many":              strings.Split(strings.Repeat("s,", 501), ","),
		"control character": {"a\x00"},
		"not UTF-8":         {"a\xff"},
	} {
		_, err := b.service.Login(t.Context(), ada, "acme", scopes)
		require.True(t, core.IsKind(err, core.Unprocessable), "%s: %v", name, err)
	}
	_, err := b.service.Login(t.Context(), ada, "acme", []string{strings.Repeat("é", 500)})
	require.NoError(t, err)
}
