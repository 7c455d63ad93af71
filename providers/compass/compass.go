// Package compass starts agents by what the Compass recorder has written down.
// The user enters the agent's address in the Compass app, which then sends each
// transcription there.
package compass

import (
	"context"

	"agentserver/core"
)

var provider = &core.Provider{
	Name:     "compass",
	Title:    "Compass AI",
	Webhooks: manager{},
	Blocks:   []core.Block{trigger},
}

func init() { core.Register(provider) }

// TranscriptionDataModel is what the app sends. Only the text is asked for: a
// delivery should not be lost for what the agent does not get.
type TranscriptionDataModel struct {
	Date           any    `json:"date" default:"null" doc:"When it was recorded"`
	Transcription  string `json:"transcription" doc:"The whole text"`
	Transcriptions any    `json:"transcriptions" default:"null" doc:"The text in parts, each with its speaker, start, end and duration"`
}

type triggerInput struct {
	Payload TranscriptionDataModel `json:"payload" hidden:"true" doc:"What the app sent"`
}

type triggerOutput struct {
	Transcription core.Pin[string] `json:"transcription" doc:"The whole text"`
}

var trigger = core.NewBlock(core.BlockSpec{
	ID: "9464a020-ed1d-49e1-990f-7f2ac924a2b7", Name: "CompassAITriggerBlock",
	Description: "Starts the agent when a Compass recording has been transcribed.",
	Categories:  []core.Category{core.CategoryHardware},
	Webhook:     &core.WebhookConfig{Provider: "compass", Type: eventType, Manual: true},
}, func(_ context.Context, _ *core.Run, in *triggerInput, out *triggerOutput) error {
	out.Transcription.Emit(in.Payload.Transcription)
	return nil
})
