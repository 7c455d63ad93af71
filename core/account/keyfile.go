package account

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"agentserver/core"
)

// keyFile is the name of the made secret in the data folder.
const keyFile = "jwt.key"

// LoadOrCreateKey gives the secret in <dataDir>/jwt.key, 64 random characters
// that are made when the file does not exist, and whether they were made now.
// Only the owner can read the file. A file without text is an error, because a
// new secret would sign everyone out.
func LoadOrCreateKey(dataDir string) (key core.Secret, created bool, err error) {
	path := filepath.Join(dataDir, keyFile)
	key, err = readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	if err := createKey(dataDir, path); err != nil {
		if errors.Is(err, fs.ErrExist) { // another process was faster
			key, err = readKey(path)
			return key, false, err
		}
		return "", false, fmt.Errorf("creating the token key: %w", err)
	}
	key, err = readKey(path)
	return key, err == nil, err
}

func readKey(path string) (core.Secret, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the token key: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("reading the token key: %s is empty; put the key back, or remove the file to sign everyone out", path)
	}
	return core.Secret(text), nil
}

// createKey writes a whole file under another name and links it into place,
// which fails when the name is taken; so a crash or a race never leaves half a
// key or replaces one.
func createKey(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var random [48]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, keyFile+".*") // only its owner can read it
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(base64.RawURLEncoding.EncodeToString(random[:]) + "\n")
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(temp.Name(), path) // a file system without hard links
}
