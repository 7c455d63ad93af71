package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
)

const canary = core.Secret("110201543:AAcanary")

// answer is what comes of a request: a status and a body, or an error.
type answer struct {
	status int
	body   string
	err    func(r *http.Request) error
}

// script gives one answer after the other, the last one for ever.
type script struct {
	answers []answer
	bodies  []string
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	var data []byte
	if r.Body != nil {
		data, _ = io.ReadAll(r.Body)
	}
	a := s.answers[min(len(s.bodies), len(s.answers)-1)]
	s.bodies = append(s.bodies, string(data))
	if a.err != nil {
		return nil, a.err(r)
	}
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func answering(status int, body string) answer { return answer{status: status, body: body} }

func limited(retryAfter string) answer {
	return answering(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after `+retryAfter+`","parameters":{"retry_after":`+retryAfter+`}}`)
}

var done = answering(200, `{"ok":true,"result":{"message_id":1}}`)

func TestLimits(t *testing.T) {
	type answers = []answer
	for name, c := range map[string]struct {
		answers answers
		calls   int
		waited  time.Duration
		err     string
	}{
		"no limit":               {answers{done}, 1, 0, ""},
		"one wait":               {answers{limited("7"), done}, 2, 7 * time.Second, ""},
		"the longest wait":       {answers{limited("30"), done}, 2, 30 * time.Second, ""},
		"a wait too long":        {answers{limited("31")}, 1, 0, "Too Many Requests: retry after 31"},
		"waits too long in sum":  {answers{limited("16"), limited("15")}, 2, 16 * time.Second, "retry after 15"},
		"a limit that stays":     {answers{limited("1")}, 3, 2 * time.Second, "retry after 1"},
		"no wait named":          {answers{answering(429, "slow down"), done}, 2, time.Second, ""},
		"a wait below zero":      {answers{limited("-5"), done}, 2, time.Second, ""},
		"an endless wait":        {answers{limited("1e300")}, 1, 0, "Too Many Requests"},
		"a failure is no limit":  {answers{answering(500, `{"ok":false,"error_code":500,"description":"Internal Server Error"}`)}, 1, 0, "Internal Server Error"},
		"refusal with status OK": {answers{answering(200, `{"ok":false,"error_code":400,"description":"Bad Request: x"}`)}, 1, 0, "Bad Request: x"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: c.answers}
				bot, err := newClient(s, defaultBaseURL, canary)
				require.NoError(t, err)
				start := time.Now()
				_, err = bot.call(t.Context(), "sendMessage", core.NewObject("chat_id", 1))
				if c.err == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.err)
				}
				require.Equal(t, c.waited, time.Since(start))
				require.Len(t, s.bodies, c.calls)
				for _, body := range s.bodies {
					require.JSONEq(t, `{"chat_id":1}`, body)
				}
			})
		})
	}
}

func TestStoppedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s := &script{answers: []answer{limited("20")}}
		bot, err := newClient(s, defaultBaseURL, canary)
		require.NoError(t, err)
		start := time.Now()
		_, err = bot.call(ctx, "sendMessage", core.NewObject())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.Len(t, s.bodies, 1)
		require.ErrorIs(t, failed(ctx, "send message", err), context.DeadlineExceeded)
	})
}

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{err: func(r *http.Request) error {
			<-r.Context().Done()
			return &url.Error{Op: "Post", URL: r.URL.String(), Err: r.Context().Err()}
		}}}}
		bot, err := newClient(s, defaultBaseURL, canary)
		require.NoError(t, err)
		start := time.Now()
		_, err = bot.call(t.Context(), "sendMessage", core.NewObject())
		require.EqualError(t, err, "Telegram did not answer in time")
		require.Equal(t, core.Unavailable, core.KindOf(err))
		require.Equal(t, callTimeout, time.Since(start))
	})
}

