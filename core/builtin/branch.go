package builtin

import (
	"context"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"agentserver/core"
)

func branchBlocks() []core.Block {
	return []core.Block{condition(), inputMatches(), stepThrough()}
}

// ComparisonOperator compares the two values of a condition.
type ComparisonOperator string

// Enum gives the operators.
func (ComparisonOperator) Enum() []string { return []string{"==", "!=", ">", "<", ">=", "<="} }

type branchOutput struct {
	Result core.Pin[bool] `json:"result" doc:"Whether the condition holds"`
	Yes    core.Pin[any]  `json:"yes_output" doc:"Fires when the condition holds"`
	No     core.Pin[any]  `json:"no_output" doc:"Fires when it does not"`
}

func (o *branchOutput) emit(holds bool, yes, no any) {
	o.Result.Emit(holds)
	if holds {
		o.Yes.Emit(yes)
	} else {
		o.No.Emit(no)
	}
}

func condition() core.Block {
	type input struct {
		Value1   any                `json:"value1" doc:"Left side; text that is a number counts as one"`
		Operator ComparisonOperator `json:"operator" placeholder:"Select an operator" doc:"How to compare"`
		Value2   any                `json:"value2" doc:"Right side; text that is a number counts as one"`
		Yes      any                `json:"yes_value" default:"null" doc:"What goes out when the condition holds; the left side when empty"`
		No       any                `json:"no_value" default:"null" doc:"What goes out when it does not; the right side when empty"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "715696a0-e1da-45c8-b209-c2fa9c3b0be6", Name: "ConditionBlock",
		Description: "Compares two values and goes one way or the other.",
		Categories:  []core.Category{core.CategoryLogic},
	}, func(_ context.Context, _ *core.Run, in *input, out *branchOutput) error {
		left, right := numberIfText(in.Value1), numberIfText(in.Value2)
		holds, err := compare(left, right, in.Operator)
		if err != nil {
			return core.Errorf(core.Invalid, "Comparison failed: %w", err)
		}
		yes, no := in.Yes, in.No
		if yes == nil {
			yes = left
		}
		if no == nil {
			no = right
		}
		out.emit(holds, yes, no)
		return nil
	})
}

// numberIfText trims text, and gives the number it spells if it does.
func numberIfText(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "xXpP") {
		return s // hexadecimal floats are not numbers here
	}
	f, err := strconv.ParseFloat(withoutGroups(s), 64)
	if err != nil && !math.IsInf(f, 0) {
		return s
	}
	return f
}

// withoutGroups removes the underscores that separate digits, as in 1_000.
func withoutGroups(s string) string {
	if !strings.Contains(s, "_") {
		return s
	}
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	var b strings.Builder
	for i := range len(s) {
		if s[i] != '_' || !digit(i-1) || !digit(i+1) {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func compare(left, right any, operator ComparisonOperator) (bool, error) {
	switch operator {
	case "==":
		return equal(left, right), nil
	case "!=":
		return !equal(left, right), nil
	}
	c, ordered, err := order(left, right, string(operator))
	if err != nil || !ordered {
		return false, err
	}
	switch operator {
	case ">":
		return c > 0, nil
	case "<":
		return c < 0, nil
	case ">=":
		return c >= 0, nil
	}
	return c <= 0, nil
}

func inputMatches() core.Block {
	type input struct {
		Input any `json:"input" doc:"Value to look at"`
		Value any `json:"value" doc:"Value that it should equal"`
		Yes   any `json:"yes_value" default:"null" doc:"What goes out when they are equal"`
		No    any `json:"no_value" default:"null" doc:"What goes out when they are not"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "6dbbc4b3-ca6c-42b6-b508-da52d23e13f2", Name: "IfInputMatchesBlock",
		Description: "Goes one way when a value equals another, even one of a different type, and else the other way.",
		Categories:  []core.Category{core.CategoryLogic},
	}, func(_ context.Context, _ *core.Run, in *input, out *branchOutput) error {
		out.emit(equal(in.Input, in.Value) || equal(in.Input, toTypeOf(in.Input, in.Value)), in.Yes, in.No)
		return nil
	})
}

// toTypeOf converts a value to the type of another, or leaves it as it is when
// that is not possible.
func toTypeOf(model, v any) any {
	schema := "number"
	switch model.(type) {
	case bool:
		schema = "boolean"
	case string:
		schema = "string"
	case []any:
		schema = "array"
	case map[string]any:
		schema = "object"
	case int, int64:
		schema = "integer"
	}
	converted, err := core.Coerce(core.NewObject("type", schema), v)
	if err != nil {
		return v
	}
	return converted
}

const (
	// maxItemsText bounds the text that items are read from, in characters.
	maxItemsText = 1 << 20
	// maxItems bounds how often the block emits.
	maxItems = 10_000
)

type stepOutput struct {
	Item core.Pin[any] `json:"item" doc:"One item of the list, or one value of the dictionary"`
	Key  core.Pin[any] `json:"key" doc:"Its place in the list from 0, or its key"`
}

func stepThrough() core.Block {
	type input struct {
		Items  []any          `json:"items" factory:"[]" advanced:"false" placeholder:"[1, 2, 3]" doc:"List to go through"`
		Object map[string]any `json:"items_object" type:"object" factory:"{}" advanced:"false" doc:"Dictionary to go through"`
		Text   string         `json:"items_str" default:"" advanced:"false" doc:"List or dictionary to go through, as JSON text"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "f66a3543-28d3-4ab5-8945-9b336371e2ce", Name: "StepThroughItemsBlock",
		Description: "Goes through a list or a dictionary and hands on its items one by one.",
		Categories:  []core.Category{core.CategoryLogic},
	}, func(ctx context.Context, _ *core.Run, in *input, out *stepOutput) error {
		if len(in.Items) > 0 {
			if err := out.list(ctx, in.Items); err != nil {
				return err
			}
		}
		if len(in.Object) > 0 {
			if err := out.object(ctx, in.Object); err != nil {
				return err
			}
		}
		if in.Text == "" {
			return nil
		}
		if n := utf8.RuneCountInString(in.Text); n > maxItemsText {
			return core.Errorf(core.TooLarge, "Input too large: %d bytes > %d bytes", n, maxItemsText)
		}
		parsed, err := core.DecodeJSON([]byte(in.Text))
		if err != nil {
			return core.Errorf(core.Invalid, "items_str is not valid JSON: %w", err)
		}
		switch items := parsed.(type) {
		case []any:
			return out.list(ctx, items)
		case map[string]any:
			return out.object(ctx, items)
		case string:
			var characters []any
			for _, r := range items {
				characters = append(characters, string(r))
			}
			return out.list(ctx, characters)
		}
		return core.Errorf(core.Invalid, "'%s' object is not iterable", core.PythonType(parsed))
	})
}

func tooMany(n int) error {
	if n > maxItems {
		return core.Errorf(core.TooLarge, "Too many items: %d > %d", n, maxItems)
	}
	return nil
}

func (o *stepOutput) list(ctx context.Context, items []any) error {
	if err := tooMany(len(items)); err != nil {
		return err
	}
	for i, item := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		o.Item.Emit(item)
		o.Key.Emit(i)
	}
	return nil
}

func (o *stepOutput) object(ctx context.Context, items map[string]any) error {
	if err := tooMany(len(items)); err != nil {
		return err
	}
	for _, k := range core.SortedKeys(items) {
		if err := ctx.Err(); err != nil {
			return err
		}
		o.Item.Emit(items[k])
		o.Key.Emit(k)
	}
	return nil
}
