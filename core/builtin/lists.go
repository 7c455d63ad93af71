package builtin

import (
	"context"
	"slices"

	"agentserver/core"
)

func listBlocks() []core.Block {
	return []core.Block{
		createList(), addToList(), findInList(), getListItem(), removeFromList(), replaceListItem(), listIsEmpty(),
	}
}

type updatedList struct {
	List core.Pin[[]any] `json:"updated_list" doc:"The changed list"`
}

func createList() core.Block {
	type input struct {
		Values    []any `json:"values" placeholder:"e.g., ['Alice', 25, True]" doc:"Items of the list"`
		MaxSize   *int  `json:"max_size" doc:"Start another list after this many items"`
		MaxTokens *int  `json:"max_tokens" doc:"Start another list before one holds more tokens of a language model than this"`
	}
	type output struct {
		List core.Pin[[]any] `json:"list" doc:"A list; fires once for each when the limits make several"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "a912d5c7-6e00-4542-b2a9-8034136930e4", Name: "CreateListBlock",
		Description: "Makes a list of the items given, or several of limited size.",
		Categories:  []core.Category{core.CategoryData},
	}, func(ctx context.Context, _ *core.Run, in *input, out *output) error {
		maxSize, maxTokens := limit(in.MaxSize), limit(in.MaxTokens)
		chunk, tokens := []any{}, 0
		for _, v := range in.Values {
			n := 0
			if maxTokens > 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
				var err error
				if n, err = countTokens(v); err != nil {
					return err
				}
			}
			full := maxSize > 0 && len(chunk) >= maxSize || maxTokens > 0 && tokens+n > maxTokens
			if full && len(chunk) > 0 {
				out.List.Emit(chunk)
				chunk, tokens = []any{}, 0
			}
			chunk, tokens = append(chunk, v), tokens+n
		}
		if len(chunk) > 0 || len(in.Values) == 0 {
			out.List.Emit(chunk)
		}
		return nil
	})
}

// limit gives a limit that may be left out; 0 is none.
func limit(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func addToList() core.Block {
	type input struct {
		List     []any `json:"list" factory:"[]" advanced:"false" doc:"List to add to; a new one when left out"`
		Entry    any   `json:"entry" default:"null" advanced:"false" doc:"Item to add"`
		Entries  []any `json:"entries" factory:"[]" doc:"Further items to add, before the other"`
		Position *int  `json:"position" doc:"Place of the first added item, from 0; negative numbers count from the end. The end when left out"`
	}
	return core.NewBlock(basicSpec("aeb08fc1-2fc1-4141-bc8e-f758f183a822", "AddToListBlock",
		"Adds items to a list."),
		func(_ context.Context, _ *core.Run, in *input, out *updatedList) error {
			added := slices.Clone(in.Entries)
			if in.Entry != nil {
				added = append(added, in.Entry)
			}
			at := len(in.List)
			if in.Position != nil {
				at = *in.Position
				if at < 0 {
					at += len(in.List)
				}
				at = max(0, min(at, len(in.List)))
			}
			out.List.Emit(concat(in.List[:at], added, in.List[at:]))
			return nil
		})
}

// concat puts lists together; the result is never nil, which JSON would show.
func concat(lists ...[]any) []any {
	out := []any{}
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// indexOf gives the place of the first equal item, or -1.
func indexOf(list []any, v any) int {
	return slices.IndexFunc(list, func(x any) bool { return equal(x, v) })
}

// place gives where an index points, counting from the end when it is negative.
func place(list []any, index int) (int, bool) {
	if index < 0 {
		index += len(list)
	}
	return index, index >= 0 && index < len(list)
}

func errIndex() error { return core.Errorf(core.Invalid, "Index out of range") }

func findInList() core.Block {
	type input struct {
		List  []any `json:"list" doc:"List to look into"`
		Value any   `json:"value" doc:"Item to look for"`
	}
	type output struct {
		Index    core.Pin[int]  `json:"index" doc:"Place of the item, from 0"`
		Found    core.Pin[bool] `json:"found" doc:"Whether the item is in the list"`
		NotFound core.Pin[any]  `json:"not_found_value" doc:"The item, when it is not in the list"`
	}
	return core.NewBlock(basicSpec("5e2c6d0a-1e37-489f-b1d0-8e1812b23333", "FindInListBlock",
		"Tells where in a list an item is."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			if i := indexOf(in.List, in.Value); i >= 0 {
				out.Index.Emit(i)
				out.Found.Emit(true)
			} else {
				out.Found.Emit(false)
				out.NotFound.Emit(in.Value)
			}
			return nil
		})
}

func getListItem() core.Block {
	type input struct {
		List  []any `json:"list" doc:"List to take from"`
		Index int   `json:"index" doc:"Place of the item, from 0; negative numbers count from the end"`
	}
	type output struct {
		Item core.Pin[any] `json:"item" doc:"The item at that place"`
	}
	return core.NewBlock(basicSpec("262ca24c-1025-43cf-a578-534e23234e97", "GetListItemBlock",
		"Takes the item at a place in a list."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			i, ok := place(in.List, in.Index)
			if !ok {
				return errIndex()
			}
			out.Item.Emit(in.List[i])
			return nil
		})
}

func removeFromList() core.Block {
	type input struct {
		List   []any `json:"list" doc:"List to remove from"`
		Value  any   `json:"value" default:"null" doc:"Item to remove; the first one that is equal goes"`
		Index  *int  `json:"index" doc:"Place of the item to remove, from 0; used instead of the item"`
		Return bool  `json:"return_item" default:"false" doc:"Give the removed item, too"`
	}
	type output struct {
		updatedList
		Removed core.Pin[any] `json:"removed_item" doc:"The removed item, if asked for"`
	}
	return core.NewBlock(basicSpec("d93c5a93-ac7e-41c1-ae5c-ef67e6e9b826", "RemoveFromListBlock",
		"Removes an item from a list, by what it is or by where it is."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			at, ok := -1, false
			switch {
			case in.Index != nil:
				at, ok = place(in.List, *in.Index)
			case in.Value != nil:
				at = indexOf(in.List, in.Value)
				ok = at >= 0
			}
			if !ok {
				return core.Errorf(core.Invalid, "Index or value not found")
			}
			out.List.Emit(slices.Delete(slices.Clone(in.List), at, at+1))
			if in.Return {
				out.Removed.Emit(in.List[at])
			}
			return nil
		})
}

func replaceListItem() core.Block {
	type input struct {
		List  []any `json:"list" doc:"List to change"`
		Index int   `json:"index" doc:"Place of the item, from 0; negative numbers count from the end"`
		Value any   `json:"value" doc:"The new item"`
	}
	type output struct {
		updatedList
		Old core.Pin[any] `json:"old_item" doc:"The item before"`
	}
	return core.NewBlock(basicSpec("fbf62922-bea1-4a3d-8bac-23587f810b38", "ReplaceListItemBlock",
		"Puts another item at a place in a list."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			i, ok := place(in.List, in.Index)
			if !ok {
				return errIndex()
			}
			list := slices.Clone(in.List)
			list[i] = in.Value
			out.List.Emit(list)
			out.Old.Emit(in.List[i])
			return nil
		})
}

func listIsEmpty() core.Block {
	type input struct {
		List []any `json:"list" doc:"List to look at"`
	}
	type output struct {
		Empty core.Pin[bool] `json:"is_empty" doc:"Whether it has no items"`
	}
	return core.NewBlock(basicSpec("896ed73b-27d0-41be-813c-c1c1dc856c03", "ListIsEmptyBlock",
		"Tells whether a list has no items."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			out.Empty.Emit(len(in.List) == 0)
			return nil
		})
}
