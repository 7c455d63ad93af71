package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"agentserver/core"
)

//go:embed scaffold/*.tmpl
var scaffoldFiles embed.FS

var scaffold = template.Must(template.New("scaffold").Option("missingkey=error").ParseFS(scaffoldFiles, "scaffold/*.tmpl"))

// files gives the content of the provider's folder, by path in it.
func (p *newProvider) files() (map[string][]byte, error) {
	made := map[string][]byte{}
	for file, name := range map[string]string{
		p.Folder + ".go":                "provider.go.tmpl",
		"lookup.go":                     "lookup.go.tmpl",
		p.Folder + "_test.go":           "provider_test.go.tmpl",
		"README.md":                     "README.md.tmpl",
		"testdata/" + p.Block + ".json": "vectors.json.tmpl",
	} {
		text, err := p.render(name)
		if err == nil && strings.HasSuffix(file, ".go") {
			text, err = format.Source(text)
		}
		if err != nil {
			return nil, err
		}
		made[file] = text
	}
	return made, nil
}

func (p *newProvider) render(name string) ([]byte, error) {
	var b bytes.Buffer
	err := scaffold.ExecuteTemplate(&b, name, p)
	return b.Bytes(), err
}

// write puts the provider into a checkout, and gives the paths that it wrote,
// relative to the root. After an error everything is as it was before.
func (p *newProvider) write(root string) ([]string, error) {
	folder := filepath.Join(root, "providers", p.Folder)
	if taken, err := exists(folder); err != nil {
		return nil, err
	} else if taken {
		return nil, core.Errorf(core.Conflict, "providers/%s is there already", p.Folder)
	}
	files, err := p.files()
	if err != nil {
		return nil, err
	}
	reference, err := editOf(root, "docs/configuration.md", p.addSettings)
	if err != nil {
		return nil, err
	}
	plugins, err := editOf(root, "plugins.go", p.addImport)
	if err != nil {
		return nil, err
	}
	// The list comes last, so the checkout builds at any moment.
	if err := place(folder, files, reference, plugins); err != nil {
		return nil, err
	}
	var written []string
	for _, name := range core.SortedKeys(files) {
		written = append(written, path.Join("providers", p.Folder, name))
	}
	return append(written, reference.name, plugins.name), nil
}

// place makes the folder and then the edits, or nothing of it.
func place(folder string, files map[string][]byte, edits ...*edit) error {
	if err := createFolder(folder, files); err != nil {
		return err
	}
	for i, e := range edits {
		err := e.apply()
		if err == nil {
			continue
		}
		for _, done := range edits[:i] {
			err = errors.Join(err, done.undo())
		}
		return errors.Join(err, os.RemoveAll(folder))
	}
	return nil
}

// createFolder makes a folder with files, all at once.
func createFolder(folder string, files map[string][]byte) (err error) {
	// The go command does not look into folders whose name begins with a dot.
	temp, err := os.MkdirTemp(filepath.Dir(folder), ".new-provider-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	if err := os.Chmod(temp, 0o755); err != nil { //nolint:gosec // source code, for everyone to read
		return err
	}
	for name, data := range files {
		file := filepath.Join(temp, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // as above
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return os.Rename(temp, folder)
}

// edit is a change of one file.
type edit struct {
	name          string // relative to the root, with slashes
	path          string
	before, after []byte
}

// editOf computes a change without making it.
func editOf(root, name string, change func([]byte) ([]byte, error)) (*edit, error) {
	e := &edit{name: name, path: filepath.Join(root, filepath.FromSlash(name))}
	var err error
	if e.before, err = os.ReadFile(e.path); err != nil {
		return nil, err
	}
	if e.after, err = change(e.before); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}

func (e *edit) apply() error { return replaceFile(e.path, e.after) }

func (e *edit) undo() error { return replaceFile(e.path, e.before) }

// replaceFile gives a file another content, all at once, and keeps its mode.
func replaceFile(path string, data []byte) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Chmod(info.Mode().Perm()), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
