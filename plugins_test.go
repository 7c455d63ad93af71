package main

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
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
