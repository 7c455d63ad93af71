package builtin

import (
	"context"

	"agentserver/core"
	"agentserver/core/template"
)

func outputBlocks() []core.Block { return []core.Block{agentOutput()} }

func agentOutput() core.Block {
	type input struct {
		Value       any     `json:"value" default:"null" advanced:"false" doc:"What the agent gives out"`
		Name        string  `json:"name" doc:"Name of the agent's output"`
		Title       *string `json:"title" doc:"Label shown instead of the name"`
		Description *string `json:"description" doc:"What the output holds"`
		Format      string  `json:"format" default:"" doc:"Jinja template that makes a text of the value, which it sees under the output's name"`
		EscapeHTML  bool    `json:"escape_html" default:"false" doc:"Escape HTML in what the template prints"`
		Advanced    bool    `json:"advanced" default:"false" doc:"Show the output among the advanced ones"`
		Secret      bool    `json:"secret" default:"false" doc:"Hide the value"`
	}
	type output struct {
		Output core.Pin[any] `json:"output" doc:"The value, or the text made of it"`
		Name   core.Pin[any] `json:"name" doc:"The output's name, when there is no template"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "363ae599-353e-4804-937e-b2ee3cef3da4", Name: "AgentOutputBlock",
		Description: "Gives a value to whoever ran the agent, as it is or as formatted text.",
		Categories:  []core.Category{core.CategoryOutput, core.CategoryBasic},
		UI:          core.UIOutput, Static: true, ErrorPin: core.ErrorPinNone,
	}, func(ctx context.Context, _ *core.Run, in *input, out *output) error {
		if in.Format == "" {
			out.Output.Emit(in.Value)
			out.Name.Emit(in.Name)
			return nil
		}
		text, err := template.Render(ctx, in.Format, map[string]any{in.Name: in.Value}, template.Options{EscapeHTML: in.EscapeHTML})
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			// A broken template must not hide the agent's result.
			text = "Error: " + err.Error() + ", " + printed(in.Value)
		}
		out.Output.Emit(text)
		return nil
	})
}

// printed is a value as text for people.
func printed(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return core.Repr(v)
}
