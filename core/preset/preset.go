package preset

import (
	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/execution"
	"agentserver/core/webhook"
)

// Preset is a saved set of inputs.
type Preset struct {
	GraphID      string                        `json:"graph_id"`
	GraphVersion int                           `json:"graph_version"`
	Inputs       core.Values                   `json:"inputs"`
	Credentials  map[string]core.CredentialRef `json:"credentials"`
	Name         string                        `json:"name"`
	Description  string                        `json:"description"`
	IsActive     bool                          `json:"is_active" default:"true"`
	WebhookID    *string                       `json:"webhook_id"`
	ID           string                        `json:"id"`
	UserID       string                        `json:"user_id"`
	CreatedAt    db.Time                       `json:"created_at" format:"date-time"`
	UpdatedAt    db.Time                       `json:"updated_at" format:"date-time"`
	Webhook      *webhook.Webhook              `json:"webhook"`
}

// Page is a page of presets.
type Page struct {
	Presets    []Preset             `json:"presets"`
	Pagination execution.Pagination `json:"pagination"`
}

// New is a preset to be saved: for a graph, or from a run with whose inputs it
// shares all.
type New struct {
	GraphID      string
	GraphVersion int
	Inputs       core.Values
	Credentials  map[string]core.CredentialRef
	WebhookID    *string
	// ExecutionID, when set, takes the place of all of the above.
	ExecutionID string

	Name        string
	Description string
	IsActive    bool
}

// Change changes a preset; what is nil stays.
type Change struct {
	Inputs      core.Values
	Credentials map[string]core.CredentialRef
	Name        *string
	Description *string
	IsActive    *bool
}

// TriggerSetup asks for a preset that a webhook starts.
type TriggerSetup struct {
	Name         string
	Description  string
	GraphID      string
	GraphVersion int
	// Config are inputs of the trigger node.
	Config      core.Values
	Credentials map[string]core.CredentialRef
}
