package builtin

import (
	"context"

	"agentserver/core"
)

type reviewInput struct {
	Data     any    `json:"data" doc:"What is to be looked at"`
	Name     string `json:"name" doc:"What it is, for the person who looks at it"`
	Editable bool   `json:"editable" default:"true" doc:"Let that person change it"`
}

type reviewOutput struct {
	Approved core.Pin[any]    `json:"approved_data" doc:"The data, as the person left it, when it is approved"`
	Rejected core.Pin[any]    `json:"rejected_data" doc:"The data when it is rejected"`
	Message  core.Pin[string] `json:"review_message" default:"" doc:"What the person had to say, if anything"`
}

// humanInTheLoop asks a person, unless the run has the safe mode off. While
// there is no decision yet, the error that pauses the node passes through.
var humanInTheLoop = core.NewBlock(core.BlockSpec{
	ID: "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d", Name: "HumanInTheLoopBlock", UI: core.UIHumanInLoop,
	Description: "Waits until a person has approved, changed or rejected data.",
	Categories:  []core.Category{core.CategoryBasic},
}, func(ctx context.Context, run *core.Run, in *reviewInput, out *reviewOutput) error {
	if !run.ReviewSafeMode {
		out.Approved.Emit(in.Data)
		out.Message.Emit("Auto-approved (safe mode disabled)")
		return nil
	}
	decision, err := run.Review.Ask(ctx, run, in.Data, in.Name, in.Editable)
	if err != nil {
		return err
	}
	data := decision.Payload
	if data == nil {
		data = in.Data
	}
	if decision.Approved {
		out.Approved.Emit(data)
	} else {
		out.Rejected.Emit(data)
	}
	if decision.Message != "" {
		out.Message.Emit(decision.Message)
	}
	return nil
})
