package account_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/account"
)

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	key, err := account.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.Len(t, key.Reveal(), 64)
	warning, err := account.CheckSecret(key)
	require.NoError(t, err)
	require.Empty(t, warning)

	again, err := account.LoadOrCreateKey(dir)
	require.NoError(t, err)
	require.Equal(t, key.Reveal(), again.Reveal())

	other, err := account.LoadOrCreateKey(t.TempDir())
	require.NoError(t, err)
	require.NotEqual(t, key.Reveal(), other.Reveal())
}

func TestAnEmptyKeyFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jwt.key")
	require.NoError(t, os.WriteFile(path, []byte(" \n"), 0o600))
	_, err := account.LoadOrCreateKey(dir)
	require.ErrorContains(t, err, "is empty")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, " \n", string(data), "it is left alone")
}
