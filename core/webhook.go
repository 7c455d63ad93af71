package core

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// WebhookManager is a provider's side of incoming webhooks: it tells genuine
// deliveries from forged ones. That is enough for webhooks which users set up at
// the vendor themselves; a manager that sets them up is a [WebhookRegistrar] too.
type WebhookManager interface {
	// Receive checks a delivery, in constant time and over the raw body, and
	// gives its event. An error of kind [Forbidden] means that it is forged, one
	// of kind [Invalid] that it cannot be read. It does no I/O.
	Receive(hook Webhook, d Delivery) (WebhookEvent, error)
}

// WebhookRegistrar is implemented by managers that set webhooks up at their
// vendor. Requests go through the Doer. Errors are shown to users and must not
// hold a secret.
type WebhookRegistrar interface {
	// Register makes the vendor send the hook's events to hook.IngressURL. It is
	// called again after a lost answer: what an earlier call with the same
	// IngressURL left at the vendor is replaced.
	Register(ctx context.Context, http Doer, hook Webhook, c Credential) (WebhookRegistration, error)
	// Deregister undoes Register, also when it is not known what that did:
	// hook.ProviderID is "" when its answer was lost. It gives nil when nothing
	// is left.
	Deregister(ctx context.Context, http Doer, hook Webhook, c Credential) error
}

// WebhookRegistration is what a vendor said to a registration.
type WebhookRegistration struct {
	// ProviderID is the vendor's id of the subscription, "" when it has none.
	ProviderID string
	// Config is what to remember of it. It is shown to the user and holds no
	// secret.
	Config map[string]any
}

// WebhookUpdater is implemented by managers that can change the events of a
// registered webhook. There is one webhook for each resource of a credential
// then, with the events of all its triggers, and not one for each set of events.
type WebhookUpdater interface {
	// Update makes the vendor send hook.Events, which have grown.
	Update(ctx context.Context, http Doer, hook Webhook, c Credential) (WebhookRegistration, error)
}

// WebhookPinger is implemented by managers whose vendor can be asked to send a
// test delivery, whose event type is [PingEvent].
type WebhookPinger interface {
	Ping(ctx context.Context, http Doer, hook Webhook, c Credential) error
}

// PingEvent is the type of test deliveries. They start nothing.
const PingEvent = "ping"

// Webhook is a subscription.
type Webhook struct {
	ID       string
	UserID   string
	Provider string
	// Type is the manager's kind of webhook, such as "repo".
	Type string
	// Resource is what it is about, such as "owner/repo"; "" for manual ones.
	Resource string
	// Events are those that triggers wait for, formatted, such as
	// "pull_request.opened". Empty means that they take every one.
	Events []string
	// Secret is made for the webhook: 64 hexadecimal digits.
	Secret     Secret
	ProviderID string
	Config     map[string]any
	IngressURL string
}

// Delivery is a request of a vendor.
type Delivery struct {
	Header http.Header
	Query  url.Values
	Body   []byte
}

// WebhookEvent is a delivery that was found genuine.
type WebhookEvent struct {
	// Type is matched with the events that a block waits for.
	Type string
	// DeliveryID is the vendor's id of this delivery, "" when it has none. Of
	// several with the same id only the first counts.
	DeliveryID string
	// ReplayKey stays the same when somebody sends a delivery again that they have
	// seen, whatever they change of what is not signed: the signature, where it
	// covers all that is read. "" when DeliveryID is as trustworthy as the rest. Of
	// several with the same key only the first counts.
	ReplayKey string
	Payload   map[string]any
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
	// EventFilter names an input, an object of booleans.
	EventFilter string
	// EventFormat turns a key of the filter into an event type, such as
	// "issues.{event}"; "" is the key itself. Without a filter it is the one event
	// that starts the block, or "" for every one.
	EventFormat string
}

// Event gives the event type for a key of the filter.
func (w *WebhookConfig) Event(key string) string {
	if w.EventFormat == "" {
		return key
	}
	return strings.ReplaceAll(w.EventFormat, "{event}", key)
}
