package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"agentserver/core"
)

// Receive implements [core.WebhookManager]. GitHub signs the body, but neither
// the name of the event nor the id of the delivery, so the signature tells a
// delivery from one that is played again. It does not for test deliveries: two
// of them may be the same in every byte, and neither starts anything.
//
// See https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
func (webhooks) Receive(hook core.Webhook, d core.Delivery) (core.WebhookEvent, error) {
	signature := d.Header.Get("X-Hub-Signature-256")
	if signature == "" {
		return core.WebhookEvent{}, core.Errorf(core.Forbidden, "X-Hub-Signature-256 header is missing!")
	}
	sum, ok := verify(hook.Secret, signature, d.Body)
	if !ok {
		return core.WebhookEvent{}, core.Errorf(core.Forbidden, "Request signatures didn't match!")
	}
	name := d.Header.Get("X-GitHub-Event")
	if name == "" {
		return core.WebhookEvent{}, core.Errorf(core.Invalid, "X-GitHub-Event header is missing!")
	}
	value, err := core.DecodeJSON(d.Body)
	if err != nil {
		return core.WebhookEvent{}, core.Errorf(core.Invalid, "the body is not JSON")
	}
	body, ok := value.(map[string]any)
	if !ok {
		return core.WebhookEvent{}, core.Errorf(core.Invalid, "the body is not a JSON object")
	}
	if action := payload(body).text("action"); action != "" {
		name += "." + action
	}
	event := core.WebhookEvent{Type: name, DeliveryID: d.Header.Get("X-GitHub-Delivery"), Payload: body}
	if name != core.PingEvent {
		event.ReplayKey = hex.EncodeToString(sum)
	}
	return event, nil
}

// verify checks a signature and gives its bytes. Without a secret there is
// nothing that could be genuine.
func verify(secret core.Secret, signature string, body []byte) ([]byte, bool) {
	digits, ok := strings.CutPrefix(signature, "sha256=")
	given, err := hex.DecodeString(digits)
	if !ok || err != nil || secret == "" {
		return nil, false
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	_, _ = mac.Write(body) // a hash never fails
	return given, hmac.Equal(given, mac.Sum(nil))
}
