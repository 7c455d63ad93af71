package builtin

import (
	"context"

	"agentserver/core"
)

func dropdownInput() core.Block {
	type input struct {
		inputHead
		Value *string `json:"value" title:"Default Value" advanced:"false" doc:"Choice used when the run gives none"`
		inputTail
		Options []any `json:"placeholder_values" title:"Dropdown Options" factory:"[]" advanced:"false" doc:"What can be chosen"`
	}
	spec := inputSpec("655d6fdf-a334-421c-b733-520549c07cd1", "AgentDropdownInputBlock",
		"Lets whoever runs the agent choose one of several options.")
	spec.GraphValue = func(in core.Values) *core.Object {
		options, _ := in["placeholder_values"].([]any)
		if len(options) == 0 {
			return nil
		}
		return core.NewObject("enum", options)
	}
	return core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *input, out *textResult) error {
		if in.Value != nil {
			out.Result.Emit(*in.Value)
		}
		return nil
	})
}

func tableInput() core.Block {
	type input struct {
		inputHead
		Value []map[string]any `json:"value" title:"Default Value" type:"array<object> | null" default:"null" advanced:"false" doc:"Rows used when the run gives none"`
		inputTail
		Headers []string `json:"column_headers" factory:"[\"Column 1\", \"Column 2\", \"Column 3\"]" advanced:"false" doc:"Names of the table's columns"`
	}
	type output struct {
		Result core.Pin[[]map[string]any] `json:"result" type:"array<object>" doc:"The rows, each an object with a member per column"`
	}
	spec := inputSpec("5603b273-f41e-4020-af7d-fbc9c6a8d928", "AgentTableInputBlock",
		"Takes a table with given columns from whoever runs the agent.")
	spec.GraphValue = func(in core.Values) *core.Object {
		headers, _ := in["column_headers"].([]any)
		if len(headers) == 0 {
			headers = []any{"Column 1", "Column 2", "Column 3"}
		}
		columns := core.NewObject()
		for _, h := range headers {
			columns.Set(core.Text(h), core.NewObject("type", "string"))
		}
		return core.NewObject("type", "array", "format", "table",
			"items", core.NewObject("type", "object", "properties", columns))
	}
	return core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		if in.Value == nil {
			in.Value = []map[string]any{}
		}
		out.Result.Emit(in.Value)
		return nil
	})
}

// GoogleDriveFile is a file picked in Google Drive, with the id of the
// credentials it was picked with.
type GoogleDriveFile struct {
	ID            string  `json:"id" doc:"Id of the file in Google Drive"`
	Name          *string `json:"name" doc:"Name of the file"`
	MimeType      *string `json:"mimeType" doc:"Media type of the file"`
	URL           *string `json:"url" doc:"Address of the file"`
	IconURL       *string `json:"iconUrl" doc:"Address of the file type's icon"`
	IsFolder      *bool   `json:"isFolder" doc:"Whether it is a folder"`
	CredentialsID *string `json:"_credentials_id" doc:"Id of the credentials that open the file"`
}

// DriveView is a kind of file that the picker shows.
type DriveView string

// Enum gives the views that Google's picker knows.
func (DriveView) Enum() []string {
	return []string{"DOCS", "DOCUMENTS", "SPREADSHEETS", "PRESENTATIONS", "DOCS_IMAGES", "FOLDERS"}
}

func driveFileInput() core.Block {
	type input struct {
		inputHead
		Value *GoogleDriveFile `json:"value" title:"Selected File" advanced:"false" doc:"File used when the run gives none"`
		inputTail
		Views   []DriveView `json:"allowed_views" factory:"[\"DOCS\", \"SPREADSHEETS\", \"PRESENTATIONS\"]" advanced:"false" doc:"Kinds of files that can be picked"`
		Folders bool        `json:"allow_folder_selection" default:"false" doc:"Let folders be picked, too"`
	}
	type output struct {
		Result core.Pin[GoogleDriveFile] `json:"result" doc:"The file that was picked"`
	}
	spec := inputSpec("d3b32f15-6fd7-40e3-be52-e083f51b19a2", "AgentGoogleDriveFileInputBlock",
		"Lets whoever runs the agent pick a file from Google Drive.")
	spec.GraphValue = driveValue
	return core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		if in.Value != nil {
			out.Result.Emit(*in.Value)
		}
		return nil
	})
}

// driveValue tells the client to show Google's picker for the agent's input.
func driveValue(in core.Values) *core.Object {
	const scope = "https://www.googleapis.com/auth/drive.file"
	credentials := core.NewObject("provider", "google", "type", "oauth2", "scopes", []any{scope}, "kwarg_name", "credentials")
	views, _ := in["allowed_views"].([]any)
	if len(views) == 0 {
		views = []any{"DOCS"}
	}
	folders, _ := in["allow_folder_selection"].(bool)
	return core.NewObject(
		"format", "google-drive-picker",
		"google_drive_picker_config", core.NewObject(
			"multiselect", false, "allow_folder_selection", folders, "allowed_views", views,
			"scopes", []any{scope}, "auto_credentials", credentials),
		"auto_credentials", credentials)
}
