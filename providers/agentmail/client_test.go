package agentmail

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
	"agentserver/providers/agentmail/agentmailtest"
)

func TestRepetitions(t *testing.T) {
	const later = "3600"
	get := func(ctx context.Context, c *client) error {
		_, err := c.GetInbox(ctx, "a@agentmail.to")
		return err
	}
	createPod := func(ctx context.Context, c *client) error {
		_, err := c.CreatePod(ctx, podParams{ClientID: "c-1"})
		return err
	}
	createInbox := func(ctx context.Context, c *client) error {
		_, err := c.CreateInbox(ctx, nil, inboxParams{})
		return err
	}
	remove := func(ctx context.Context, c *client) error { return c.DeleteInbox(ctx, "a@agentmail.to") }
	sending := func(key string) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			_, err := c.SendMessage(ctx, "a@agentmail.to", sendParams{To: []string{"x@example.com"}, IdempotencyKey: key})
			return err
		}
	}
	for _, c := range []struct {
		name  string
		fault agentmailtest.Fault
		call  func(context.Context, *client) error
		tries int
		err   string
		sent  int
	}{
		{"busy twice", agentmailtest.Fault{Status: 503, RetryAfter: "0", Times: 2}, get, 3, "", 0},
		{"busy for long", agentmailtest.Fault{Status: 503, RetryAfter: "0", Times: 3}, get, 3, "AgentMail 503", 0},
		{"timed out there", agentmailtest.Fault{Status: 408, RetryAfter: "0"}, get, 2, "", 0},
		{"limited", agentmailtest.Fault{Status: 429, RetryAfter: "0"}, get, 2, "", 0},
		{"limited until a past date", agentmailtest.Fault{Status: 429, RetryAfter: "Mon, 02 Jan 2006 15:04:05 GMT"}, get, 2, "", 0},
		{"limited for long", agentmailtest.Fault{Status: 429, RetryAfter: later}, get, 1, "rate_limit_exceeded", 0},
		{"limited for ages", agentmailtest.Fault{Status: 429, RetryAfter: "1e300"}, get, 1, "rate_limit_exceeded", 0},
		{"refused", agentmailtest.Fault{Status: 403}, get, 1, "AgentMail 403", 0},
		{"connection lost", agentmailtest.Fault{Drop: true}, get, 2, "", 0},
		{"a race", agentmailtest.Fault{Status: 409, Code: "race_condition", RetryAfter: "0"}, createPod, 2, "", 0},
		{"another conflict", agentmailtest.Fault{Status: 409, Code: "resource_deleting", RetryAfter: "0"}, createPod, 1, "resource_deleting", 0},
		{"creation without an id", agentmailtest.Fault{Status: 503, RetryAfter: "0"}, createInbox, 1, "AgentMail 503", 0},
		{"creation without an id, lost", agentmailtest.Fault{Drop: true, After: true}, createInbox, 1, "calling", 0},
		{"deletion lost", agentmailtest.Fault{Drop: true, After: true}, remove, 2, "", 0},
		{"deletion of what never was", agentmailtest.Fault{Status: 404}, remove, 1, "AgentMail 404", 0},
		{"mail lost", agentmailtest.Fault{Drop: true, After: true}, sending("k-1"), 2, "", 1},
		{"mail failed afterwards", agentmailtest.Fault{Status: 500, RetryAfter: "0", After: true}, sending("k-1"), 2, "", 1},
		{"mail still in flight", agentmailtest.Fault{Status: 409, RetryAfter: "0"}, sending("k-1"), 2, "", 1},
		{"mail without a key", agentmailtest.Fault{Status: 500, RetryAfter: "0", After: true}, sending(""), 1, "AgentMail 500", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			mail := b.as(orgKey)
			_, err := mail.CreateInbox(t.Context(), nil, inboxParams{Username: "a"})
			require.NoError(t, err)
			before := len(b.mail.Requests())
			b.mail.Inject(c.fault)
			err = c.call(t.Context(), mail)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
			require.Equal(t, c.tries, len(b.mail.Requests())-before)
			require.Equal(t, c.sent, b.mail.Tally().Sent)
		})
	}
}

