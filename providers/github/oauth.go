package github

import (
	"context"
	"net/http"
	"net/url"

	"agentserver/core"
)

// signIn is how users connect an account: GitHub separates the scopes of its
// answers by commas, and gives tokens back in a way of its own.
//
// See https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps.
var signIn = core.OAuth2Auth{
	Client:           func() (string, core.Secret) { return config.ClientID, config.ClientSecret },
	AuthorizeURL:     "https://github.com/login/oauth/authorize",
	TokenURL:         "https://github.com/login/oauth/access_token", // #nosec G101 -- an address
	GrantedSeparator: ",",
	Revoke:           revoke,
	Identify:         identify,
}

// revoke takes an access token back. One that GitHub does not know any more is
// gone already.
//
// See https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token.
func revoke(ctx context.Context, doer core.Doer, token core.OAuth2) error {
	client := core.UserPassword{Username: core.Secret(config.ClientID), Password: config.ClientSecret}
	a := &api{
		http: doer, root: config.root(), auth: client.Authorization(),
		secrets: []core.Secret{token.AccessToken, config.ClientSecret},
	}
	path := "/applications/" + url.PathEscape(config.ClientID) + "/token"
	err := a.do(ctx, http.MethodDelete, path, nil, object{"access_token": token.AccessToken.Reveal()}, nil)
	if statusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// identify asks whose account a token is for.
func identify(ctx context.Context, doer core.Doer, grant core.OAuthGrant) (core.OAuthIdentity, error) {
	var user struct {
		Login string `json:"login"`
	}
	if err := connect(doer, grant.Token).do(ctx, http.MethodGet, "/user", nil, nil, &user); err != nil {
		return core.OAuthIdentity{}, err
	}
	return core.OAuthIdentity{Username: user.Login}, nil
}
