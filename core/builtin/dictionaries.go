package builtin

import (
	"context"
	"maps"

	"agentserver/core"
)

func dictionaryBlocks() []core.Block {
	return []core.Block{
		createDictionary(), addToDictionary(), findInDictionary(), removeFromDictionary(), replaceInDictionary(), dictionaryIsEmpty(),
	}
}

func basicSpec(id, name, description string) core.BlockSpec {
	return core.BlockSpec{ID: id, Name: name, Description: description, Categories: []core.Category{core.CategoryBasic}}
}

func createDictionary() core.Block {
	type input struct {
		Values map[string]any `json:"values" type:"object" placeholder:"{'name': 'Alice', 'age': 25}" doc:"Members of the dictionary"`
	}
	type output struct {
		Dictionary core.Pin[map[string]any] `json:"dictionary" doc:"The dictionary"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "b924ddf4-de4f-4b56-9a85-358930dcbc91", Name: "CreateDictionaryBlock", ErrorPin: core.ErrorPinDeclared,
		Description: "Makes a dictionary of the members given.",
		Categories:  []core.Category{core.CategoryData},
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		out.Dictionary.Emit(in.Values)
		return nil
	})
}

func addToDictionary() core.Block {
	type input struct {
		Dictionary map[string]any `json:"dictionary" type:"object" factory:"{}" advanced:"false" doc:"Dictionary to add to; a new one when left out"`
		Key        string         `json:"key" default:"" advanced:"false" placeholder:"new_key" doc:"Key of the member to add"`
		Value      any            `json:"value" default:"null" advanced:"false" placeholder:"new_value" doc:"Its value"`
		Entries    map[string]any `json:"entries" type:"object" factory:"{}" doc:"Further members to add"`
	}
	type output struct {
		Dictionary core.Pin[map[string]any] `json:"updated_dictionary" doc:"The dictionary with what was added"`
	}
	return core.NewBlock(basicSpec("31d1064e-7446-4693-a7d4-65e5ca1180d1", "AddToDictionaryBlock",
		"Adds members to a dictionary."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			d := make(map[string]any, len(in.Dictionary)+len(in.Entries)+1)
			maps.Copy(d, in.Dictionary)
			if in.Key != "" && in.Value != nil {
				d[in.Key] = in.Value
			}
			maps.Copy(d, in.Entries)
			out.Dictionary.Emit(d)
			return nil
		})
}

func findInDictionary() core.Block {
	type input struct {
		Input any `json:"input" doc:"Dictionary or list to look into; text is read as JSON"`
		Key   any `json:"key" type:"string | integer" doc:"Key in a dictionary, or place in a list from 0. In a list of dictionaries a key collects the values of all of them"`
	}
	type output struct {
		Output  core.Pin[any] `json:"output" doc:"The value found"`
		Missing core.Pin[any] `json:"missing" doc:"Fires with what was searched when nothing is found"`
	}
	return core.NewBlock(basicSpec("0e50422c-6dee-4145-83d6-3a5a392f65de", "FindInDictionaryBlock",
		"Looks up a value in a dictionary or a list."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			searched := in.Input
			if text, ok := searched.(string); ok {
				var err error
				if searched, err = core.DecodeJSON([]byte(text)); err != nil {
					return core.Errorf(core.Invalid, "the text to look into is not valid JSON: %w", err)
				}
			}
			if v, ok := find(searched, in.Key); ok {
				out.Output.Emit(v)
			} else {
				out.Missing.Emit(in.Input)
			}
			return nil
		})
}

func find(searched, key any) (any, bool) {
	name, isName := key.(string)
	switch s := searched.(type) {
	case map[string]any:
		v, ok := s[name]
		return v, ok && isName
	case []any:
		if !isName {
			f, _ := core.Number(key)
			if i := int(f); i >= 0 && i < len(s) {
				return s[i], true
			}
			return nil, false
		}
		return collect(s, name), true
	}
	return nil, false
}

// collect gives the values of a key from a list of dictionaries, if the first
// of them has the key.
func collect(list []any, key string) []any {
	values := []any{}
	for i, item := range list {
		d, _ := item.(map[string]any)
		v, ok := d[key]
		if i == 0 && !ok {
			break
		}
		if ok {
			values = append(values, v)
		}
	}
	return values
}

// keyIn gives the key if the dictionary has it. Keys are text: 1 is not "1".
func keyIn(d map[string]any, key any) (string, error) {
	name, ok := key.(string)
	if _, has := d[name]; !ok || !has {
		return "", core.Errorf(core.Invalid, "Key '%s' not found in dictionary", printed(key))
	}
	return name, nil
}

func removeFromDictionary() core.Block {
	type input struct {
		Dictionary map[string]any `json:"dictionary" type:"object" doc:"Dictionary to remove from"`
		Key        any            `json:"key" type:"string | integer" doc:"Key of the member to remove"`
		Return     bool           `json:"return_value" default:"false" doc:"Give the removed value, too"`
	}
	type output struct {
		Dictionary core.Pin[map[string]any] `json:"updated_dictionary" doc:"The dictionary without the member"`
		Removed    core.Pin[any]            `json:"removed_value" doc:"The removed value, if asked for"`
	}
	return core.NewBlock(basicSpec("46afe2ea-c613-43f8-95ff-6692c3ef6876", "RemoveFromDictionaryBlock",
		"Removes a member from a dictionary."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			key, err := keyIn(in.Dictionary, in.Key)
			if err != nil {
				return err
			}
			d := maps.Clone(in.Dictionary)
			delete(d, key)
			out.Dictionary.Emit(d)
			if in.Return {
				out.Removed.Emit(in.Dictionary[key])
			}
			return nil
		})
}

func replaceInDictionary() core.Block {
	type input struct {
		Dictionary map[string]any `json:"dictionary" type:"object" doc:"Dictionary to change"`
		Key        any            `json:"key" type:"string | integer" doc:"Key of the member to change"`
		Value      any            `json:"value" doc:"Its new value"`
	}
	type output struct {
		Dictionary core.Pin[map[string]any] `json:"updated_dictionary" doc:"The dictionary with the new value"`
		Old        core.Pin[any]            `json:"old_value" doc:"The value before"`
	}
	return core.NewBlock(basicSpec("27e31876-18b6-44f3-ab97-f6226d8b3889", "ReplaceDictionaryValueBlock",
		"Changes the value of a member of a dictionary."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			key, err := keyIn(in.Dictionary, in.Key)
			if err != nil {
				return err
			}
			d := maps.Clone(in.Dictionary)
			d[key] = in.Value
			out.Dictionary.Emit(d)
			out.Old.Emit(in.Dictionary[key])
			return nil
		})
}

func dictionaryIsEmpty() core.Block {
	type input struct {
		Dictionary map[string]any `json:"dictionary" type:"object" doc:"Dictionary to look at"`
	}
	type output struct {
		Empty core.Pin[bool] `json:"is_empty" doc:"Whether it has no members"`
	}
	return core.NewBlock(basicSpec("a3cf3f64-6bb9-4cc6-9900-608a0b3359b0", "DictionaryIsEmptyBlock",
		"Tells whether a dictionary has no members."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			out.Empty.Emit(len(in.Dictionary) == 0)
			return nil
		})
}
