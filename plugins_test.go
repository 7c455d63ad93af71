package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// plugins.go names exactly the folders of providers/.
func TestPluginsAreTheProviders(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "plugins.go", nil, parser.ImportsOnly)
	require.NoError(t, err)
	var listed []string
	for _, i := range file.Imports {
		require.NotNil(t, i.Name)
		require.Equal(t, "_", i.Name.Name)
		path, err := strconv.Unquote(i.Path.Value)
		require.NoError(t, err)
		listed = append(listed, path)
	}
	folders, err := os.ReadDir("providers")
	require.NoError(t, err)
	var present []string
	for _, f := range folders {
		if f.IsDir() {
			present = append(present, "agentserver/providers/"+f.Name())
		}
	}
	slices.Sort(listed)
	require.Equal(t, present, listed)
}

// Every provider has a README with the same sections, which names its blocks.
func TestProvidersHaveReadmes(t *testing.T) {
	for _, p := range core.Default.Providers() {
		if p.Name == core.CoreProvider {
			continue
		}
		data, err := os.ReadFile(filepath.Join("providers", strings.ReplaceAll(p.Name, "_", ""), "README.md"))
		require.NoError(t, err)
		text, at := string(data), 0
		for _, section := range []string{"## What it does", "## Connect", "## Settings", "## Blocks"} {
			i := strings.Index(text, "\n"+section+"\n")
			require.Greater(t, i, at, "the README of %s lacks %q in its place", p.Name, section)
			at = i
		}
		for _, b := range p.Blocks {
			require.Contains(t, text, b.Spec().Name, "the README of %s", p.Name)
		}
	}
}
