package webhook

import (
	"context"
	"time"

	"agentserver/core"
)

// pingWait is how long a test delivery may take.
const pingWait = 10 * time.Second

// topic is where the arrival of an event is told, for those who wait for it. The
// message is empty: what must not be lost is in the database.
func topic(webhookID, event string) string { return "webhooks/" + webhookID + "/" + event }

// announce tells that an event has arrived. Only test deliveries are waited for.
func (s *Service) announce(ctx context.Context, webhookID, event string) {
	if event != core.PingEvent {
		return
	}
	if err := s.Bus.Publish(ctx, topic(webhookID, event), nil); err != nil {
		s.Log.WarnContext(ctx, "the arrival of a test delivery could not be told", "webhook", webhookID, "error", err)
	}
}

// Ping asks the vendor for a test delivery to a webhook of the user and waits
// for it, at most ten seconds. It reports false when the vendor does not send
// any. The kind of the error is [core.NotFound] when the user has no such
// webhook, and [core.Timeout] when none arrived.
func (s *Service) Ping(ctx context.Context, userID, id string) (bool, error) {
	r, err := s.find(ctx, userID, id)
	if err != nil {
		return false, err
	}
	if r == nil || r.State != active {
		return false, unknown(id)
	}
	manager, _ := s.manager(r.Provider)
	pinger, ok := manager.(core.WebhookPinger)
	if !ok || r.manual() {
		return false, nil
	}
	c, err := s.Credentials.Get(ctx, userID, r.CredentialsID)
	if err != nil {
		return false, err
	}
	if c == nil {
		return false, core.PlainErrorf(core.Invalid, "The credentials of webhook #%s are gone", id)
	}
	ctx, cancel := context.WithTimeout(ctx, pingWait)
	defer cancel()
	// Listening begins before the request, else a fast answer would be missed.
	sub, err := s.Bus.Subscribe(ctx, topic(id, core.PingEvent))
	if err != nil {
		return false, core.Errorf(core.Unavailable, "the arrival of a test delivery could not be seen, because the message bus does not answer")
	}
	defer sub.Close()
	if err := pinger.Ping(ctx, s.HTTP(r.Provider), s.contract(r), c); err != nil {
		return false, refusedPing(r.Provider, err)
	}
	select {
	case _, open := <-sub.C():
		if open {
			return true, nil
		}
		return false, core.Errorf(core.Unavailable, "the server is stopping")
	case <-ctx.Done():
		return false, core.PlainErrorf(core.Timeout, "Webhook ping timed out")
	}
}

func refusedPing(provider string, err error) error {
	return core.Errorf(core.Unavailable, "%s did not send a test delivery: %s", provider, shownError(err))
}
