package builtin

import (
	"context"
	"slices"

	"agentserver/core"
)

func listSetBlocks() []core.Block {
	return []core.Block{
		concatenateLists(), flattenList(), interleaveLists(), zipLists(), listDifference(), listIntersection(),
	}
}

// manyListsSpec is basicSpec with an error pin that is always listed.
func manyListsSpec(id, name, description string) core.BlockSpec {
	spec := basicSpec(id, name, description)
	spec.ErrorPin = core.ErrorPinDeclared
	return spec
}

// distinct keeps the first of equal items.
func distinct(list []any) []any {
	seen := make(map[string]bool, len(list))
	out := []any{}
	for _, v := range list {
		if id := identity(v); !seen[id] {
			seen[id] = true
			out = append(out, v)
		}
	}
	return out
}

// members gives the identities of a list's items.
func members(list []any) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, v := range list {
		set[identity(v)] = true
	}
	return set
}

// keep gives the items that are in a set, or those that are not.
func keep(list []any, set map[string]bool, in bool) []any {
	out := []any{}
	for _, v := range list {
		if set[identity(v)] == in {
			out = append(out, v)
		}
	}
	return out
}

func concatenateLists() core.Block {
	type input struct {
		Lists       [][]any `json:"lists" placeholder:"[[1, 2], [3, 4]]" doc:"Lists to put together"`
		Deduplicate bool    `json:"deduplicate" default:"false" doc:"Keep only the first of equal items"`
		RemoveNone  bool    `json:"remove_none" default:"false" doc:"Leave out items that are null"`
	}
	type output struct {
		List   core.Pin[[]any] `json:"concatenated_list" doc:"One list with the items of all"`
		Length core.Pin[int]   `json:"length" doc:"Number of its items"`
	}
	return core.NewBlock(manyListsSpec("3cf9298b-5817-4141-9d80-7c2cc5199c8e", "ConcatenateListsBlock",
		"Puts several lists together, one after the other."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			list := concat(in.Lists...)
			if in.RemoveNone {
				list = slices.DeleteFunc(list, func(v any) bool { return v == nil })
			}
			if in.Deduplicate {
				list = distinct(list)
			}
			out.List.Emit(list)
			out.Length.Emit(len(list))
			return nil
		})
}

// maxFlattenDepth bounds how deep the lists to flatten may nest.
const maxFlattenDepth = 1000

func flattenList() core.Block {
	type input struct {
		List     []any `json:"nested_list" placeholder:"[[1, [2, 3]], [4]]" doc:"List with lists in it"`
		MaxDepth int   `json:"max_depth" default:"-1" doc:"How many levels to flatten; -1 for all"`
	}
	type output struct {
		List   core.Pin[[]any] `json:"flattened_list" doc:"The flattened list"`
		Length core.Pin[int]   `json:"length" doc:"Number of its items"`
		Depth  core.Pin[int]   `json:"original_depth" doc:"How deep the lists nested before; 1 is a flat list"`
	}
	return core.NewBlock(manyListsSpec("cc45bb0f-d035-4756-96a7-fe3e36254b4d", "FlattenListBlock",
		"Makes one list of lists within lists."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			if in.MaxDepth < -1 {
				return core.Errorf(core.Invalid, "max_depth must be -1 (unlimited) or a non-negative integer, got %d", in.MaxDepth)
			}
			depth := listDepth(in.List)
			if depth > maxFlattenDepth {
				return core.Errorf(core.TooLarge, "Flattening exceeded maximum depth of %d levels. Input may be too deeply nested.", maxFlattenDepth)
			}
			levels := in.MaxDepth
			if levels < 0 {
				levels = depth
			}
			list := flatten([]any{}, in.List, levels)
			out.List.Emit(list)
			out.Length.Emit(len(list))
			out.Depth.Emit(depth)
			return nil
		})
}

// listDepth is 1 for a flat list. It looks no deeper than it has to.
func listDepth(list []any) int {
	depth, level := 0, [][]any{list}
	for len(level) > 0 && depth <= maxFlattenDepth {
		depth++
		var below [][]any
		for _, l := range level {
			for _, v := range l {
				if inner, ok := v.([]any); ok {
					below = append(below, inner)
				}
			}
		}
		level = below
	}
	return depth
}

