package credential

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

// keyFile is the name of the made key in the data folder.
const keyFile = "encryption.key"

// LoadOrCreateKey gives the key in <dataDir>/encryption.key, 32 random bytes in
// base64 that are made when the file does not exist, and whether they were made
// now. Only the owner can read the file. A file with anything else is an error
// and is left alone, because a new key could not open what is stored. The key
// has no name, so the text of the file can move to encryption.keys as it is.
func LoadOrCreateKey(dataDir string) (key Key, created bool, err error) {
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
		return Key{}, false, fmt.Errorf("creating the encryption key: %w", err)
	}
	key, err = readKey(path)
	return key, err == nil, err
}

func readKey(path string) (Key, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("reading the encryption key: %w", err)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(raw) != keySize {
		return Key{}, fmt.Errorf("reading the encryption key: %s does not hold %d bytes in base64; put the key back from a backup", path, keySize)
	}
	return Key{Key: core.Secret(raw)}, nil
}

// createKey writes a whole file under another name and links it into place,
// which fails when the name is taken; so a crash or a race never leaves half a
// key or replaces one.
func createKey(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var random [keySize]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, keyFile+".*") // only its owner can read it
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(base64.StdEncoding.EncodeToString(random[:]) + "\n")
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), path)
	if err == nil {
		return syncDir(dir)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil { // a file system without hard links
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name last through a power cut: rows that are sealed
// with a lost key would be lost too. Not every system can sync a folder, and
// then nothing more can be done.
func syncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = folder.Sync()
	return folder.Close()
}