// The token is in no part of an error: neither in what users see nor in a cause,
// which logs may show.
func TestTokenStaysSecret(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	root := func(text string) string { return defaultBaseURL + text }
	repeats := func(err func(r *http.Request) error) core.Doer {
		return &script{answers: []answer{{err: err}}}
	}
	for name, c := range map[string]struct {
		doer core.Doer
		root string
	}{
		"connection refused": {rest.NewClient(rest.Options{Trusted: []string{closed.URL}}), closed.URL},
		"private address":    {rest.NewClient(rest.Options{}), closed.URL},
		"plain HTTP client":  {http.DefaultClient, closed.URL},
		"address not a URL":  {http.DefaultClient, root("\x7f")},
		"URL in the error": {repeats(func(r *http.Request) error {
			return &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("reset")}
		}), root("")},
		"URL in the cause": {repeats(func(r *http.Request) error {
			return core.WithCause(core.Unavailable, &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("reset")}, "no answer")
		}), root("")},
		"URL deep in the error": {repeats(func(r *http.Request) error {
			return &url.Error{Op: "Post", URL: "x", Err: fmt.Errorf("calling %s: reset", r.URL)}
		}), root("")},
		"URL in a known error": {repeats(func(r *http.Request) error {
			return core.Errorf(core.TooLarge, "the answer of %s is too large", r.URL)
		}), root("")},
		"refusal": {&script{answers: []answer{
			answering(400, `{"ok":false,"error_code":400,"description":"no bot `+canary.Reveal()+`"}`),
		}}, root("")},
	} {
		t.Run(name, func(t *testing.T) {
			bot, err := newClient(c.doer, c.root, canary)
			require.NoError(t, err)
			_, err = bot.call(t.Context(), "getMe", core.NewObject())
			_, err2 := bot.download(t.Context(), "a.txt")
			for _, err := range []error{err, err2, failed(t.Context(), "send message", err)} {
				require.Error(t, err)
				for ; err != nil; err = errors.Unwrap(err) {
					require.NotContains(t, err.Error(), "canary")
					require.NotContains(t, fmt.Sprintf("%+v", err), "canary")
				}
			}
		})
	}
}

func TestAnswersAreBounded(t *testing.T) {
	bot, err := newClient(endless{}, defaultBaseURL, canary)
	require.NoError(t, err)
	_, err = bot.call(t.Context(), "getMe", core.NewObject())
	require.Equal(t, core.TooLarge, core.KindOf(err), "%v", err)
	_, err = bot.download(t.Context(), "a.bin")
	require.Equal(t, core.TooLarge, core.KindOf(err), "%v", err)
}

// endless is a server that does not stop to answer.
type endless struct{}

func (endless) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(zeroes{})}, nil
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestKinds(t *testing.T) {
	for code, kind := range map[int]core.Kind{
		400: core.Invalid, 401: core.Forbidden, 403: core.Forbidden, 404: core.NotFound, 409: core.Conflict,
		413: core.TooLarge, 420: core.Invalid, 429: core.TooMany, 500: core.Unavailable, 502: core.Unavailable,
	} {
		require.Equal(t, kind, kindOf(code), code)
	}
}

// FuzzReadRefusal checks that no answer is taken for both a success and a
// refusal, or brings the reader down.
func FuzzReadRefusal(f *testing.F) {
	f.Add(200, []byte(`{"ok":true,"result":1}`))
	f.Add(429, []byte(`{"ok":false,"error_code":429,"parameters":{"retry_after":5}}`))
	f.Add(400, []byte(`{"ok":false,"description":"x","parameters":{"migrate_to_chat_id":-1}}`))
	f.Add(502, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, data []byte) {
		r := readRefusal(status, data)
		if r == nil {
			require.Equal(t, http.StatusOK, status)
			return
		}
		require.LessOrEqual(t, len(r.Description), maxDescription+len("…"))
		require.NotEmpty(t, r.Error())
	})
}
