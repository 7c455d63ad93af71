package compass

import "agentserver/core"

// eventType is the only type of webhook, and of its events.
const eventType = "transcription"

// manager takes what the app sends. The app signs nothing and numbers nothing:
// the secrecy of the address is all there is.
type manager struct{}

var _ core.WebhookManager = manager{}

// Receive implements [core.WebhookManager].
func (manager) Receive(_ core.Webhook, d core.Delivery) (core.WebhookEvent, error) {
	body, err := core.DecodeObject(d.Body)
	if err != nil {
		return core.WebhookEvent{}, err
	}
	if _, ok := body["transcription"].(string); !ok {
		return core.WebhookEvent{}, core.Errorf(core.Invalid, "the body needs a transcription, which is text")
	}
	return core.WebhookEvent{Type: eventType, Payload: body}, nil
}
