package coretest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// transport plays a vector's exchanges.
type transport struct {
	t         *testing.T
	mu        sync.Mutex
	exchanges []Exchange
	next      int
}

// Do checks the request against the next exchange and gives its answer.
func (s *transport) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Lessf(s.t, s.next, len(s.exchanges), "unexpected request %s %s", r.Method, r.URL)
	x := s.exchanges[s.next]
	s.next++
	s.compare(x.Request, r)
	return s.answer(x.Response, r), nil
}

func (s *transport) compare(want Request, r *http.Request) {
	t := s.t
	require.Equal(t, want.Method, r.Method, "method of request %d", s.next)
	bare := *r.URL
	bare.RawQuery = ""
	require.Equal(t, want.URL, bare.String(), "URL of request %d", s.next)
	if want.Query != nil {
		require.Equal(t, url.Values(want.Query), r.URL.Query(), "query of request %d", s.next)
	}
	for name, value := range want.Headers {
		require.Equal(t, value, r.Header.Get(name), "header %s of request %d", name, s.next)
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		require.NoError(t, err)
	}
	switch {
	case want.Body != nil:
		require.JSONEq(t, jsonOf(t, want.Body), string(body), "body of request %d", s.next)
	case want.Form != nil:
		form, err := url.ParseQuery(string(body))
		require.NoError(t, err)
		require.Equal(t, url.Values(want.Form), form, "form of request %d", s.next)
	case want.Text != "":
		require.Equal(t, want.Text, string(body), "body of request %d", s.next)
	case want.Parts != nil:
		require.Equal(t, plainParts(t, want.Parts), readParts(t, r, body), "parts of request %d", s.next)
	}
}

func (s *transport) answer(r Response, req *http.Request) *http.Response {
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
	body, header := r.Text, http.Header{}
	if r.Body != nil {
		body = jsonOf(s.t, r.Body)
		header.Set("Content-Type", "application/json")
	}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	return &http.Response{
		StatusCode: r.Status, Status: http.StatusText(r.Status), Header: header, Request: req,
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	}
}

func (s *transport) done() {
	require.Equal(s.t, len(s.exchanges), s.next, "requests sent")
}

// models plays a vector's language model calls.
type models struct {
	t         *testing.T
	exchanges []ModelExchange
	next      int
}

// Generate checks the call against the next exchange and gives its answer.
func (m *models) Generate(_ context.Context, req core.ModelRequest) (*core.ModelResponse, error) {
	require.Lessf(m.t, m.next, len(m.exchanges), "unexpected call of model %s", req.Model)
	x := m.exchanges[m.next]
	m.next++
	require.Equal(m.t, x.Model, req.Model, "model of call %d", m.next)
	if x.Messages != nil {
		require.Equal(m.t, x.Messages, req.Messages, "messages of call %d", m.next)
	}
	require.Equal(m.t, x.MaxTokens, req.MaxTokens, "max_tokens of call %d", m.next)
	require.Equal(m.t, x.JSON, req.JSON, "JSON mode of call %d", m.next)
	if x.Error != "" {
		return nil, core.Errorf(core.Unavailable, "%s", x.Error)
	}
	return &core.ModelResponse{Text: x.Text, Stop: core.StopEnd, InputTokens: 1, OutputTokens: 1}, nil
}

func (m *models) done() {
	require.Equal(m.t, len(m.exchanges), m.next, "language model calls made")
}

// store is a key-value store in memory.
type store struct {
	mu     sync.Mutex
	values map[string]any
}

func newStore(values map[string]any) *store {
	s := &store{values: map[string]any{}}
	for k, v := range values {
		s.values[k] = v
	}
	return s
}

func (s *store) Load(_ context.Context, _, key string) (any, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	return v, ok, nil
}

func (s *store) Save(_ context.Context, _, key, _ string, value any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

// reviewer gives a vector's decision.
type reviewer struct{ decision *core.Decision }

func (r reviewer) Ask(_ context.Context, _ *core.Run, payload any, _ string, _ bool) (*core.Decision, error) {
	if r.decision == nil {
		return nil, core.ErrAwaitingReview
	}
	d := *r.decision
	if d.Payload == nil {
		d.Payload = payload // the reviewer changed nothing
	}
	return &d, nil
}

func jsonOf(t *testing.T, v any) string {
	data, err := core.JSON(v)
	require.NoError(t, err)
	return string(data)
}
