package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
)

// turns answers one request after another.
type turns struct {
	answers []turn
	bodies  []string
	at      []time.Duration
	began   time.Time
}

func (s *turns) Do(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
	}
	s.bodies, s.at = append(s.bodies, body), append(s.at, time.Since(s.began))
	next := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	if next.err != nil {
		return nil, next.err
	}
	h := http.Header{}
	for i := 0; i+1 < len(next.headers); i += 2 {
		h.Set(next.headers[i], next.headers[i+1])
	}
	return &http.Response{StatusCode: next.code, Header: h, Body: io.NopCloser(strings.NewReader("body"))}, nil
}

// turn is one answer, or a failure.
type turn struct {
	code    int
	headers []string
	err     error
}

func status(code int, headers ...string) turn { return turn{code: code, headers: headers} }

func failure(err error) turn { return turn{err: err} }

func TestRetrying(t *testing.T) {
	down := failure(core.Errorf(core.Unavailable, "connection reset"))
	for _, c := range []struct {
		name    string
		method  string
		headers []string
		body    io.Reader
		answers []turn
		calls   int
		status  int // 0 is an error
		waits   time.Duration
	}{
		{name: "fine", method: "GET", answers: []turn{status(200)}, calls: 1, status: 200},
		{name: "comes back", method: "GET", answers: []turn{status(503), down, status(200)}, calls: 3, status: 200},
		{name: "stays away", method: "GET", answers: []turn{status(502)}, calls: 3, status: 502},
		{name: "cannot be reached", method: "DELETE", answers: []turn{down}, calls: 3},
		{name: "a fault of the request", method: "GET", answers: []turn{status(404)}, calls: 1, status: 404},
		{name: "a refused address", method: "GET", answers: []turn{failure(core.Errorf(core.Invalid, "private"))}, calls: 1},
		{name: "an unknown failure", method: "GET", answers: []turn{failure(errors.New("reset")), status(200)}, calls: 2, status: 200},
		{name: "a POST is not made twice", method: "POST", body: strings.NewReader("x"), answers: []turn{down}, calls: 1},
		{name: "nor after an error of the server", method: "POST", body: strings.NewReader("x"), answers: []turn{status(500)}, calls: 1, status: 500},
		{name: "nor after a limit that names no time", method: "POST", answers: []turn{status(429)}, calls: 1, status: 429},
		{
			name: "but when it was told to come back", method: "POST", body: strings.NewReader("x"),
			answers: []turn{status(429, "Retry-After", "7"), status(201)}, calls: 2, status: 201, waits: 7 * time.Second,
		},
		{
			name: "or has a key", method: "POST", headers: []string{"Idempotency-Key", "k"}, body: strings.NewReader("x"),
			answers: []turn{down, status(201)}, calls: 2, status: 201,
		},
		{name: "a body that is gone", method: "PUT", body: io.LimitReader(strings.NewReader("x"), 9), answers: []turn{status(503)}, calls: 1, status: 503},
		{name: "too long a wait", method: "GET", answers: []turn{status(429, "Retry-After", "31")}, calls: 1, status: 429},
		{name: "too long together", method: "GET", answers: []turn{status(429, "Retry-After", "20")}, calls: 2, status: 429, waits: 20 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &turns{answers: c.answers, began: time.Now()}
				req, err := http.NewRequestWithContext(t.Context(), c.method, "http://example.com/", c.body)
				require.NoError(t, err)
				for i := 0; i+1 < len(c.headers); i += 2 {
					req.Header.Set(c.headers[i], c.headers[i+1])
				}
				res, err := rest.Retrying{Next: s}.Do(req)
				require.Len(t, s.at, c.calls)
				if c.waits > 0 {
					require.Equal(t, c.waits, s.at[len(s.at)-1])
				}
				if c.status == 0 {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				require.Equal(t, c.status, res.StatusCode)
				for _, body := range s.bodies {
					require.Equal(t, s.bodies[0], body, "the body is sent again")
				}
			})
		})
	}
}

func TestRetryingStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		s := &turns{answers: []turn{status(503, "Retry-After", "20")}, began: time.Now()}
		req, err := http.NewRequestWithContext(ctx, "GET", "http://example.com/", nil)
		require.NoError(t, err)
		_, err = rest.Retrying{Next: s}.Do(req) //nolint:bodyclose // there is no answer
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, time.Since(s.began))
	})
}
