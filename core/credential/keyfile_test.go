package credential_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/credential"
)

func TestKeyFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	made, created, err := credential.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.True(t, created)
	require.Len(t, made.Key.Reveal(), 32)
	info, err := os.Stat(filepath.Join(dir, "encryption.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	again, created, err := credential.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, made.Key.Reveal(), again.Key.Reveal())

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")

	other, _, err := credential.LoadOrCreateKey(t.TempDir())
	require.NoError(t, err)
	require.NotEqual(t, made.Key.Reveal(), other.Key.Reveal())
}

func TestABadKeyFileIsLeftAlone(t *testing.T) {
	for name, text := range map[string]string{"empty": " \n", "not base64": "!", "short": "c2hvcnQtc2VjcmV0\n"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "encryption.key")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, _, err := credential.LoadOrCreateKey(dir)
			require.ErrorContains(t, err, "put the key back")
			require.NotContains(t, err.Error(), "c2hvcnQ")
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(data))
		})
	}
}

func TestKeyFileOfManyProcesses(t *testing.T) {
	dir := t.TempDir()
	keys := make([]string, 8)
	made := make([]bool, len(keys))
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			k, created, err := credential.LoadOrCreateKey(dir)
			if err != nil {
				t.Error(err)
			}
			keys[i], made[i] = k.Key.Reveal(), created
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
