package keyfile_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/keyfile"
)

func TestLoadOrCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "some.key")
	text, err := keyfile.LoadOrCreate(path, func() string { return "first" })
	require.NoError(t, err)
	require.Equal(t, "first", text)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	text, err = keyfile.LoadOrCreate(path, func() string { return "second" })
	require.NoError(t, err)
	require.Equal(t, "first", text)

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")
}

func TestAFileThatExistsIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.key")
	require.NoError(t, os.WriteFile(path, []byte(" \n"), 0o600))
	text, err := keyfile.LoadOrCreate(path, func() string { return "new" })
	require.NoError(t, err)
	require.Empty(t, text)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, " \n", string(data))
}

func TestAFolderThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := keyfile.LoadOrCreate(filepath.Join(file, "some.key"), rand.Text)
	require.ErrorContains(t, err, file)
}

func TestManyProcessesGetOneText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.key")
	texts := make([]string, 8)
	var wg sync.WaitGroup
	for i := range texts {
		wg.Go(func() {
			text, err := keyfile.LoadOrCreate(path, rand.Text)
			if err != nil {
				t.Error(err)
			}
			texts[i] = text
		})
	}
	wg.Wait()
	for _, text := range texts {
		require.Equal(t, texts[0], text)
	}
}
