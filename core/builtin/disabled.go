package builtin

import (
	"context"

	"agentserver/core"
)

// disabledBlocks are here for the saved agents that hold them.
func disabledBlocks() []core.Block { return []core.Block{printToConsole(), blockInstallation()} }

func printToConsole() core.Block {
	type input struct {
		Text any `json:"text" doc:"What to print"`
	}
	type output struct {
		Output core.Pin[any]    `json:"output" doc:"What was printed"`
		Status core.Pin[string] `json:"status" doc:"That it was printed"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "f3b1c1b2-4c4f-4f0d-8d2f-4c4f0d8d2f4c", Name: "PrintToConsoleBlock", Sensitive: true,
		Description: "Writes a value to the log of the server.",
		Disabled:    "it would put what users work with into the log of the server",
		Categories:  []core.Category{core.CategoryBasic},
	}, func(ctx context.Context, run *core.Run, in *input, out *output) error {
		run.Log.InfoContext(ctx, "printed by an agent", "text", brief(core.Text(in.Text)))
		out.Output.Emit(in.Text)
		out.Status.Emit("printed")
		return nil
	})
}

func blockInstallation() core.Block {
	type input struct {
		Code string `json:"code" doc:"Source of the block"`
	}
	type output struct {
		Success core.Pin[string] `json:"success" doc:"That the block was installed"`
	}
	const reason = "the server never runs code that users bring"
	return core.NewBlock(core.BlockSpec{
		ID: "45e78db5-03e9-447f-9395-308d712f5f08", Name: "BlockInstallationBlock", ErrorPin: core.ErrorPinDeclared,
		Description: "Was meant to add blocks from source code.",
		Disabled:    reason,
		Categories:  []core.Category{core.CategoryBasic},
	}, func(context.Context, *core.Run, *input, *output) error {
		return core.Errorf(core.Forbidden, "blocks cannot be installed: %s", reason)
	})
}
