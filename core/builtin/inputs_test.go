package builtin

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// TestGraphValue checks what some inputs add to their value's schema in the
// schema of the whole agent.
func TestGraphValue(t *testing.T) {
	cases := []struct {
		name, block string
		in          core.Values
		want        string // "" for nothing
	}{
		{"choices", "AgentDropdownInputBlock", core.Values{"placeholder_values": []any{"a", "b"}}, `{"enum":["a","b"]}`},
		{"no choices", "AgentDropdownInputBlock", core.Values{"placeholder_values": []any{}}, ""},
		{
			"columns", "AgentTableInputBlock",
			core.Values{"column_headers": []any{"B", "A"}},
			`{"type":"array","format":"table","items":{"type":"object","properties":{"B":{"type":"string"},"A":{"type":"string"}}}}`,
		},
		{
			"no columns", "AgentTableInputBlock",
			core.Values{},
			`{"type":"array","format":"table","items":{"type":"object","properties":{"Column 1":{"type":"string"},"Column 2":{"type":"string"},"Column 3":{"type":"string"}}}}`,
		},
		{
			"Google Drive", "AgentGoogleDriveFileInputBlock",
			core.Values{"allowed_views": []any{"SPREADSHEETS"}, "allow_folder_selection": true},
			`{"format":"google-drive-picker","google_drive_picker_config":{"multiselect":false,"allow_folder_selection":true,"allowed_views":["SPREADSHEETS"],` +
				`"scopes":["https://www.googleapis.com/auth/drive.file"],"auto_credentials":{"provider":"google","type":"oauth2","scopes":["https://www.googleapis.com/auth/drive.file"],"kwarg_name":"credentials"}},` +
				`"auto_credentials":{"provider":"google","type":"oauth2","scopes":["https://www.googleapis.com/auth/drive.file"],"kwarg_name":"credentials"}}`,
		},
		{
			"Google Drive without views", "AgentGoogleDriveFileInputBlock",
			core.Values{},
			`{"format":"google-drive-picker","google_drive_picker_config":{"multiselect":false,"allow_folder_selection":false,"allowed_views":["DOCS"],` +
				`"scopes":["https://www.googleapis.com/auth/drive.file"],"auto_credentials":{"provider":"google","type":"oauth2","scopes":["https://www.googleapis.com/auth/drive.file"],"kwarg_name":"credentials"}},` +
				`"auto_credentials":{"provider":"google","type":"oauth2","scopes":["https://www.googleapis.com/auth/drive.file"],"kwarg_name":"credentials"}}`,
		},
		{"plain inputs add nothing", "AgentInputBlock", core.Values{"placeholder_values": []any{"a"}}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, registry := registered(t)
			b, ok := registry.BlockByName(c.block)
			require.True(t, ok)
			got, ok := b.Spec().ValueSchema(c.in)
			if c.want == "" {
				require.False(t, ok)
				return
			}
			require.True(t, ok)
			data, err := core.JSON(got)
			require.NoError(t, err)
			require.Equal(t, c.want, string(data))
		})
	}
}

// files is a file service with one file.
type files struct {
	core.Files // of which the rest is not asked for
	stored     string
}

func (f *files) Open(_ context.Context, _ *core.Run, ref string) ([]byte, string, string, error) {
	if core.IsDataURI(ref) {
		data, mime, err := core.ParseDataURI(ref)
		return data, mime, "", err
	}
	if ref != "workspace://1" {
		return nil, "", "", core.Errorf(core.NotFound, "no such file")
	}
	return []byte("one"), "text/plain", "one.txt", nil
}

func (f *files) Local(ctx context.Context, run *core.Run, ref string) (*core.LocalFile, error) {
	data, mime, name, err := f.Open(ctx, run, strings.TrimSuffix(ref, "#image/png"))
	return &core.LocalFile{Path: string(data), MIME: mime, Name: name}, err
}

func (f *files) Store(_ context.Context, _ *core.Run, file *core.LocalFile) (string, error) {
	f.stored = file.Path + "|" + file.MIME + "|" + file.Name
	return "workspace://2#" + file.MIME, nil
}

func TestFileInputWithFiles(t *testing.T) {
	cases := []struct {
		name, value  string
		inline       bool
		want, stored string
		err          string
	}{
		{"data URI is stored", "data:text/plain;base64,b25l", false, "workspace://2#text/plain", "one|text/plain|", ""},
		{"data URI inline", "data:text/plain;base64,b25l", true, "data:text/plain;base64,b25l", "", ""},
		{"reference stays", "workspace://1", false, "workspace://1#text/plain", "", ""},
		{"reference with a type stays", "workspace://1#image/png", false, "workspace://1#image/png", "", ""},
		{"reference inline", "workspace://1", true, "data:text/plain;base64,b25l", "", ""},
		{"unknown reference", "workspace://9", false, "", "", "no such file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := &files{}
			got, err := run(t, "AgentFileInputBlock", core.Values{"name": "n", "value": c.value, "base_64": c.inline}, &core.Run{Files: f})
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []any{c.want}, got)
			require.Equal(t, c.stored, f.stored)
		})
	}
}
