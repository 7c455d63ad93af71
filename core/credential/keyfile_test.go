package credential_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/credential"
)

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	made, err := credential.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.Len(t, made.Key.Reveal(), 32)

	again, err := credential.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.Equal(t, made.Key.Reveal(), again.Key.Reveal())

	other, err := credential.LoadOrCreateKey(t.TempDir())
	require.NoError(t, err)
	require.NotEqual(t, made.Key.Reveal(), other.Key.Reveal())
}

func TestABadKeyFileIsLeftAlone(t *testing.T) {
	for name, text := range map[string]string{"empty": " \n", "not base64": "!", "short": "c2hvcnQtc2VjcmV0\n"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "encryption.key")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := credential.LoadOrCreateKey(dir)
			require.ErrorContains(t, err, "put the key back")
			require.NotContains(t, err.Error(), "c2hvcnQ")
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(data))
		})
	}
}
