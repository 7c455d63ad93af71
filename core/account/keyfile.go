package account

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"path/filepath"

	"agentserver/core"
	"agentserver/core/keyfile"
)

// keyFile is the name of the made secret in the data folder.
const keyFile = "jwt.key"

// LoadOrCreateKey gives the secret in <dataDir>/jwt.key, 64 random characters
// that are made when the file does not exist. Only the owner can read the file.
// A file without text is an error, because a new secret would sign everyone
// out.
func LoadOrCreateKey(dataDir string) (core.Secret, error) {
	path := filepath.Join(dataDir, keyFile)
	text, err := keyfile.LoadOrCreate(path, newSecret)
	if err != nil {
		return "", fmt.Errorf("the token key: %w", err)
	}
	if text == "" {
		return "", fmt.Errorf("the token key: %s is empty; put the key back, or remove the file to sign everyone out", path)
	}
	return core.Secret(text), nil
}

func newSecret() string {
	var random [48]byte
	_, _ = rand.Read(random[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(random[:])
}
