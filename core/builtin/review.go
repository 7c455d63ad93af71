package builtin

import (
	"context"

	"agentserver/core"
)

// humanInTheLoop lets a person look at data before a run goes on with it.
func humanInTheLoop() core.Block {
	type input struct {
		Data     any    `json:"data" doc:"What the person is shown, and may change"`
		Name     string `json:"name" doc:"What it is, in a few words, for the person"`
		Editable bool   `json:"editable" default:"true" doc:"Whether the person may change the data"`
	}
	type output struct {
		Approved core.Pin[any]    `json:"approved_data" doc:"The data as the person approved it"`
		Rejected core.Pin[any]    `json:"rejected_data" doc:"The data, when the person rejected it"`
		Message  core.Pin[string] `json:"review_message" optional:"true" doc:"What the person said"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d", Name: "HumanInTheLoopBlock",
		Description: "Waits until a person has approved or rejected the data, and possibly changed it.",
		Categories:  []core.Category{core.CategoryBasic}, UI: core.UIHumanInLoop,
	}, func(ctx context.Context, run *core.Run, in *input, out *output) error {
		if !run.ReviewSafeMode {
			out.Approved.Emit(in.Data)
			out.Message.Emit("Auto-approved (safe mode disabled)")
			return nil
		}
		decision, err := run.Review.Ask(ctx, run, in.Data, in.Name, in.Editable)
		if err != nil {
			return err
		}
		if decision.Approved {
			out.Approved.Emit(decision.Payload)
		} else {
			out.Rejected.Emit(decision.Payload)
		}
		out.Message.Emit(decision.Message)
		return nil
	})
}
