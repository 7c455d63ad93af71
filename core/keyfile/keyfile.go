// Package keyfile keeps the secrets that an installation makes for itself, each
// in a file of the data folder.
package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// LoadOrCreate gives the text of the file at path, without space at its ends.
// When there is no such file, it makes one, with its folder, that holds a text
// from fresh. Only the owner can read the file. Of several processes that start
// at once, one makes it and all get its text. A file that exists is never
// written, whatever it holds; the caller judges that.
func LoadOrCreate(path string, fresh func() string) (string, error) {
	text, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	// A name that is taken by now means that another process was faster.
	if err := create(path, fresh()); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("creating a key: %w", err)
	}
	return read(path)
}

func read(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading a key: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// create writes a whole file under another name and links it into place, which
// fails when the name is taken; so a crash or a race never leaves half a key or
// replaces one.
func create(path, text string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, filepath.Base(path)+".*") // only its owner can read it
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(text + "\n")
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(temp.Name(), path) // a file system without hard links
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name last through a power cut: what is made with a lost
// key would be lost too. Not every system can sync a folder, and then nothing
// more can be done.
func syncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = folder.Sync()
	return folder.Close()
}
