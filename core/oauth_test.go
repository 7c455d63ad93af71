package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestOAuthIsChecked(t *testing.T) {
	good := core.OAuth2Auth{
		Client:       func() (string, core.Secret) { return "", "" },
		AuthorizeURL: "https://vendor.example/authorize", TokenURL: "https://vendor.example/token", RevokeAuth: core.ClientAuthBearer,
	}
	for name, c := range map[string]struct {
		change func(a *core.OAuth2Auth)
		want   string
	}{
		"good":             {func(*core.OAuth2Auth) {}, ""},
		"no client":        {func(a *core.OAuth2Auth) { a.Client = nil }, "its OAuth 2 lacks the client"},
		"no page":          {func(a *core.OAuth2Auth) { a.AuthorizeURL = "" }, "lacks an address"},
		"no endpoint":      {func(a *core.OAuth2Auth) { a.TokenURL = "/token" }, "lacks an address"},
		"another scheme":   {func(a *core.OAuth2Auth) { a.AuthorizeURL = "javascript:alert(1)" }, "not http or https"},
		"no revocation":    {func(a *core.OAuth2Auth) { a.RevokeURL = "vendor.example" }, "lacks an address"},
		"bearer at codes":  {func(a *core.OAuth2Auth) { a.ClientAuth = core.ClientAuthBearer }, "for revocation only"},
		"nothing at later": {func(a *core.OAuth2Auth) { a.RefreshAuth = core.ClientAuthNone }, "for revocation only"},
	} {
		auth := good
		c.change(&auth)
		var r core.Registry
		err := r.Add(&core.Provider{Name: "acme", Title: "Acme", Auth: []core.AuthMethod{core.APIKeyAuth{}, auth}})
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
	}
	var r core.Registry
	require.ErrorContains(t, r.Add(&core.Provider{Name: "acme", Title: "Acme", Auth: []core.AuthMethod{good, good}}), "twice")
}

func TestOAuthOfAProvider(t *testing.T) {
	p := core.Provider{Auth: []core.AuthMethod{core.APIKeyAuth{}, core.OAuth2Auth{TokenURL: "https://vendor.example"}}}
	auth, ok := p.OAuth()
	require.True(t, ok)
	require.Equal(t, "https://vendor.example", auth.TokenURL)
	_, ok = (&core.Provider{Auth: []core.AuthMethod{core.APIKeyAuth{}}}).OAuth()
	require.False(t, ok)
}
