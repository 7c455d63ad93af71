package webhook

import (
	"agentserver/core"
	"agentserver/core/db"
)

// Webhook is a subscription as its owner sees it.
type Webhook struct {
	ID            string         `json:"id"`
	UserID        string         `json:"user_id"`
	Provider      string         `json:"provider"`
	CredentialsID string         `json:"credentials_id" doc:"Empty for webhooks that the user sets up at the vendor"`
	WebhookType   string         `json:"webhook_type"`
	Resource      string         `json:"resource"`
	Events        []string       `json:"events"`
	Config        map[string]any `json:"config"`
	// Secret is shown only where users need it at the vendor: for manual webhooks.
	Secret            string `json:"secret" doc:"Given for webhooks that the user sets up at the vendor, else empty"`
	ProviderWebhookID string `json:"provider_webhook_id"`
	URL               string `json:"url" readOnly:"true" doc:"Where the vendor sends deliveries"`
}

// States of a webhook.
const (
	// registering is from before the request to the vendor until its answer is
	// stored, so that nothing which may exist there is forgotten.
	registering = "registering"
	active      = "active"
	// retired takes no deliveries and is being deregistered.
	retired = "retired"
)

// row is a webhook.
type row struct {
	ID                string `gorm:"primaryKey"`
	UserID            string
	Provider          string
	CredentialsID     string
	WebhookType       string
	Resource          string
	Events            db.JSON[[]string]
	Config            db.JSON[map[string]any]
	ProviderWebhookID string
	State             string
	Attempts          int // at deregistering
	LastError         string
	RetiredAt         db.Time
	CreatedAt         db.Time
	UpdatedAt         db.Time
}

// TableName is webhooks.
func (row) TableName() string { return "webhooks" }

// Models are the row types of this room, for the schema test.
func Models() []any { return []any{&row{}, &deliveryRow{}} }

// manual webhooks are set up at the vendor by the user.
func (r *row) manual() bool { return r.CredentialsID == "" }

// contract gives the webhook in the form that managers know.
func (s *Service) contract(r *row) core.Webhook {
	return core.Webhook{
		ID: r.ID, UserID: r.UserID, Provider: r.Provider, Type: r.WebhookType, Resource: r.Resource, Events: r.Events.V,
		Secret: s.secret(r.ID), ProviderID: r.ProviderWebhookID, Config: r.Config.V, IngressURL: s.ingressURL(r),
	}
}

// shown gives the webhook in the form that its owner sees.
func (s *Service) shown(r *row) *Webhook {
	w := &Webhook{
		ID: r.ID, UserID: r.UserID, Provider: r.Provider, CredentialsID: r.CredentialsID, WebhookType: r.WebhookType,
		Resource: r.Resource, Events: r.Events.V, Config: r.Config.V, ProviderWebhookID: r.ProviderWebhookID, URL: s.ingressURL(r),
	}
	if w.Events == nil {
		w.Events = []string{}
	}
	if w.Config == nil {
		w.Config = map[string]any{}
	}
	if r.manual() && s.key != "" {
		w.Secret = s.secret(r.ID).Reveal()
	}
	return w
}

func (s *Service) ingressURL(r *row) string {
	return s.config.PublicURL + "/api/integrations/" + r.Provider + "/webhooks/" + r.ID + "/ingress"
}
