// Package oauthtest is a scripted authorization server for tests: it holds
// clients to what it was told to want, gives out tokens, notices when a refresh
// token is used twice, and fails on demand.
//
// Everything secret in it starts with [Canary], so a test can look for leaks.
package oauthtest

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
	"time"

	"agentserver/core"
)

// Canary starts each code, token and secret.
const Canary = "canary-"

// The client that the server knows. The secret has characters that the forms of
// requests escape.
const (
	ClientID     = "client-1"
	ClientSecret = Canary + "client/secret+="
)

// The paths of the server.
const (
	AuthorizePath = "/authorize"
	TokenPath     = "/token"
	RevokePath    = "/revoke"
	UserPath      = "/me"
)

// Server is an [http.Handler]. Set its exported fields before the first request.
// The zero value wants what RFC 6749 says, with the client in the body, and
// gives access tokens of an hour with refresh tokens that stay the same.
type Server struct {
	// PKCE wants an S256 challenge; without it there must be none.
	PKCE bool
	// JSON wants token requests in JSON.
	JSON bool
	// Header must be on each token request.
	Header map[string]string
	// How the client must show who it is.
	ExchangeAuth, RefreshAuth, RevokeAuth core.OAuthClientAuth

	// ExpiresIn is the expires_in of answers: 3600 when it is nil, and none when
	// it is false.
	ExpiresIn any
	// Members are added to the answers of the token endpoint, or taken out of
	// them where they are nil.
	Members map[string]any
	// FormAnswer answers with a form instead of JSON.
	FormAnswer bool
	// NoRefreshToken gives none.
	NoRefreshToken bool
	// Rotate gives a new refresh token at each refresh. Using an old one ends
	// the grant.
	Rotate bool
	// OneToken makes an access token void once there is a newer one.
	OneToken bool
	// User is what the account is called: "ada at vendor" unless set.
	User string

	mu        sync.Mutex
	fault     Fault
	counts    map[string]int
	asked     url.Values
	codes     map[string]*grant
	access    map[string]*grant
	refresh   map[string]*grant
	violation []string
}

// grant is what a user agreed to.
type grant struct {
	redirect, challenge string
	scopes              string
	access              string // the newest
	refresh             string // the one that is good
	dead                bool
}

// Auth declares how users sign in at the server, for a client that does what the
// zero value wants.
func Auth(base string) core.OAuth2Auth {
	return core.OAuth2Auth{
		Client:       func() (string, core.Secret) { return ClientID, ClientSecret },
		AuthorizeURL: base + AuthorizePath, TokenURL: base + TokenPath, RevokeURL: base + RevokePath,
	}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case AuthorizePath:
		s.authorize(w, r)
	case TokenPath:
		s.token(w, r)
	case RevokePath:
		s.revoke(w, r)
	case UserPath:
		s.user(w, r)
	default:
		http.NotFound(w, r)
	}
}

// authorize agrees at once and sends the browser back with a code.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count("authorize")
	s.asked = q
	challenged := q.Get("code_challenge") != "" && q.Get("code_challenge_method") == "S256"
	redirect, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case q.Get("client_id") != ClientID, q.Get("response_type") != "code", q.Get("state") == "":
		s.violated(w, "the query of the authorize URL lacks the client, the type or the state")
		return
	case challenged != s.PKCE:
		s.violated(w, "PKCE at the authorize URL is not as wanted")
		return
	case err != nil || redirect.Host == "":
		s.violated(w, "the redirect URI cannot be read")
		return
	}
	code := secret("code")
	s.init()
	s.codes[code] = &grant{redirect: redirect.String(), challenge: q.Get("code_challenge"), scopes: q.Get("scope")}
	back := redirect.Query()
	back.Set("code", code)
	back.Set("state", q.Get("state"))
	redirect.RawQuery = back.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound) //nolint:gosec // a test asks for it
}

// user says whose access token it is asked with.
func (s *Server) user(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count("user")
	g := s.access[bearer(r)]
	if g == nil || g.dead {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	name := s.User
	if name == "" {
		name = "ada at vendor"
	}
	answer(w, http.StatusOK, map[string]any{"name": name})
}

// Approve follows a login URL as a user's browser does, and gives what the
// vendor sends back with it.
func Approve(loginURL string) (code, state string, err error) {
	browser := &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := browser.Get(loginURL)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = res.Body.Close() }()
	back, err := res.Location()
	if err != nil {
		return "", "", err
	}
	return back.Query().Get("code"), back.Query().Get("state"), nil
}

func (s *Server) init() {
	if s.codes == nil {
		s.codes, s.access, s.refresh = map[string]*grant{}, map[string]*grant{}, map[string]*grant{}
	}
}

func secret(kind string) string { return Canary + kind + "/" + rand.Text() }
