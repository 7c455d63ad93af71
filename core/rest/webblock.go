package rest

import (
	"context"

	"agentserver/core"
)

// HttpMethod is a method that a user can choose. The name stands in schemas.
type HttpMethod string

// Enum gives the methods.
func (HttpMethod) Enum() []string {
	return []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"}
}

// WebInput are the inputs of the blocks that send a request which a user wrote.
type WebInput struct {
	URL       string            `json:"url" placeholder:"https://api.example.com" doc:"Address to send the request to"`
	Method    HttpMethod        `json:"method" default:"POST" doc:"Method of the request"`
	Headers   map[string]string `json:"headers" factory:"{}" doc:"Headers of the request, by name"`
	JSON      bool              `json:"json_format" title:"JSON format" default:"true" doc:"Send the body as JSON instead of as a form"`
	Body      map[string]any    `json:"body" type:"object | null" default:"null" doc:"Body of the request: an object, or the fields of a form"`
	FilesName string            `json:"files_name" default:"file" doc:"Name of the form field that the files are sent in"`
	Files     []string          `json:"files" type:"array<string(file)>" factory:"[]" doc:"Files to send along, in a form with several parts"`
}

// WebOutput are the outputs of those blocks, one of which fires.
type WebOutput struct {
	Response    core.Pin[any] `json:"response" doc:"What came back, when the status is 2xx: JSON or text"`
	ClientError core.Pin[any] `json:"client_error" doc:"What came back, when the status is 4xx"`
	ServerError core.Pin[any] `json:"server_error" doc:"What came back with any other status"`
}

// Send makes the request, with the headers of a credential if there are any, and
// emits the answer.
func (in *WebInput) Send(ctx context.Context, run *core.Run, secret map[string]core.Secret, out *WebOutput) error {
	r := WebRequest{
		URL: in.URL, Method: string(in.Method), Header: in.Headers, Secret: secret,
		JSON: in.JSON, Body: in.Body, FilesName: in.FilesName,
	}
	switch n := len(in.Files); { // before any file is fetched
	case n > 0 && in.JSON:
		return core.Errorf(core.Invalid, "json_format=True cannot be combined with file uploads; set json_format=False and put form fields in `body`.")
	case n > MaxWebFiles:
		return core.Errorf(core.TooLarge, "a request can have at most %d files, not %d", MaxWebFiles, n)
	}
	for _, ref := range in.Files {
		file, err := run.Files.Local(ctx, run, ref)
		if err != nil {
			return err
		}
		r.Files = append(r.Files, file)
	}
	answer, err := SendWeb(ctx, run.HTTP, r)
	if err != nil {
		return err
	}
	switch answer.Status / 100 {
	case 2:
		out.Response.Emit(answer.Value)
	case 4:
		out.ClientError.Emit(answer.Value)
	default:
		out.ServerError.Emit(answer.Value)
	}
	return nil
}
