package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/internal/blockdocs"
)

// docs/blocks is what the blocks declare.
func TestBlockReference(t *testing.T) {
	dir := filepath.Join("docs", "blocks")
	want := blockdocs.Pages(core.Default.Providers(), func(block string) *blockdocs.Example { return exampleOf(t, block) })
	if *update {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.MkdirAll(dir, 0o755))
		for name, text := range want {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		require.Contains(t, want, f.Name(), "%s describes no provider; go test . -run TestBlockReference -update removes it", f.Name())
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, text, string(got), "out of date; go test . -run TestBlockReference -update rewrites it")
	}
}

// exampleOf gives the first vector of a block that needs no credentials and ends
// well.
func exampleOf(t *testing.T, block string) *blockdocs.Example {
	t.Helper()
	for _, pattern := range []string{"core/*/testdata/", "providers/*/testdata/"} {
		files, err := filepath.Glob(pattern + block + ".json")
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var vectors []struct {
				Input   any
				Outputs [][2]any
				Error   string
			}
			require.NoError(t, json.Unmarshal(data, &vectors), file)
			for _, v := range vectors {
				if v.Error == "" && len(v.Outputs) > 0 {
					return &blockdocs.Example{Input: v.Input, Outputs: v.Outputs}
				}
			}
		}
	}
	return nil
}
