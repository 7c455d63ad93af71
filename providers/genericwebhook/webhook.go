package genericwebhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"agentserver/core"
)

// eventType is the only type of webhook, and of its events.
const eventType = "plain"

// signatureHeader is the one that GitHub made common: sha256=, and then the
// HMAC-SHA256 of the body with the webhook's secret in hexadecimal digits.
const signatureHeader = "X-Hub-Signature-256"

// idHeaders carry the id of a delivery, so that one which is sent again counts
// once: the second is that of Standard Webhooks.
var idHeaders = []string{"Idempotency-Key", "Webhook-Id"}

// maxID bounds the id of a delivery, in bytes.
const maxID = 256

// manager takes what is sent to a webhook's address.
type manager struct{ settings *settings }

var _ core.WebhookManager = (*manager)(nil)

// Receive implements [core.WebhookManager]. There is no replay key: a signature
// is the same for equal bodies, and those may well be meant twice.
func (m *manager) Receive(hook core.Webhook, d core.Delivery) (core.WebhookEvent, error) {
	if err := m.authenticate(hook, d); err != nil {
		return core.WebhookEvent{}, err
	}
	id, err := deliveryID(d.Header)
	if err != nil {
		return core.WebhookEvent{}, err
	}
	payload, err := payloadOf(d)
	if err != nil {
		return core.WebhookEvent{}, err
	}
	return core.WebhookEvent{Type: eventType, DeliveryID: id, Payload: payload}, nil
}

// authenticate checks the signature, if there is one or must be one. Without
// one, the secrecy of the address is all there is.
func (m *manager) authenticate(hook core.Webhook, d core.Delivery) error {
	given := d.Header.Values(signatureHeader)
	if len(given) == 0 {
		if m.settings.RequireSignature {
			return core.Errorf(core.Forbidden, "%s header is missing", signatureHeader)
		}
		return nil
	}
	digits, ok := strings.CutPrefix(given[0], "sha256=")
	signature, err := hex.DecodeString(digits)
	mac := hmac.New(sha256.New, []byte(hook.Secret.Reveal()))
	mac.Write(d.Body)
	if !ok || err != nil || hook.Secret == "" || len(given) > 1 || !hmac.Equal(signature, mac.Sum(nil)) {
		return core.Errorf(core.Forbidden, "%s does not match the body", signatureHeader)
	}
	return nil
}

func deliveryID(h http.Header) (string, error) {
	for _, name := range idHeaders {
		id := strings.TrimSpace(h.Get(name))
		if len(id) > maxID {
			return "", core.Errorf(core.Invalid, "%s is longer than %d characters", name, maxID)
		}
		if id != "" {
			return id, nil
		}
	}
	return "", nil
}

// payloadOf reads the body: a form, or JSON. What is no object is put into one,
// and no body is an empty one.
func payloadOf(d core.Delivery) (map[string]any, error) {
	if len(bytes.TrimSpace(d.Body)) == 0 {
		return map[string]any{}, nil
	}
	kind, _, err := mime.ParseMediaType(d.Header.Get("Content-Type"))
	if err == nil && kind == "application/x-www-form-urlencoded" && !looksLikeJSON(d.Body) {
		return form(d.Body)
	}
	body, err := core.DecodeBody(d.Body)
	if err != nil {
		return nil, err
	}
	if o, ok := body.(map[string]any); ok {
		return o, nil
	}
	return map[string]any{"data": body}, nil
}

// looksLikeJSON tells JSON that is called a form, as curl calls all that it
// sends, from a form: the name of no field is an object or a list.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimSpace(body)
	return (body[0] == '{' || body[0] == '[') && json.Valid(body)
}
