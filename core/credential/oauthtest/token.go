package oauthtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
)

// token gives tokens for codes and for refresh tokens.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	form, err := s.read(r, s.JSON)
	refreshing := form.Get("grant_type") == "refresh_token"
	kind, auth := "exchange", s.ExchangeAuth
	if refreshing {
		kind, auth = "refresh", s.RefreshAuth
	}
	s.mu.Lock()
	s.count(kind)
	fault := s.fault
	s.mu.Unlock()
	if fault != nil && fault(w, r, form) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	for name, value := range s.Header {
		if r.Header.Get(name) != value {
			err = fmt.Errorf("the header %s is not %q", name, value)
		}
	}
	if err == nil && !s.known(r, form, auth) {
		err = fmt.Errorf("the client is not shown as wanted at the %s", kind)
	}
	if err != nil {
		s.violated(w, err.Error())
		return
	}
	if refreshing {
		s.giveForRefresh(w, form)
	} else {
		s.giveForCode(w, form)
	}
}

func (s *Server) giveForCode(w http.ResponseWriter, form url.Values) {
	g := s.codes[form.Get("code")]
	delete(s.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case g == nil, form.Get("redirect_uri") != g.redirect:
		refuse(w, "invalid_grant", "The code "+form.Get("code")+" is not good")
		return
	case s.PKCE && base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge:
		refuse(w, "invalid_grant", "The verifier "+form.Get("code_verifier")+" does not fit")
		return
	case !s.PKCE && form.Get("code_verifier") != "":
		s.violated(w, "there is a verifier without PKCE")
		return
	}
	s.give(w, g, true)
}

func (s *Server) giveForRefresh(w http.ResponseWriter, form url.Values) {
	used := form.Get("refresh_token")
	g := s.refresh[used]
	if g != nil && g.refresh != used {
		g.dead = true // an old one: it may have been stolen
	}
	if g == nil || g.dead {
		refuse(w, "invalid_grant", "The refresh token "+used+" is not good")
		return
	}
	s.give(w, g, s.Rotate)
}

// give answers with a new access token and, where it changes, the refresh token.
func (s *Server) give(w http.ResponseWriter, g *grant, refresh bool) {
	if s.OneToken {
		delete(s.access, g.access)
	}
	g.access = secret("access")
	s.access[g.access] = g
	members := map[string]any{"access_token": g.access, "token_type": "bearer"}
	if g.scopes != "" {
		members["scope"] = g.scopes
	}
	switch s.ExpiresIn {
	case nil:
		members["expires_in"] = 3600
	case false:
	default:
		members["expires_in"] = s.ExpiresIn
	}
	if refresh && !s.NoRefreshToken {
		g.refresh = secret("refresh")
		s.refresh[g.refresh] = g
		members["refresh_token"] = g.refresh
	}
	for name, value := range s.Members {
		members[name] = value
		if value == nil {
			delete(members, name)
		}
	}
	if !s.FormAnswer {
		answer(w, http.StatusOK, members)
		return
	}
	form := url.Values{}
	for name, value := range members {
		form.Set(name, fmt.Sprint(value))
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
	_, _ = io.WriteString(w, form.Encode())
}

// revoke ends the grant of a token, as RFC 7009 says.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	form, err := s.read(r, false)
	s.mu.Lock()
	s.count("revoke")
	fault := s.fault
	s.mu.Unlock()
	if fault != nil && fault(w, r, form) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || !s.known(r, form, s.RevokeAuth) {
		s.violated(w, "the client is not shown as wanted at the revocation")
		return
	}
	token := form.Get("token")
	if s.RevokeAuth == core.ClientAuthBearer {
		token = bearer(r)
	}
	for _, grants := range []map[string]*grant{s.access, s.refresh} {
		if g := grants[token]; g != nil {
			g.dead = true
		}
	}
}

// read gives the fields of a request, which must be in the form wanted.
func (s *Server) read(r *http.Request, asJSON bool) (url.Values, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !asJSON {
		if kind != "application/x-www-form-urlencoded" {
			return nil, fmt.Errorf("the request is not a form but %q", kind)
		}
		return url.ParseQuery(string(body))
	}
	fields := map[string]string{}
	if err := json.Unmarshal(body, &fields); err != nil || kind != "application/json" {
		return nil, fmt.Errorf("the request is not JSON but %q", kind)
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return form, nil
}

// known reports whether the client shows who it is in the way wanted, and in no
// other.
func (s *Server) known(r *http.Request, form url.Values, auth core.OAuthClientAuth) bool {
	id, password, basic := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	password, _ = url.QueryUnescape(password)
	basic = basic && id == ClientID && password == ClientSecret
	header := r.Header.Get("Authorization") != ""
	bodyID, bodySecret := form.Get("client_id") == ClientID, form.Get("client_secret") == ClientSecret
	hasID, hasSecret := form.Has("client_id"), form.Has("client_secret")
	switch auth {
	case core.ClientAuthBasic:
		return basic && !hasID && !hasSecret
	case core.ClientAuthBasicAndID:
		return basic && bodyID && !hasSecret
	case core.ClientAuthBearer:
		return s.access[bearer(r)] != nil && !hasID && !hasSecret && !form.Has("token")
	case core.ClientAuthNone:
		return !header && !hasID && !hasSecret
	default:
		return !header && bodyID && bodySecret
	}
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// refuse answers as RFC 6749, section 5.2, says. Like some real servers it
// repeats what it was sent.
func refuse(w http.ResponseWriter, code, description string) {
	answer(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": description})
}

func answer(w http.ResponseWriter, status int, body any) {
	data, err := core.JSON(body)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
