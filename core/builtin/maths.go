package builtin

import (
	"context"
	"math"
	"unicode/utf8"

	"agentserver/core"
)

func mathBlocks() []core.Block { return []core.Block{calculator(), countItems()} }

// Operation is what the calculator does.
type Operation string

// Enum gives the operations.
func (Operation) Enum() []string {
	return []string{"Add", "Subtract", "Multiply", "Divide", "Power"}
}

func calculator() core.Block {
	type input struct {
		Operation Operation `json:"operation" placeholder:"Select an operation" doc:"What to do with the two numbers"`
		A         float64   `json:"a" placeholder:"For example: 10" doc:"First number"`
		B         float64   `json:"b" placeholder:"For example: 5" doc:"Second number"`
		Round     bool      `json:"round_result" default:"false" doc:"Round the result to a whole number"`
	}
	type output struct {
		Result core.Pin[float64] `json:"result" doc:"The result; null when there is none, as after a division by zero"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "b1ab9b19-67a6-406d-abf5-2dba76d00c79", Name: "CalculatorBlock",
		Description: "Adds, subtracts, multiplies, divides or raises two numbers.",
		Categories:  []core.Category{core.CategoryLogic},
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		result := calculate(in.Operation, in.A, in.B)
		if in.Round {
			if math.IsInf(result, 0) {
				result = math.NaN()
			}
			result = math.RoundToEven(result)
		}
		out.Result.Emit(result)
		return nil
	})
}

func calculate(operation Operation, a, b float64) float64 {
	switch operation {
	case "Add":
		return a + b
	case "Subtract":
		return a - b
	case "Multiply":
		return a * b
	case "Divide":
		if b == 0 {
			return math.Inf(1)
		}
		return a / b
	}
	if a == 0 && b < 0 {
		return math.Inf(1)
	}
	power := math.Pow(a, b)
	if math.IsInf(power, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
		return math.NaN()
	}
	return power
}

func countItems() core.Block {
	type input struct {
		Collection any `json:"collection" doc:"List, dictionary or text"`
	}
	type output struct {
		Count core.Pin[int] `json:"count" doc:"Number of items, members or characters; -1 for other values"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "3c9c2f42-b0c3-435f-ba35-05f7a25c772a", Name: "CountItemsBlock",
		Description: "Counts the items of a list, the members of a dictionary or the characters of a text.",
		Categories:  []core.Category{core.CategoryLogic},
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		switch c := in.Collection.(type) {
		case []any:
			out.Count.Emit(len(c))
		case map[string]any:
			out.Count.Emit(len(c))
		case string:
			out.Count.Emit(utf8.RuneCountInString(c))
		default:
			out.Count.Emit(-1)
		}
		return nil
	})
}
