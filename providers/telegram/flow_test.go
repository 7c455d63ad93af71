package telegram

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
	"agentserver/providers/telegram/telegramtest"
)

const botToken = "110201543:flow"

// flow is a Telegram, and our side of a webhook.
type flow struct {
	telegram *telegramtest.Server
	http     core.Doer
	manager  *manager
	hook     core.Webhook
	bot      core.Credential
	events   []core.WebhookEvent
}

func newFlow(t *testing.T) *flow {
	f := &flow{telegram: telegramtest.New(botToken), bot: core.APIKey{Key: botToken}}
	vendor := httptest.NewServer(f.telegram)
	t.Cleanup(vendor.Close)
	f.manager = &manager{settings: &settings{BaseURL: vendor.URL}}
	f.http = rest.NewClient(rest.Options{Trusted: []string{vendor.URL}})
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		event, err := f.manager.Receive(f.hook, core.Delivery{Header: r.Header, Query: r.URL.Query(), Body: body})
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		f.events = append(f.events, event)
	}))
	t.Cleanup(ingress.Close)
	f.hook = core.Webhook{Secret: "0123456789abcdef", IngressURL: ingress.URL + "/ingress", Events: []string{"message.text"}}
	return f
}

func (f *flow) deliver(t *testing.T, update map[string]any, want int) {
	t.Helper()
	status, err := f.telegram.Deliver(t.Context(), botToken, update)
	require.NoError(t, err)
	require.Equal(t, want, status)
}

// A webhook from its registration to its end.
func TestWebhookFlow(t *testing.T) {
	f := newFlow(t)
	_, err := f.manager.Register(t.Context(), f.http, f.hook, f.bot)
	require.NoError(t, err)
	// An answer that was lost: once more, with the same effect.
	_, err = f.manager.Register(t.Context(), f.http, f.hook, f.bot)
	require.NoError(t, err)
	text := map[string]any{"update_id": 9, "message": map[string]any{"text": "hi"}}
	reaction := map[string]any{"message_reaction": map[string]any{"message_id": 1}}
	f.deliver(t, text, 200)
	_, err = f.telegram.Deliver(t.Context(), botToken, reaction)
	require.ErrorIs(t, err, telegramtest.ErrNoWebhook, "nobody asked for reactions yet")

	f.hook.Events = append(f.hook.Events, "message_reaction")
	_, err = f.manager.Update(t.Context(), f.http, f.hook, f.bot)
	require.NoError(t, err)
	f.deliver(t, reaction, 200)
	f.deliver(t, text, 200)
	require.Equal(t, "message.text", f.events[0].Type)
	require.Equal(t, "9", f.events[0].DeliveryID)
	require.Equal(t, "message_reaction", f.events[1].Type)
	require.Equal(t, f.events[0], f.events[2], "a repetition is known by its id")

	f.telegram.SetWebhook(botToken, telegramtest.Webhook{URL: f.hook.IngressURL, Secret: "guessed"})
	f.deliver(t, text, 403)

	require.NoError(t, f.manager.Deregister(t.Context(), f.http, f.hook, f.bot))
	require.Zero(t, f.telegram.Webhook(botToken))
	require.NoError(t, f.manager.Deregister(t.Context(), f.http, f.hook, f.bot), "nothing is left")
}

func TestDeregisterLeavesOthersAlone(t *testing.T) {
	f := newFlow(t)
	other := telegramtest.Webhook{URL: "https://other.example.com/hook", Secret: "s"}
	f.telegram.SetWebhook(botToken, other)
	require.NoError(t, f.manager.Deregister(t.Context(), f.http, f.hook, f.bot))
	require.Equal(t, other, f.telegram.Webhook(botToken))
}

// A bot whose token does not work any more cannot be asked and hears nothing.
func TestDeregisterWithoutToken(t *testing.T) {
	f := newFlow(t)
	f.telegram.Revoke(botToken)
	require.NoError(t, f.manager.Deregister(t.Context(), f.http, f.hook, f.bot))
	require.NoError(t, f.manager.Deregister(t.Context(), f.http, f.hook, core.APIKey{Key: "not/a token"}))

	_, err := f.manager.Register(t.Context(), f.http, f.hook, f.bot)
	require.EqualError(t, err, "Failed to set up the Telegram webhook: Unauthorized (is the token of the bot right?)")
	require.Equal(t, core.Forbidden, core.KindOf(err))
	_, err = f.manager.Register(t.Context(), f.http, f.hook, core.APIKey{Key: "not/a token"})
	require.Equal(t, core.Invalid, core.KindOf(err))
	_, err = f.manager.Register(t.Context(), f.http, f.hook, core.UserPassword{})
	require.ErrorContains(t, err, "needs the token of a bot")
}

// An answer that does not come is an error: the webhook may still be there.
func TestDeregisterOutOfOrder(t *testing.T) {
	f := newFlow(t)
	_, err := f.manager.Register(t.Context(), f.http, f.hook, f.bot)
	require.NoError(t, err)
	for _, fault := range []telegramtest.Fault{
		{Method: "getWebhookInfo"}, {Method: "setWebhook", After: true}, {Method: "getWebhookInfo", Status: 502, Description: "Bad Gateway"},
	} {
		f.telegram.Fail(fault)
		err := f.manager.Deregister(t.Context(), f.http, f.hook, f.bot)
		require.Equal(t, core.Unavailable, core.KindOf(err), "%v", err)
		require.NotContains(t, err.Error(), "flow")
	}
	require.NoError(t, f.manager.Deregister(t.Context(), f.http, f.hook, f.bot))
}
