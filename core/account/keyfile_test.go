package account_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/account"
)

func TestKeyFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	key, created, err := account.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.True(t, created)
	require.Len(t, key.Reveal(), 64)
	warning, err := account.CheckSecret(key)
	require.NoError(t, err)
	require.Empty(t, warning)
	info, err := os.Stat(filepath.Join(dir, "jwt.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	again, created, err := account.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, key.Reveal(), again.Reveal())

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")

	other, _, err := account.LoadOrCreateKey(t.TempDir())
	require.NoError(t, err)
	require.NotEqual(t, key.Reveal(), other.Reveal())
}

func TestAnEmptyKeyFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jwt.key")
	require.NoError(t, os.WriteFile(path, []byte(" \n"), 0o600))
	_, _, err := account.LoadOrCreateKey(dir)
	require.ErrorContains(t, err, "is empty")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, " \n", string(data), "it is left alone")
}

func TestKeyFileOfManyProcesses(t *testing.T) {
	dir := t.TempDir()
	keys := make([]string, 8)
	made := make([]bool, len(keys))
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, created, err := account.LoadOrCreateKey(dir)
			if err != nil {
				t.Error(err)
			}
			keys[i], made[i] = key.Reveal(), created
		})
	}
	wg.Wait()
	creators := 0
	for i := range keys {
		require.Equal(t, keys[0], keys[i])
		if made[i] {
			creators++
		}
	}
	require.Equal(t, 1, creators)
}
