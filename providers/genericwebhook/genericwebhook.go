// Package genericwebhook starts agents by any HTTP request: the user hands the
// address of an agent to a program, or to a vendor that has no integration here,
// and what that sends is the agent's input.
package genericwebhook

import (
	"context"

	"agentserver/core"
)

// settings are the operator's, under providers.generic_webhook.
type settings struct {
	RequireSignature bool `key:"require_signature" doc:"Refuse deliveries that carry no signature (X-Hub-Signature-256)" default:"false"`
}

var config = &settings{}

var provider = &core.Provider{
	Name:     "generic_webhook",
	Title:    "Generic webhook",
	Settings: config,
	Webhooks: &manager{settings: config},
	Blocks:   []core.Block{trigger},
}

func init() { core.Register(provider) }

type triggerInput struct {
	Payload   map[string]any `json:"payload" factory:"{}" advanced:"true" hidden:"true" doc:"What was delivered"`
	Constants map[string]any `json:"constants" factory:"{}" advanced:"true" doc:"Values that the agent gets with every delivery"`
}

type triggerOutput struct {
	Payload   core.Pin[map[string]any] `json:"payload" doc:"What was delivered"`
	Constants core.Pin[map[string]any] `json:"constants" doc:"The constants"`
}

var trigger = core.NewBlock(core.BlockSpec{
	ID: "8fa8c167-2002-47ce-aba8-97572fc5d387", Name: "GenericWebhookTriggerBlock",
	Description: "Starts the agent when something is sent to its address.",
	Categories:  []core.Category{core.CategoryInput},
	Webhook:     &core.WebhookConfig{Provider: "generic_webhook", Type: eventType, Manual: true},
}, func(_ context.Context, _ *core.Run, in *triggerInput, out *triggerOutput) error {
	out.Constants.Emit(in.Constants)
	out.Payload.Emit(in.Payload)
	return nil
})
