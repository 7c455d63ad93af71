package credential

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"agentserver/core"
)

// A Login is the begin of a sign-in.
type Login struct {
	// URL is the vendor's page to send the browser to.
	URL string
	// StateToken comes back from there. It is good for one callback within ten
	// minutes, by the same user and for the same provider.
	StateToken string
}

// Login begins a sign-in of a user at a provider, asking for scopes or, when
// there are none, for the provider's usual ones. The kinds of its errors are
// [core.NotFound] for a provider without OAuth 2, [core.NotConfigured] for one
// whose client is not set, [core.Internal] while frontend_url is not set, and
// [core.Unprocessable] for more than 500 scopes or one of more than 500
// characters. A user has at most 50 sign-ins open; the oldest give way.
func (s *Service) Login(ctx context.Context, userID, provider string, scopes []string) (Login, error) {
	v, err := s.vendor(provider)
	if err != nil {
		return Login{}, err
	}
	redirect, err := s.redirectURL()
	if err != nil {
		return Login{}, err
	}
	if err := checkScopes(scopes); err != nil {
		return Login{}, err
	}
	scopes = v.scopes(scopes)
	token, verifier, err := s.begin(ctx, userID, v.name, scopes)
	if err != nil {
		return Login{}, err
	}
	return Login{URL: v.authorizeURL(redirect, token, verifier, scopes), StateToken: token}, nil
}

func checkScopes(scopes []string) error {
	var c check
	c.count(len(scopes), maxScopes, "scopes")
	for i, scope := range scopes {
		c.text(scope, maxShort, "scopes", i)
		c.exact(scope, "scopes", i)
	}
	if c.problems == nil {
		return nil
	}
	for _, p := range c.problems {
		p["loc"] = []any{"query", "scopes"}
	}
	return &core.Error{Kind: core.Unprocessable, Message: "The scopes are not valid", Detail: c.problems}
}

// scopes gives what to ask for when a sign-in names some.
func (v *vendor) scopes(named []string) []string {
	scopes := slices.Clone(named)
	if len(scopes) == 0 || v.auth.FixedScopes {
		scopes = slices.Clone(v.auth.DefaultScopes)
	}
	for _, scope := range v.auth.AlwaysScopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

func (v *vendor) authorizeURL(redirect, token, verifier string, scopes []string) string {
	c := oauth2.Config{ClientID: v.id, Endpoint: oauth2.Endpoint{AuthURL: v.auth.AuthorizeURL}, RedirectURL: redirect}
	if len(scopes) > 0 {
		separator := v.auth.ScopeSeparator
		if separator == "" {
			separator = " "
		}
		c.Scopes = []string{strings.Join(scopes, separator)}
	}
	var options []oauth2.AuthCodeOption
	for name, value := range v.auth.AuthorizeParams {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	if v.auth.PKCE {
		options = append(options, oauth2.S256ChallengeOption(verifier))
	}
	return c.AuthCodeURL(token, options...)
}

// maxCode bounds what a vendor sends along with a browser.
const maxCode = 8 << 10

// checkCode refuses what no vendor sends: codes are printable ASCII.
func checkCode(code core.Secret) error {
	text := code.Reveal()
	switch {
	case text == "":
		return invalid("missing", "Field required", "body", "code")
	case len(text) > maxCode:
		return invalid("string_too_long", fmt.Sprintf("String should have at most %d characters", maxCode), "body", "code")
	case strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e }):
		return invalid("value_error", "Only printable ASCII is allowed", "body", "code")
	default:
		return nil
	}
}
