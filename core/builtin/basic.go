package builtin

import (
	"context"
	"slices"

	"agentserver/core"
)

func basicBlocks() []core.Block {
	return []core.Block{storeValue(), note(), typeConverter(), reverseList()}
}

func storeValue() core.Block {
	type input struct {
		Input any `json:"input" doc:"Value that is passed on, and that starts the block"`
		Data  any `json:"data" default:"null" doc:"Value that is passed on instead, unless it is empty"`
	}
	type output struct {
		Output core.Pin[any] `json:"output" doc:"The value, kept for every later use"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "1ff065e9-88e8-4358-9d82-8dc91f622ba9", Name: "StoreValueBlock", Static: true,
		Description: "Keeps a value and hands it on as often as later steps need it.",
		Categories:  []core.Category{core.CategoryBasic},
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		if core.Truthy(in.Data) {
			out.Output.Emit(in.Data)
		} else {
			out.Output.Emit(in.Input)
		}
		return nil
	})
}

func note() core.Block {
	type input struct {
		Text string `json:"text" doc:"What the note says"`
	}
	type output struct {
		Output core.Pin[string] `json:"output" doc:"The note's text"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "cc10ff7b-7753-4ff2-9af6-9399b1a7eddc", Name: "NoteBlock", UI: core.UINote,
		Description: "A note for the people who read the agent. It does nothing in a run.",
		Categories:  []core.Category{core.CategoryBasic},
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		out.Output.Emit(in.Text)
		return nil
	})
}

// TypeOptions is a type that a value can be converted to.
type TypeOptions string

// Enum gives the types.
func (TypeOptions) Enum() []string {
	return []string{"string", "number", "boolean", "list", "dictionary"}
}

// conversionTargets are the schemas that stand for the types.
var conversionTargets = map[TypeOptions]*core.Object{
	"string":     core.NewObject("type", "string"),
	"number":     core.NewObject("type", "number"),
	"boolean":    core.NewObject("type", "boolean"),
	"list":       core.NewObject("type", "array"),
	"dictionary": core.NewObject("type", "object"),
}

func typeConverter() core.Block {
	type input struct {
		Value any         `json:"value" doc:"Value to convert"`
		Type  TypeOptions `json:"type" doc:"Type to convert it to"`
	}
	type output struct {
		Value core.Pin[any] `json:"value" doc:"The converted value"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "95d1b990-ce13-4d88-9737-ba5c2070c97b", Name: "UniversalTypeConverterBlock",
		Description: "Turns a value into text, a number, yes or no, a list or a dictionary.",
		Categories:  []core.Category{core.CategoryBasic},
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		v, err := core.Coerce(conversionTargets[in.Type], in.Value)
		if err != nil {
			return core.Errorf(core.Invalid, "Failed to convert value: %w", err)
		}
		out.Value.Emit(v)
		return nil
	})
}

func reverseList() core.Block {
	type input struct {
		List []any `json:"input_list" doc:"List to reverse"`
	}
	type output struct {
		List core.Pin[[]any] `json:"reversed_list" doc:"The list from its end to its start"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "422cb708-3109-4277-bfe3-bc2ae5812777", Name: "ReverseListOrderBlock",
		Description: "Turns the order of a list around.",
		Categories:  []core.Category{core.CategoryBasic},
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		list := slices.Clone(in.List)
		slices.Reverse(list)
		out.List.Emit(list)
		return nil
	})
}
