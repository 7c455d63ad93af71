package builtin

import (
	"context"
	"time"

	"agentserver/core"
)

// inputHead and inputTail are around the value of every input block, which
// becomes an input of the whole agent under its name.
type inputHead struct {
	Name string `json:"name" doc:"Name of the agent's input"`
}

type inputTail struct {
	Title       *string `json:"title" doc:"Label shown instead of the name"`
	Description *string `json:"description" doc:"What the input is for, shown to those who run the agent"`
	Advanced    bool    `json:"advanced" default:"false" doc:"Show the input among the advanced ones"`
	Secret      bool    `json:"secret" default:"false" doc:"Hide what is typed into the input"`
}

func inputSpec(id, name, description string) core.BlockSpec {
	return core.BlockSpec{
		ID: id, Name: name, Description: description, UI: core.UIInput, Static: true, ErrorPin: core.ErrorPinNone,
		Categories: []core.Category{core.CategoryInput, core.CategoryBasic},
	}
}

func inputBlocks() []core.Block {
	return []core.Block{
		agentInput(), shortTextInput(), longTextInput(), numberInput(), dateInput(), timeInput(),
		fileInput(), dropdownInput(), toggleInput(), tableInput(), driveFileInput(),
	}
}

type anyResult struct {
	Result core.Pin[any] `json:"result" doc:"The value given to the agent"`
}

type textResult struct {
	Result core.Pin[string] `json:"result" doc:"The value given to the agent"`
}

func agentInput() core.Block {
	type input struct {
		inputHead
		Value any `json:"value" default:"null" doc:"Value used when the run gives none"`
		inputTail
	}
	return core.NewBlock(inputSpec("c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "AgentInputBlock",
		"Takes a value of any kind from whoever runs the agent."),
		func(_ context.Context, _ *core.Run, in *input, out *anyResult) error {
			if in.Value != nil {
				out.Result.Emit(in.Value)
			}
			return nil
		})
}

func shortTextInput() core.Block {
	type input struct {
		inputHead
		Value *string `json:"value" title:"Default Value" format:"short-text" advanced:"false" doc:"Text used when the run gives none"`
		inputTail
	}
	return core.NewBlock(inputSpec("7fcd3bcb-8e1b-4e69-903d-32d3d4a92158", "AgentShortTextInputBlock",
		"Takes one line of text from whoever runs the agent."),
		func(_ context.Context, _ *core.Run, in *input, out *textResult) error {
			if in.Value != nil {
				out.Result.Emit(*in.Value)
			}
			return nil
		})
}

func longTextInput() core.Block {
	type input struct {
		inputHead
		Value *string `json:"value" title:"Default Value" format:"long-text" advanced:"false" doc:"Text used when the run gives none"`
		inputTail
	}
	return core.NewBlock(inputSpec("90a56ffb-7024-4b2b-ab50-e26c5e5ab8ba", "AgentLongTextInputBlock",
		"Takes text of several lines from whoever runs the agent."),
		func(_ context.Context, _ *core.Run, in *input, out *textResult) error {
			if in.Value != nil {
				out.Result.Emit(*in.Value)
			}
			return nil
		})
}

func numberInput() core.Block {
	type input struct {
		inputHead
		Value *int `json:"value" title:"Default Value" advanced:"false" doc:"Number used when the run gives none"`
		inputTail
	}
	type output struct {
		Result core.Pin[int] `json:"result" doc:"The number given to the agent"`
	}
	return core.NewBlock(inputSpec("96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98", "AgentNumberInputBlock",
		"Takes a whole number from whoever runs the agent."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			if in.Value != nil {
				out.Result.Emit(*in.Value)
			}
			return nil
		})
}

func dateInput() core.Block {
	type input struct {
		inputHead
		Value *string `json:"value" title:"Default Value" format:"date" advanced:"false" doc:"Date used when the run gives none, as YYYY-MM-DD"`
		inputTail
	}
	type output struct {
		Result core.Pin[string] `json:"result" format:"date" doc:"The date given to the agent"`
	}
	return core.NewBlock(inputSpec("7e198b09-4994-47db-8b4d-952d98241817", "AgentDateInputBlock",
		"Takes a date from whoever runs the agent."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			if in.Value == nil {
				return nil
			}
			date, err := parseDate(*in.Value)
			if err != nil {
				return err
			}
			out.Result.Emit(date)
			return nil
		})
}

// parseDate reads a date, or a moment at midnight, and gives YYYY-MM-DD.
func parseDate(text string) (string, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05", time.DateTime, time.RFC3339Nano, "2006-01-02T15:04"} {
		t, err := time.Parse(layout, text)
		if err == nil && t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0 {
			return t.Format(time.DateOnly), nil
		}
	}
	return "", core.Errorf(core.Invalid, "'%s' is not a date: write it as YYYY-MM-DD", text)
}

func timeInput() core.Block {
	type input struct {
		inputHead
		Value *string `json:"value" title:"Default Value" format:"time" advanced:"false" doc:"Time of day used when the run gives none, as HH:MM or HH:MM:SS"`
		inputTail
	}
	type output struct {
		Result core.Pin[string] `json:"result" format:"time" doc:"The time of day given to the agent"`
	}
	return core.NewBlock(inputSpec("2a1c757e-86cf-4c7e-aacf-060dc382e434", "AgentTimeInputBlock",
		"Takes a time of day from whoever runs the agent."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			if in.Value == nil {
				return nil
			}
			clock, err := parseClock(*in.Value)
			if err != nil {
				return err
			}
			out.Result.Emit(clock)
			return nil
		})
}

// parseClock reads a time of day with or without seconds and zone, and gives it
// with seconds.
func parseClock(text string) (string, error) {
	for _, layout := range []string{"15:04:05", "15:04", "15:04:05Z07:00", "15:04Z07:00"} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		out := "15:04:05"
		if t.Nanosecond() != 0 {
			out += ".000000"
		}
		if len(layout) > len("15:04:05") {
			out += "-07:00"
		}
		return t.Format(out), nil
	}
	return "", core.Errorf(core.Invalid, "'%s' is not a time of day: write it as HH:MM or HH:MM:SS", text)
}

func toggleInput() core.Block {
	type input struct {
		inputHead
		Value bool `json:"value" title:"Default Value" default:"false" advanced:"false" doc:"Position of the switch when the run gives none"`
		inputTail
	}
	type output struct {
		Result core.Pin[bool] `json:"result" doc:"The position of the switch"`
	}
	return core.NewBlock(inputSpec("cbf36ab5-df4a-43b6-8a7f-f7ed8652116e", "AgentToggleInputBlock",
		"Takes yes or no from whoever runs the agent."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			out.Result.Emit(in.Value)
			return nil
		})
}