func flatten(out, list []any, levels int) []any {
	for _, v := range list {
		inner, ok := v.([]any)
		if ok && levels > 0 {
			out = flatten(out, inner, levels-1)
		} else {
			out = append(out, v)
		}
	}
	return out
}

func interleaveLists() core.Block {
	type input struct {
		Lists [][]any `json:"lists" placeholder:"[[1, 2], ['a', 'b']]" doc:"Lists to take items from in turn"`
	}
	type output struct {
		List   core.Pin[[]any] `json:"interleaved_list" doc:"The first items of all lists, then the second ones, and so on"`
		Length core.Pin[int]   `json:"length" doc:"Number of its items"`
	}
	return core.NewBlock(manyListsSpec("9f616084-1d9f-4f8e-bc00-5b9d2a75cd75", "InterleaveListsBlock",
		"Mixes several lists by taking an item of each in turn."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			list := []any{}
			for i := range longest(in.Lists) {
				for _, l := range in.Lists {
					if i < len(l) {
						list = append(list, l[i])
					}
				}
			}
			out.List.Emit(list)
			out.Length.Emit(len(list))
			return nil
		})
}

func longest(lists [][]any) int {
	n := 0
	for _, l := range lists {
		n = max(n, len(l))
	}
	return n
}

func zipLists() core.Block {
	type input struct {
		Lists [][]any `json:"lists" placeholder:"[[1, 2, 3], ['a', 'b', 'c']]" doc:"Lists whose items belong together"`
		Pad   bool    `json:"pad_to_longest" default:"false" doc:"Go on to the end of the longest list instead of the shortest"`
		Fill  any     `json:"fill_value" default:"null" doc:"What stands for the missing items of shorter lists"`
	}
	type output struct {
		List   core.Pin[[][]any] `json:"zipped_list" doc:"Lists of the items with the same place"`
		Length core.Pin[int]     `json:"length" doc:"Number of these lists"`
	}
	return core.NewBlock(manyListsSpec("0d0e684f-5cb9-4c4b-b8d1-47a0860e0c07", "ZipListsBlock",
		"Brings the items together that have the same place in several lists."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			rows := longest(in.Lists)
			if !in.Pad {
				for _, l := range in.Lists {
					rows = min(rows, len(l))
				}
			}
			if rows*len(in.Lists) > maxZipped {
				return core.Errorf(core.TooLarge, "the result would hold %d items, more than %d", rows*len(in.Lists), maxZipped)
			}
			zipped := make([][]any, rows)
			for i := range zipped {
				for _, l := range in.Lists {
					v := in.Fill
					if i < len(l) {
						v = l[i]
					}
					zipped[i] = append(zipped[i], v)
				}
			}
			out.List.Emit(zipped)
			out.Length.Emit(rows)
			return nil
		})
}

// maxZipped bounds the result of zipping, which padding could blow up.
const maxZipped = 10_000_000

func listDifference() core.Block {
	type input struct {
		A         []any `json:"list_a" doc:"List to keep items of"`
		B         []any `json:"list_b" doc:"List of the items to leave out"`
		Symmetric bool  `json:"symmetric" default:"false" doc:"Add the items that only the second list has"`
	}
	type output struct {
		List   core.Pin[[]any] `json:"difference" doc:"The items that are left"`
		Length core.Pin[int]   `json:"length" doc:"Number of them"`
	}
	return core.NewBlock(manyListsSpec("05309873-9d61-447e-96b5-b804e2511829", "ListDifferenceBlock",
		"Finds the items of one list that another does not have."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			list := keep(in.A, members(in.B), false)
			if in.Symmetric {
				list = append(list, keep(in.B, members(in.A), false)...)
			}
			out.List.Emit(list)
			out.Length.Emit(len(list))
			return nil
		})
}

func listIntersection() core.Block {
	type input struct {
		A []any `json:"list_a" doc:"One list"`
		B []any `json:"list_b" doc:"The other list"`
	}
	type output struct {
		List   core.Pin[[]any] `json:"intersection" doc:"The items that both have, each once, in the order of the first list"`
		Length core.Pin[int]   `json:"length" doc:"Number of them"`
	}
	return core.NewBlock(manyListsSpec("b6eb08b6-dbe3-411b-b9b4-2508cb311a1f", "ListIntersectionBlock",
		"Finds the items that two lists have in common."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			list := distinct(keep(in.A, members(in.B), true))
			out.List.Emit(list)
			out.Length.Emit(len(list))
			return nil
		})
}