func TestPausesEndWithTheContext(t *testing.T) {
	b := newBed(t)
	b.mail.Inject(agentmailtest.Fault{Status: 503, RetryAfter: "20", Times: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := b.as(orgKey).GetPod(ctx, "p-1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Len(t, b.mail.Requests(), 1)
}

func TestErrorsInWords(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"name":"NotFoundError","code":"not_found","message":"Inbox not found"}`, "AgentMail 400 not_found: Inbox not found"},
		{`{"name":"NotFoundError","message":"Inbox not found"}`, "AgentMail 400 NotFoundError: Inbox not found"},
		{`{"message":"Forbidden"}`, "AgentMail 400: Forbidden"},
		{`{"code":"c","message":"M","fix":"F"}`, "AgentMail 400 c: M; F"},
		{`{"code":"c","message":"M","errors":[{"path":["to",0],"message":"bad"},{"path":"x","message":"odd"}]}`, "AgentMail 400 c: M; to.0: bad; x: odd"},
		{`{"code":"c","errors":[{"message":"bad"}]}`, "AgentMail 400 c: bad"},
		{`{"code":"c","message":"the key secret-1 is bad"}`, "AgentMail 400 c: the key ********** is bad"},
		{`<html>`, "AgentMail 400: Bad Request"},
		{``, "AgentMail 400: Bad Request"},
		{`[]`, "AgentMail 400: Bad Request"},
		{`{}`, "AgentMail 400: Bad Request"},
	} {
		err := readError(&rest.StatusError{Status: 400, Body: c.body}, "secret-1")
		require.EqualError(t, err, c.want, c.body)
		require.True(t, core.IsKind(err, core.Invalid))
	}
	for status, kind := range map[int]core.Kind{
		400: core.Invalid, 422: core.Invalid, 401: core.Forbidden, 403: core.Forbidden, 404: core.NotFound,
		409: core.Conflict, 429: core.TooMany, 500: core.Unavailable, 503: core.Unavailable,
	} {
		err := readError(&rest.StatusError{Status: status}, "")
		require.Equal(t, kind, core.KindOf(err), status)
		require.True(t, isStatus(err, status))
		require.False(t, isStatus(err, http.StatusTeapot))
	}
}

func TestPaths(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"inboxes", "a@x.to"}, "/inboxes/a%40x.to"},
		{[]string{"inboxes", "a", "messages", "<1/2@x>"}, "/inboxes/a/messages/%3C1%2F2%40x%3E"},
		{[]string{"inboxes", "a b+c~d"}, "/inboxes/a%20b%2Bc~d"},
		{[]string{"pods", "%2e%2e"}, "/pods/%252e%252e"},
	} {
		got, err := joinPath(c.parts)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for _, id := range []string{"", " ", ".", ".."} {
		_, err := joinPath([]string{"pods", id, "inboxes"})
		require.True(t, core.IsKind(err, core.Invalid), id)
		require.ErrorContains(t, err, "pod_id")
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[any]any{
		"2026-08-25T09:00:00Z":           "2026-08-25T09:00:00+00:00",
		"2026-08-25T09:00:00.5Z":         "2026-08-25T09:00:00.500000+00:00",
		"2026-08-25T09:00:00.123456789Z": "2026-08-25T09:00:00.123456+00:00",
		"2026-08-25T09:00:00.000Z":       "2026-08-25T09:00:00+00:00",
		"2026-08-25T09:00:00+02:00":      "2026-08-25T09:00:00+02:00",
		"tomorrow":                       "tomorrow",
		nil:                              nil,
		5:                                5,
	} {
		require.Equal(t, want, timeText(text))
	}
}
