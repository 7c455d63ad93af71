package coretest

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"agentserver/core"
)

// File is a file in a vector.
type File struct {
	MIME   string `json:"mime"`
	Name   string `json:"name,omitempty"`
	Base64 string `json:"base64"`
}

// files are the files of a vector, by reference. Data URIs open without being
// listed; what is put becomes one.
type files struct {
	byRef map[string]openFile
	dir   string // of local files
	made  atomic.Int64
}

type openFile struct {
	mime, name string
	data       []byte
}

var _ core.Files = (*files)(nil)

// openFiles makes the files of a vector; dir is a folder for local copies.
func openFiles(list map[string]File, dir string) (*files, error) {
	opened := &files{byRef: map[string]openFile{}, dir: dir}
	for ref, f := range list {
		data, err := base64.StdEncoding.DecodeString(f.Base64)
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", ref, err)
		}
		opened.byRef[ref] = openFile{mime: f.MIME, name: f.Name, data: data}
	}
	return opened, nil
}

// Open gives a file of the vector, or the content of a data URI.
func (s *files) Open(_ context.Context, _ *core.Run, ref string) ([]byte, string, string, error) {
	if f, ok := s.byRef[ref]; ok {
		return append([]byte(nil), f.data...), f.mime, f.name, nil
	}
	if core.IsDataURI(ref) {
		data, mime, err := core.ParseDataURI(ref)
		return data, mime, "", err
	}
	return nil, "", "", core.Errorf(core.NotFound, "the vector has no file %s, only %v", ref, core.SortedKeys(s.byRef))
}

// Put gives the content as a data URI.
func (s *files) Put(_ context.Context, _ *core.Run, data []byte, mime, _ string) (string, error) {
	return core.DataURI(data, mime), nil
}

// Local writes a file of the vector, or the content of a data URI, to disk.
func (s *files) Local(ctx context.Context, run *core.Run, ref string) (*core.LocalFile, error) {
	data, mime, name, err := s.Open(ctx, run, ref)
	if err != nil {
		return nil, err
	}
	f, err := s.Create(ctx, run, name)
	if err != nil {
		return nil, err
	}
	f.MIME, f.Name, f.Size = mime, name, int64(len(data))
	return f, os.WriteFile(f.Path, data, 0o600)
}

// Create gives the place of a file that is not there yet.
func (s *files) Create(_ context.Context, _ *core.Run, name string) (*core.LocalFile, error) {
	n := s.made.Add(1)
	return &core.LocalFile{Path: filepath.Join(s.dir, fmt.Sprintf("file-%d%s", n, filepath.Ext(name))), Name: name, MIME: core.FileType(name)}, nil
}

// Store gives the content as a data URI.
func (s *files) Store(_ context.Context, _ *core.Run, f *core.LocalFile) (string, error) {
	data, err := os.ReadFile(f.Path)
	return core.DataURI(data, f.MIME), err
}
