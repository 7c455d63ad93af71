package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// readContract reads a file about the AutoGPT Platform, which stands beside the
// project. The test is left out where there is none.
func readContract(t *testing.T, name string, into any) {
	t.Helper()
	for _, dir := range []string{os.Getenv("TEST_CONTRACT_DIR"), filepath.Join("..", "shared", "contract")} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if dir == "" || os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, into))
		return
	}
	t.Skipf("there is no file %s in ../shared/contract or $TEST_CONTRACT_DIR", name)
}

// vectorsOf are the vectors of a block: inputs and outputs.
func vectorsOf(t *testing.T, block string) (list []struct {
	Input   map[string]any
	Outputs [][]any
},
) {
	t.Helper()
	for _, pattern := range []string{"core/*/testdata/", "providers/*/testdata/"} {
		files, err := filepath.Glob(pattern + block + ".json")
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(data, &list), file)
		}
	}
	return list
}

// What the platform's blocks are known to give is among their vectors, to the
// letter. Tests whose outputs a stand-in makes say nothing of the block.
func TestKnownResultsAreVectors(t *testing.T) {
	var blocks []struct {
		Name string
		Test struct {
			Input, Output json.RawMessage
			Mocked        []string
			Literal       bool
		}
	}
	readContract(t, "blocks.json", &blocks)
	checked := 0
	for _, b := range blocks {
		block, known := core.Default.BlockByName(b.Name)
		if !known || block.Spec().Provider != core.CoreProvider || !b.Test.Literal || len(b.Test.Mocked) > 0 {
			continue
		}
		var inputs []map[string]any
		if json.Unmarshal(b.Test.Input, &inputs) != nil {
			inputs = make([]map[string]any, 1)
			require.NoError(t, json.Unmarshal(b.Test.Input, &inputs[0]), b.Name)
		}
		var want [][]any
		if json.Unmarshal(b.Test.Output, &want) != nil {
			want = make([][]any, 1)
			require.NoError(t, json.Unmarshal(b.Test.Output, &want[0]), b.Name)
		}
		got := [][]any{}
		for _, in := range inputs {
			found := false
			for _, v := range vectorsOf(t, b.Name) {
				if found = cmp.Equal(in, v.Input); found {
					got = append(got, v.Outputs...)
					break
				}
			}
			require.True(t, found, "%s has no vector with the input %v", b.Name, in)
		}
		require.Empty(t, cmp.Diff(want, got), b.Name)
		checked++
	}
	require.Greater(t, checked, 40)
}
