package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

// Fault disturbs requests that match it.
type Fault struct {
	// Method and Path choose the requests: any method when empty, and any path
	// that contains the text.
	Method string
	Path   string
	// Skip lets this many matching requests pass first.
	Skip int
	// Times is how many requests are disturbed: 0 is one, -1 is all.
	Times int
	// After lets the request take effect before the rest of the fault.
	After bool
	// Drop closes the connection without an answer.
	Drop bool
	// Status and Message are answered instead, unless Status is 0.
	Status  int
	Message string
	// RetryAfter is the value of that header; "" sends none.
	RetryAfter string
}

// Inject adds faults. The first that matches a request disturbs it.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &f)
	}
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault finds the fault for a request and counts it.
func (s *Server) takeFault(r *http.Request) *Fault {
	for i, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.EscapedPath(), f.Path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		switch {
		case f.Times < 0:
		case f.Times <= 1:
			s.faults = slices.Delete(s.faults, i, i+1)
		default:
			f.Times--
		}
		taken := *f
		return &taken
	}
	return nil
}

// withFaults runs a handler, disturbed by the fault that matches.
func (s *Server) withFaults(w http.ResponseWriter, r *http.Request, fn func() reply) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.EscapedPath())
	f := s.takeFault(r)
	var answer reply
	if f == nil || f.After {
		answer = fn()
	}
	s.mu.Unlock()
	switch {
	case f == nil:
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		answer = refusal(f.Status, f.Message)
	}
	answer.write(w)
}
