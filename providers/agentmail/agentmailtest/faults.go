package agentmailtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault disturbs requests that match it.
type Fault struct {
	// Method and Path choose the requests: any method when empty, and any path
	// that contains the text.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Skip lets this many matching requests pass first.
	Skip int `json:"skip,omitempty"`
	// Times is how many requests are disturbed: 0 is one, -1 is all.
	Times int `json:"times,omitempty"`
	// After lets the request take effect before the rest of the fault.
	After bool `json:"after,omitempty"`
	// LatencyMS holds the request for this many milliseconds, or until its
	// client goes away.
	LatencyMS int `json:"latency_ms,omitempty"`
	// Drop closes the connection without an answer.
	Drop bool `json:"drop,omitempty"`
	// Status is answered instead of the real one, unless it is 0.
	Status int `json:"status,omitempty"`
	// Code is the vendor's name of the failure, such as race_condition.
	Code string `json:"code,omitempty"`
	// RetryAfter is the value of that header; "" sends none.
	RetryAfter string `json:"retry_after,omitempty"`
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

// Requests gives the requests so far as "METHOD /v0/path", encoded, in order.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
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
	if f == nil {
		answer.write(w)
		return
	}
	if f.LatencyMS > 0 {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Duration(f.LatencyMS) * time.Millisecond):
		}
	}
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		code := f.Code
		if code == "" {
			code = statusCodes[f.Status]
		}
		failure(f.Status, code, "Injected failure").write(w)
	case f.After:
		answer.write(w)
	default: // only slow
		s.mu.Lock()
		answer = fn()
		s.mu.Unlock()
		answer.write(w)
	}
}

// statusCodes are the vendor's names of common failures.
var statusCodes = map[int]string{
	http.StatusTooManyRequests:     "rate_limit_exceeded",
	http.StatusConflict:            "conflict",
	http.StatusInternalServerError: "internal_error",
	http.StatusServiceUnavailable:  "service_unavailable",
}

// admin lets other processes steer the server: POST and DELETE /_admin/faults,
// GET /_admin/tally and /_admin/requests.
func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /_admin/faults":
		var f Fault
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			failure(http.StatusBadRequest, "validation_error", err.Error()).write(w)
			return
		}
		s.Inject(f)
		noContent.write(w)
	case "DELETE /_admin/faults":
		s.ClearFaults()
		noContent.write(w)
	case "GET /_admin/tally":
		ok(s.Tally()).write(w)
	case "GET /_admin/requests":
		ok(s.Requests()).write(w)
	default:
		notFound("Admin route").write(w)
	}
}
