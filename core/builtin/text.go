package builtin

import (
	"context"
	"strings"

	"agentserver/core"
	"agentserver/core/template"
)

func textBlocks() []core.Block {
	return []core.Block{fillTemplate(), combineTexts(), splitText(), replaceText()}
}

func textSpec(id, name, description string) core.BlockSpec {
	return core.BlockSpec{ID: id, Name: name, Description: description, Categories: []core.Category{core.CategoryText}}
}

func fillTemplate() core.Block {
	type input struct {
		Values     map[string]any `json:"values" type:"object" doc:"Values that the template sees, by name"`
		Format     string         `json:"format" doc:"Jinja template, such as Hello, {{ name }}!"`
		EscapeHTML bool           `json:"escape_html" default:"false" doc:"Escape HTML in what the template prints"`
	}
	type output struct {
		Output core.Pin[string] `json:"output" doc:"The text made of the template"`
	}
	return core.NewBlock(textSpec("db7d8f02-2f44-4c55-ab7a-eae0941f0c30", "FillTextTemplateBlock",
		"Writes values into a text template."),
		func(ctx context.Context, _ *core.Run, in *input, out *output) error {
			text, err := template.Render(ctx, in.Format, in.Values, template.Options{EscapeHTML: in.EscapeHTML})
			if err != nil {
				return err
			}
			out.Output.Emit(text)
			return nil
		})
}

func combineTexts() core.Block {
	type input struct {
		Texts     []string `json:"input" doc:"Texts to put together"`
		Delimiter string   `json:"delimiter" default:"" doc:"What stands between them"`
	}
	type output struct {
		Output core.Pin[string] `json:"output" doc:"The combined text"`
	}
	return core.NewBlock(textSpec("e30a4d42-7b7d-4e6a-b36e-1f9b8e3b7d85", "CombineTextsBlock",
		"Puts several texts together into one."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			out.Output.Emit(strings.Join(in.Texts, in.Delimiter))
			return nil
		})
}

func splitText() core.Block {
	type input struct {
		Text      string `json:"text" doc:"Text to split"`
		Delimiter string `json:"delimiter" doc:"What separates the parts"`
		Strip     bool   `json:"strip" default:"true" doc:"Remove white space around each part"`
	}
	type output struct {
		Texts core.Pin[[]string] `json:"texts" doc:"The parts"`
	}
	return core.NewBlock(textSpec("d5ea33c8-a575-477a-b42f-2fe3be5055ec", "TextSplitBlock",
		"Splits a text into a list of parts."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			if in.Text == "" {
				out.Texts.Emit([]string{})
				return nil
			}
			if in.Delimiter == "" {
				return core.Errorf(core.Invalid, "empty separator")
			}
			parts := strings.Split(in.Text, in.Delimiter)
			if in.Strip {
				for i, part := range parts {
					parts[i] = strings.TrimSpace(part)
				}
			}
			out.Texts.Emit(parts)
			return nil
		})
}

// maxText bounds a text that a block makes of smaller ones, in bytes.
const maxText = 64 << 20

func replaceText() core.Block {
	type input struct {
		Text string `json:"text" doc:"Text to change"`
		Old  string `json:"old" doc:"What to replace, everywhere"`
		New  string `json:"new" doc:"What to put in its place"`
	}
	type output struct {
		Output core.Pin[string] `json:"output" doc:"The changed text"`
	}
	return core.NewBlock(textSpec("7e7c87ab-3469-4bcc-9abe-67705091b713", "TextReplaceBlock",
		"Replaces a part of a text wherever it occurs."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			if size := len(in.Text) + strings.Count(in.Text, in.Old)*(len(in.New)-len(in.Old)); size > maxText {
				return core.Errorf(core.TooLarge, "the result would be %d bytes long, more than %d", size, maxText)
			}
			out.Output.Emit(strings.ReplaceAll(in.Text, in.Old, in.New))
			return nil
		})
}
