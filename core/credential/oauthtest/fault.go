package oauthtest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// A Fault is asked before each request for tokens or for their revocation, which
// it may answer or break by itself; it reports true then, and nothing else
// happens. It may also just wait. It runs at the same time for many requests.
type Fault func(w http.ResponseWriter, r *http.Request, form url.Values) bool

// SetFault puts a fault in place of the one before; nil takes it away.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Refuse answers with an error of RFC 6749, section 5.2.
func Refuse(status int, code, description string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		answer(w, status, map[string]any{"error": code, "error_description": description})
		return true
	}
}

// Say answers with a body of any kind.
func Say(status int, kind, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// Drop breaks the connection without an answer.
func Drop(http.ResponseWriter, *http.Request, url.Values) bool {
	panic(http.ErrAbortHandler)
}

// Hold waits until goOn is closed, then lets the request do what it does. A
// request whose client has gone by then does nothing.
func Hold(goOn <-chan struct{}) Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ url.Values) bool {
		select {
		case <-goOn:
			return false
		case <-r.Context().Done():
			return true
		}
	}
}

// Count tells how often something was asked for: "authorize", "exchange",
// "refresh", "revoke" or "user".
func (s *Server) Count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[what]
}

func (s *Server) count(what string) {
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.counts[what]++
}

// Asked gives the query of the last authorize URL.
func (s *Server) Asked() url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.asked)
}

// Works reports whether an access token is good.
func (s *Server) Works(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[access]
	return g != nil && !g.dead
}

// EndGrants makes every refresh token that was given out void, as when users
// take back what they granted.
func (s *Server) EndGrants() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.refresh {
		g.dead = true
	}
}

// Violations tells what clients did that the server did not want.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violation)
}

func (s *Server) violated(w http.ResponseWriter, text string) {
	s.violation = append(s.violation, text)
	refuse(w, "invalid_request", text)
}
