package credential

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"path/filepath"

	"agentserver/core"
	"agentserver/core/keyfile"
)

// keyFile is the name of the made key in the data folder.
const keyFile = "encryption.key"

// LoadOrCreateKey gives the key in <dataDir>/encryption.key, 32 random bytes in
// base64 that are made when the file does not exist. Only the owner can read
// the file. A file with anything else is an error and is left alone, because a
// new key could not open what is stored. The key has no name, so the text of
// the file can move to encryption.keys as it is.
func LoadOrCreateKey(dataDir string) (Key, error) {
	path := filepath.Join(dataDir, keyFile)
	text, err := keyfile.LoadOrCreate(path, newKeyText)
	if err != nil {
		return Key{}, fmt.Errorf("the encryption key: %w", err)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != keySize {
		return Key{}, fmt.Errorf("the encryption key: %s does not hold %d bytes in base64; put the key back from a backup", path, keySize)
	}
	return Key{Key: core.Secret(raw)}, nil
}

func newKeyText() string {
	var random [keySize]byte
	_, _ = rand.Read(random[:]) // never fails
	return base64.StdEncoding.EncodeToString(random[:])
}
