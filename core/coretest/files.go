package coretest

import (
	"context"
	"encoding/base64"
	"fmt"

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
type files map[string]openFile

type openFile struct {
	mime, name string
	data       []byte
}

var _ core.Files = files(nil)

func openFiles(list map[string]File) (files, error) {
	opened := files{}
	for ref, f := range list {
		data, err := base64.StdEncoding.DecodeString(f.Base64)
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", ref, err)
		}
		opened[ref] = openFile{mime: f.MIME, name: f.Name, data: data}
	}
	return opened, nil
}

// Open gives a file of the vector, or the content of a data URI.
func (s files) Open(_ context.Context, _ *core.Run, ref string) ([]byte, string, string, error) {
	if f, ok := s[ref]; ok {
		return append([]byte(nil), f.data...), f.mime, f.name, nil
	}
	if core.IsDataURI(ref) {
		data, mime, err := core.ParseDataURI(ref)
		return data, mime, "", err
	}
	return nil, "", "", core.Errorf(core.NotFound, "the vector has no file %s, only %v", ref, core.SortedKeys(s))
}

// Put gives the content as a data URI.
func (s files) Put(_ context.Context, _ *core.Run, data []byte, mime, _ string) (string, error) {
	return core.DataURI(data, mime), nil
}
