package core

import (
	"context"
	"net/http"
)

// WebhookManager is a provider's side of incoming webhooks.
type WebhookManager interface {
	// Register makes the vendor send events of a resource to hook.IngressURL
	// and gives the vendor's id of the subscription and what to remember.
	Register(ctx context.Context, hook Webhook, c Credential) (providerID string, config map[string]any, err error)
	// Deregister undoes Register. It returns nil when it is already gone.
	Deregister(ctx context.Context, hook Webhook, c Credential) error
	// Receive checks the signature over the raw body, in constant time, and
	// gives the event. An error of kind Forbidden means a forged delivery.
	Receive(ctx context.Context, hook Webhook, r *http.Request, body []byte) (WebhookEvent, error)
}

// WebhookPinger is implemented by managers whose vendor can be asked to send a
// test delivery.
type WebhookPinger interface {
	Ping(ctx context.Context, hook Webhook, c Credential) error
}

// Webhook is a registered subscription.
type Webhook struct {
	ID         string
	UserID     string
	Provider   string
	Type       string
	Resource   string
	Events     []string
	Secret     Secret
	ProviderID string
	Config     map[string]any
	IngressURL string
}

// WebhookEvent is a delivery whose signature was checked.
type WebhookEvent struct {
	// Type is matched with the events a block subscribed to.
	Type string
	// DeliveryID is the vendor's id of this delivery, "" when it has none.
	DeliveryID string
	Payload    map[string]any
}

// WebhookConfig makes a block a trigger.
type WebhookConfig struct {
	Provider string
	// Type is the manager's webhook type, such as "repo".
	Type string
	// Resource is a format such as "{repo}", filled from the block's inputs.
	// Manual triggers, which the user sets up at the vendor, have none.
	Resource string
	Manual   bool
	// EventFilter names an input, an object of booleans; "" means every event.
	EventFilter string
	// EventFormat turns a key of the filter into an event type.
	EventFormat string
}
