package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// costDeviations are the blocks whose costs are not those of the AutoGPT Platform,
// with the reason and what they are.
var costDeviations = map[string]struct {
	why  string
	want []core.Cost
}{
	"IdeogramModelBlock": {
		"the dearer model comes first: behind an entry that always matches it would never be asked for",
		[]core.Cost{
			core.SystemCost("ideogram", "760f84fc-b270-42de-91f6-08efe1b512d0", 18, map[string]any{"ideogram_model_name": "V_3"}),
			core.SystemCost("ideogram", "760f84fc-b270-42de-91f6-08efe1b512d0", 16, nil),
		},
	},
}

// contractCosts gives the costs that the AutoGPT Platform's blocks have, by name
// of the block.
func contractCosts(t *testing.T) map[string][]core.Cost {
	t.Helper()
	var blocks []struct {
		Name  string
		Costs []core.Cost
	}
	readContract(t, "blocks.json", &blocks)
	all := map[string][]core.Cost{}
	for _, b := range blocks {
		all[b.Name] = b.Costs
	}
	return all
}

// Clients show the prices of blocks, so they are those that clients know.
func TestCostsAreThoseThatClientsKnow(t *testing.T) {
	known := contractCosts(t)
	compared := 0
	for _, b := range core.Default.Blocks() {
		spec := b.Spec()
		want, listed := known[spec.Name]
		if !listed {
			continue
		}
		if d, differs := costDeviations[spec.Name]; differs {
			require.NotEmpty(t, d.why)
			want = d.want
		}
		// A base cost is asked for the operator's key only, where there is one.
		if len(want) == 1 && len(want[0].Filter) == 0 {
			want = baseCosts(t, spec, want[0].Amount)
		}
		got := spec.Costs
		if exclusive(want) && exclusive(got) {
			want, got = byModel(want), byModel(got)
		}
		require.JSONEq(t, costsJSON(t, want), costsJSON(t, got), spec.Name)
		compared++
	}
	require.Greater(t, compared, 100)
}

// exclusive reports whether each cost is for a model of its own, so that their
// order has no meaning.
func exclusive(costs []core.Cost) bool {
	models := map[any]bool{}
	for _, c := range costs {
		model, ok := c.Filter["model"].(string)
		if !ok || models[model] {
			return false
		}
		models[model] = true
	}
	return true
}

func byModel(costs []core.Cost) []core.Cost {
	return slices.SortedFunc(slices.Values(costs), func(a, b core.Cost) int {
		return strings.Compare(a.Filter["model"].(string), b.Filter["model"].(string))
	})
}

// baseCosts gives what a block inherits from its provider.
func baseCosts(t *testing.T, spec *core.BlockSpec, amount int) []core.Cost {
	p, ok := core.Default.Provider(spec.Provider)
	require.True(t, ok)
	if len(p.System) == 0 {
		return nil
	}
	return []core.Cost{core.SystemCost(p.Name, p.System[0].ID, amount, nil)}
}

func costsJSON(t *testing.T, costs []core.Cost) string {
	data, err := core.JSON(append([]core.Cost{}, costs...))
	require.NoError(t, err)
	return string(data)
}

// What runs cost, by the vectors of the contract.
func TestFeesOfBlocks(t *testing.T) {
	openAI := map[string]any{"id": "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a", "provider": "openai", "type": "api_key", "title": "x"}
	jina := map[string]any{"id": "7f26de70-ba0d-494e-ba76-238e65e7b45f", "provider": "jina", "type": "api_key"}
	for _, c := range []struct {
		name, block string
		in          core.Values
		fee         int
	}{
		{"operator's key", "AITextGeneratorBlock", core.Values{"model": "gpt-4o", "credentials": openAI}, 3},
		{"another key", "AITextGeneratorBlock", core.Values{"model": "gpt-4o", "credentials": map[string]any{"id": "own"}}, 0},
		{"the default model is not free", "AITextGeneratorBlock", core.Values{"credentials": openAI}, 6},
		{"groq by id", "AITextGeneratorBlock", core.Values{"model": "llama-3.3-70b-versatile", "credentials": map[string]any{"id": "4ec22295-8f97-4dd1-b42b-2c6957a02545"}}, 1},
		{"raw_content left out", "ExtractWebsiteContentBlock", core.Values{"credentials": jina}, 1},
		{"raw_content false", "ExtractWebsiteContentBlock", core.Values{"credentials": jina, "raw_content": false}, 1},
		{"raw_content true", "ExtractWebsiteContentBlock", core.Values{"credentials": jina, "raw_content": true}, 0},
		{"free", "StoreValueBlock", core.Values{"input": 1}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, ok := core.Default.BlockByName(c.block)
			require.True(t, ok)
			require.Equal(t, c.fee, b.Spec().Fee(c.in))
		})
	}
}
