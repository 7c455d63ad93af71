package coretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"agentserver/core"
)

// WebhookID is the id of the webhook in vectors. Its ingress URL is
// https://agents.example.com/api/integrations/<provider>/webhooks/<id>/ingress.
const WebhookID = "11111111-1111-4111-8111-111111111111"

// webhookFile is the name of the vectors of a provider's webhooks.
const webhookFile = "webhook.json"

// WebhookVectors is the content of testdata/webhook.json: a webhook, the
// deliveries that its vendor documents, and the requests that set it up.
type WebhookVectors struct {
	// Secret, Type, Resource, Events and Config are the hook's.
	Secret   string         `json:"secret"`
	Type     string         `json:"type"`
	Resource string         `json:"resource,omitempty"`
	Events   []string       `json:"events,omitempty"`
	Config   map[string]any `json:"config,omitempty"`
	// Credential is whose webhook it is; manual ones have none.
	Credential *Credential `json:"credential,omitempty"`
	// Signed names the headers that authenticate a delivery. It is empty only
	// where the vendor does not authenticate its deliveries.
	Signed []string `json:"signed"`
	// CoversBody says that they also authenticate the body.
	CoversBody bool               `json:"covers_body,omitempty"`
	Deliveries []WebhookDelivery  `json:"deliveries"`
	Register   []WebhookOperation `json:"register,omitempty"`
	Update     []WebhookOperation `json:"update,omitempty"`
	Deregister []WebhookOperation `json:"deregister,omitempty"`
	Ping       []WebhookOperation `json:"ping,omitempty"`
}

// WebhookDelivery is a delivery and what comes of it: an event, or a refusal.
type WebhookDelivery struct {
	Name    string              `json:"name"`
	Headers map[string]string   `json:"headers,omitempty"`
	Query   map[string][]string `json:"query,omitempty"`
	// Body is sent byte for byte as it stands in the file, or Text as it is.
	Body json.RawMessage `json:"body,omitempty"`
	Text string          `json:"text,omitempty"`
	// Event is the event's type. DeliveryID and ReplayKey are compared when they
	// are set. Payload is the body unless it is set.
	Event      string         `json:"event,omitempty"`
	DeliveryID string         `json:"delivery_id,omitempty"`
	ReplayKey  string         `json:"replay_key,omitempty"`
	Payload    map[string]any `json:"payload,omitempty"`
	// Rejected is the kind of the refusal, "forbidden" or "invalid", and Error a
	// part of its message.
	Rejected string `json:"rejected,omitempty"`
	Error    string `json:"error,omitempty"`
}

// WebhookOperation is a registration, an update, a deregistration or a ping.
type WebhookOperation struct {
	Name string `json:"name"`
	// Hook replaces members of the hook.
	Hook      WebhookState `json:"hook"`
	Exchanges []Exchange   `json:"exchanges"`
	// ProviderID and Config are what a registration or an update gives. For
	// deregistrations and pings, ProviderID is the hook's.
	ProviderID string         `json:"provider_id,omitempty"`
	Config     map[string]any `json:"config,omitempty"`
	// Error, when set, must be part of the failure's message.
	Error string `json:"error,omitempty"`
}

// WebhookState is what an operation finds in the hook. Members left out are
// those of the file.
type WebhookState struct {
	Resource   string         `json:"resource,omitempty"`
	Events     []string       `json:"events,omitempty"`
	ProviderID string         `json:"provider_id,omitempty"`
	Config     map[string]any `json:"config,omitempty"`
}

// loadWebhook reads the webhook vectors of a folder, nil when there are none.
func loadWebhook(dir string) (*WebhookVectors, error) {
	data, err := os.ReadFile(filepath.Join(dir, webhookFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	v := &WebhookVectors{}
	if err := d.Decode(v); err != nil {
		return nil, fmt.Errorf("%s: %w", webhookFile, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one value", webhookFile)
	}
	core.Numbers(v.Config)
	for _, list := range [][]WebhookOperation{v.Register, v.Update, v.Deregister, v.Ping} {
		for _, op := range list {
			core.Numbers(op.Config)
			core.Numbers(op.Hook.Config)
		}
	}
	return v, v.check()
}

// check holds the vectors to what the kit needs to derive its own cases.
func (v *WebhookVectors) check() error {
	switch {
	case len(v.Secret) < 8:
		return fmt.Errorf("%s: secret must have 8 characters or more, to be found where it must not be", webhookFile)
	case v.Type == "":
		return fmt.Errorf("%s: type is missing", webhookFile)
	case v.Signed == nil:
		return fmt.Errorf("%s: signed must name the headers that authenticate a delivery, [] if none do", webhookFile)
	case v.CoversBody && len(v.Signed) == 0:
		return fmt.Errorf("%s: covers_body without a signed header", webhookFile)
	}
	accepted := 0
	for _, d := range v.Deliveries {
		header := d.header()
		for _, name := range v.Signed {
			if d.Event != "" && header.Get(name) == "" {
				return fmt.Errorf("%s: delivery %q lacks the signed header %s", webhookFile, d.Name, name)
			}
		}
		switch {
		case (d.Event == "") == (d.Rejected == ""):
			return fmt.Errorf("%s: delivery %q needs an event, or to be rejected", webhookFile, d.Name)
		case d.Rejected != "" && kinds[d.Rejected] == 0:
			return fmt.Errorf("%s: delivery %q is rejected as forbidden or as invalid, not %q", webhookFile, d.Name, d.Rejected)
		case d.Body != nil && d.Text != "":
			return fmt.Errorf("%s: delivery %q has a body and a text", webhookFile, d.Name)
		case d.Rejected == "":
			accepted++
		}
	}
	if accepted == 0 {
		return fmt.Errorf("%s: there is no delivery that is accepted", webhookFile)
	}
	return nil
}

// kinds are the ways to refuse a delivery.
var kinds = map[string]core.Kind{"forbidden": core.Forbidden, "invalid": core.Invalid}

func (v *WebhookVectors) hook(provider string) core.Webhook {
	return core.Webhook{
		ID: WebhookID, UserID: "user-1", Provider: provider, Type: v.Type, Resource: v.Resource,
		Events: append([]string(nil), v.Events...), Secret: core.Secret(v.Secret), Config: v.Config,
		IngressURL: "https://agents.example.com/api/integrations/" + provider + "/webhooks/" + WebhookID + "/ingress",
	}
}

func (s WebhookState) apply(hook *core.Webhook) {
	if s.Resource != "" {
		hook.Resource = s.Resource
	}
	if s.Events != nil {
		hook.Events = s.Events
	}
	if s.ProviderID != "" {
		hook.ProviderID = s.ProviderID
	}
	if s.Config != nil {
		hook.Config = s.Config
	}
}

func (d WebhookDelivery) header() http.Header {
	h := http.Header{}
	for name, value := range d.Headers {
		h.Set(name, value)
	}
	return h
}

// delivery makes the request anew, so that no case sees what another changed.
func (d WebhookDelivery) delivery() core.Delivery {
	query := url.Values{}
	for name, values := range d.Query {
		query[name] = append([]string(nil), values...)
	}
	body := []byte(d.Text)
	if d.Body != nil {
		body = append([]byte(nil), d.Body...)
	}
	return core.Delivery{Header: d.header(), Query: query, Body: body}
}
