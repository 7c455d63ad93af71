package core

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// OAuth2Auth lets users sign in at a vendor by the authorization-code flow of
// OAuth 2. With the addresses and Client alone it is the flow of RFC 6749; every
// other field declares where the vendor departs from it.
type OAuth2Auth struct {
	// Client gives the operator's client id and secret, asked for after settings
	// are filled. While either is "", nobody can sign in.
	Client func() (id string, secret Secret)

	// AuthorizeURL is the page on which users agree. AuthorizeParams are added
	// to its query.
	AuthorizeURL    string
	AuthorizeParams map[string]string
	// PKCE sends an S256 challenge there, and its verifier with the code.
	PKCE bool

	// TokenURL gives tokens for codes and for refresh tokens.
	TokenURL string
	// TokenJSON sends token requests as JSON instead of as a form.
	TokenJSON bool
	// Header is added to the requests for tokens and for their revocation, such
	// as a User-Agent. Accept is application/json unless it is set here.
	Header map[string]string
	// ClientAuth says how the client shows who it is when it has a code, and
	// RefreshAuth when it has a refresh token: as with a code unless set.
	ClientAuth  OAuthClientAuth
	RefreshAuth OAuthClientAuth

	// DefaultScopes are asked for when a sign-in names none. AlwaysScopes are
	// added to those it names. FixedScopes asks for DefaultScopes whatever it
	// names.
	DefaultScopes []string
	AlwaysScopes  []string
	FixedScopes   bool
	// ScopeSeparator joins the scopes that are asked for; "" is a space.
	ScopeSeparator string
	// GrantedSeparator has the characters that, like white space, part the
	// scopes in an answer.
	GrantedSeparator string
	// KeepRequested stores the scopes that were asked for, whatever the answer
	// says. Else they stand only for an answer that names none.
	KeepRequested bool

	// Lifetime is that of an access token for which the answer names none; 0
	// means that such a token does not expire.
	Lifetime time.Duration
	// NeverExpires marks tokens that last until they are revoked. They are never
	// refreshed, whatever an answer says.
	NeverExpires bool
	// NeedsRefreshToken fails a sign-in that brings no refresh token.
	NeedsRefreshToken bool

	// RevokeURL takes tokens as RFC 7009 says: the refresh token, if there is
	// one, then the access token. RevokeAuth says how the client shows who it
	// is there: as at ClientAuth unless set.
	RevokeURL  string
	RevokeAuth OAuthClientAuth
	// Revoke is for vendors that do it in another way; it takes the place of
	// RevokeURL. With neither, tokens cannot be revoked.
	Revoke func(ctx context.Context, http Doer, token OAuth2) error

	// Identify tells whose account a fresh token is for. Its error fails the
	// sign-in; users see the message of an [Error] only, so it must not hold a
	// secret. Nil when the vendor does not say.
	Identify func(ctx context.Context, http Doer, grant OAuthGrant) (OAuthIdentity, error)
}

// CredentialType is oauth2.
func (OAuth2Auth) CredentialType() CredentialType { return TypeOAuth2 }

// OAuthClientAuth is how a client shows a vendor who it is.
type OAuthClientAuth int

const (
	// ClientAuthDefault is ClientAuthBody, or what another field says.
	ClientAuthDefault OAuthClientAuth = iota
	// ClientAuthBody sends the id and the secret as fields of the body.
	ClientAuthBody
	// ClientAuthBasic sends both in a basic header.
	ClientAuthBasic
	// ClientAuthBasicAndID sends a basic header, and the id in the body too.
	ClientAuthBasicAndID
	// ClientAuthBearer sends nothing but the access token in a bearer header;
	// for revocation only.
	ClientAuthBearer
	// ClientAuthNone sends nothing but the token; for revocation only.
	ClientAuthNone
)

// OAuthGrant is what a vendor gave for a code.
type OAuthGrant struct {
	Token OAuth2
	// Member gives a member of the vendor's answer, decoded from JSON, or nil.
	Member func(name string) any
}

// OAuthIdentity is what a vendor says of the account behind a token. Each part
// may be left out.
type OAuthIdentity struct {
	Username string
	// Title names the credential in lists.
	Title    string
	Metadata map[string]any
}

// OAuth gives how users sign in at the provider's vendor, if they can.
func (p *Provider) OAuth() (OAuth2Auth, bool) {
	for _, m := range p.Auth {
		if a, ok := m.(OAuth2Auth); ok {
			return a, true
		}
	}
	return OAuth2Auth{}, false
}

// checkOAuth reports what is wrong with how users sign in.
func (p *Provider) checkOAuth() error {
	declared := 0
	for _, m := range p.Auth {
		a, ok := m.(OAuth2Auth)
		if !ok {
			continue
		}
		declared++
		switch {
		case declared > 1:
			return errors.New("it declares OAuth 2 twice")
		case a.Client == nil:
			return errors.New("its OAuth 2 lacks the client")
		case !isAddress(a.AuthorizeURL) || !isAddress(a.TokenURL) || a.RevokeURL != "" && !isAddress(a.RevokeURL):
			return errors.New("its OAuth 2 lacks an address, or has one that is not http or https")
		case a.ClientAuth >= ClientAuthBearer || a.RefreshAuth >= ClientAuthBearer:
			return errors.New("its OAuth 2 shows the client in a way that is for revocation only")
		}
	}
	return nil
}

func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
