package credential

import (
	"fmt"
	"strings"
	"time"

	"agentserver/core"
)

// callbackPath is where the web client takes what a vendor answers to a sign-in.
const callbackPath = "/auth/integrations/oauth_callback"

// vendorTimeout bounds one call of a vendor.
const vendorTimeout = 30 * time.Second

// A vendor is a provider at which users can sign in.
type vendor struct {
	name, title string
	auth        core.OAuth2Auth
	id          string
	secret      core.Secret
	http        core.Doer
}

// vendor finds a provider for a sign-in. The kind of its error is
// [core.NotFound] when there is none of that name, it is turned off, or it has
// no OAuth 2; and [core.NotConfigured] while its client is not set.
func (s *Service) vendor(name string) (*vendor, error) {
	name = ProviderName(name)
	p, known := s.registry.Provider(name)
	if !known {
		return nil, errNoOAuth(name)
	}
	auth, ok := p.OAuth()
	if !ok {
		return nil, errNoOAuth(name)
	}
	v := &vendor{name: name, title: p.Title, auth: auth, http: s.http(name)}
	v.id, v.secret = auth.Client()
	if v.id == "" || v.secret == "" {
		return nil, errNoClient(name)
	}
	return v, nil
}

func errNoOAuth(provider string) *core.Error {
	return core.PlainErrorf(core.NotFound, "Provider '%s' does not support OAuth", provider)
}

func errNoClient(provider string) *core.Error {
	e := core.PlainErrorf(core.NotConfigured, "Integration with provider '%s' is not configured.", provider)
	e.Detail = map[string]any{
		"message": e.Message,
		"hint":    "Set client ID and secret in the application's deployment environment",
	}
	return e
}

// redirectURL is where vendors send the browser back to.
func (s *Service) redirectURL() (string, error) {
	if s.frontendURL == "" {
		return "", core.PlainErrorf(core.Internal, "Frontend base URL is not configured")
	}
	return strings.TrimRight(s.frontendURL, "/") + callbackPath, nil
}

// orElse gives how the client shows who it is, where one place may leave it to
// another.
func orElse(first, second core.OAuthClientAuth) core.OAuthClientAuth {
	switch {
	case first != core.ClientAuthDefault:
		return first
	case second != core.ClientAuthDefault:
		return second
	default:
		return core.ClientAuthBody
	}
}

// guarded calls a function of a provider. Its panic becomes an error, because
// such functions also run outside of requests.
func guarded(name string, fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("provider %s: it crashed", name)
		}
	}()
	return fn()
}
