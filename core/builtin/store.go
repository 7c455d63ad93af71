package builtin

import (
	"context"
	"strings"

	"agentserver/core"
)

func storeBlocks() []core.Block { return []core.Block{persist(), retrieve()} }

// storeKey is where a value is kept: for the agent, or for all of the user's.
func storeKey(run *core.Run, scope, key string) string {
	if scope == "across_agents" {
		return "global#" + key
	}
	return "agent#" + run.GraphID + "#" + key
}

func persist() core.Block {
	type input struct {
		Key   string `json:"key" doc:"Name to keep the value under"`
		Value any    `json:"value" doc:"Value to keep"`
		Scope string `json:"scope" enum:"within_agent,across_agents" default:"within_agent" doc:"Whether only this agent can read it, or all agents of the user"`
	}
	type output struct {
		Value core.Pin[any] `json:"value" doc:"The value as it was kept"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "1d055e55-a2b9-4547-8311-907d05b0304d", Name: "PersistInformationBlock",
		Description: "Keeps a value for later runs.",
		Categories:  []core.Category{core.CategoryData},
	}, func(ctx context.Context, run *core.Run, in *input, out *output) error {
		v := withoutControls(in.Value)
		if err := run.Store.Save(ctx, run.UserID, storeKey(run, in.Scope, in.Key), run.NodeExecID, v); err != nil {
			return err
		}
		out.Value.Emit(v)
		return nil
	})
}

// withoutControls removes the characters that the database does not keep.
func withoutControls(v any) any {
	switch v := v.(type) {
	case string:
		return strings.Map(func(r rune) rune {
			if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
				return -1
			}
			return r
		}, v)
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = withoutControls(x)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			name, _ := withoutControls(k).(string)
			m[name] = withoutControls(x)
		}
		return m
	}
	return v
}

func retrieve() core.Block {
	type input struct {
		Key     string `json:"key" doc:"Name that the value is kept under"`
		Scope   string `json:"scope" enum:"within_agent,across_agents" default:"within_agent" doc:"Whether this agent keeps it, or all agents of the user"`
		Default any    `json:"default_value" default:"null" doc:"What to give when nothing is kept"`
	}
	type output struct {
		Value core.Pin[any] `json:"value" doc:"The value, or the default"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "d8710fc9-6e29-481e-a7d5-165eb16f8471", Name: "RetrieveInformationBlock", Static: true,
		Description: "Gives a value that an earlier run kept.",
		Categories:  []core.Category{core.CategoryData},
	}, func(ctx context.Context, run *core.Run, in *input, out *output) error {
		v, ok, err := run.Store.Load(ctx, run.UserID, storeKey(run, in.Scope, in.Key))
		if err != nil {
			return err
		}
		if !ok {
			v = in.Default
		}
		out.Value.Emit(v)
		return nil
	})
}
