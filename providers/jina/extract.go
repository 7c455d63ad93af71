package jina

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

type extractInput struct {
	Credentials core.APIKey `json:"credentials" doc:"API key of Jina"`
	URL         string      `json:"url" title:"URL" doc:"Address of the page"`
	RawContent  bool        `json:"raw_content" title:"Raw Content" default:"false" doc:"Whether to fetch the page as it is instead of through Jina, which turns it into Markdown"`
}

type extractOutput struct {
	Content core.Pin[string] `json:"content" doc:"Text of the page"`
}

var extractWebsite = core.NewBlock(core.BlockSpec{
	ID: "436c3984-57fd-4b85-8e9a-459b356883bd", Name: "ExtractWebsiteContentBlock",
	Description: "Gives the text of a web page.",
	Categories:  []core.Category{core.CategorySearch},
	Costs:       cost(1, map[string]any{"raw_content": false}),
	ErrorPin:    core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *extractInput, out *extractOutput) error {
	read := readPage
	if in.RawContent {
		read = fetchPage
	}
	content, err := read(ctx, run, in)
	if err != nil {
		return err
	}
	if content == "" {
		return core.Errorf(core.Unavailable, "No content returned for %s", in.URL)
	}
	out.Content.Emit(content)
	return nil
})

// forReader escapes what would end the page's address inside that of the
// reader.
var forReader = strings.NewReplacer("#", "%23", " ", "%20")

// readPage fetches a page through the reader, which gives Markdown.
func readPage(ctx context.Context, run *core.Run, in *extractInput) (string, error) {
	data, err := rest.Send(ctx, patient(run), rest.Request{
		Method: http.MethodGet,
		URL:    "https://r.jina.ai/" + forReader.Replace(in.URL),
		Auth:   in.Credentials.Authorization(),
	})
	return string(data), fetchError(in.URL, err)
}

// fetchPage fetches the page itself. The key stays here.
func fetchPage(ctx context.Context, run *core.Run, in *extractInput) (string, error) {
	u, err := rest.ParseURL(in.URL)
	if err != nil {
		return "", core.Errorf(core.Invalid, "Invalid URL: %w", err)
	}
	data, err := rest.Send(ctx, patient(run), rest.Request{Method: http.MethodGet, URL: u.String()})
	if core.IsKind(err, core.Invalid) { // the guard refused the address
		return "", core.Errorf(core.Invalid, "Invalid URL: %w", err)
	}
	if err != nil {
		return "", fetchError(in.URL, err)
	}
	if kind := http.DetectContentType(data); !strings.HasPrefix(kind, "text/") {
		return "", core.Errorf(core.Invalid, "Failed to fetch %s: the content is not text but %s", in.URL, kind)
	}
	return strings.ToValidUTF8(string(data), "\uFFFD"), nil
}

func fetchError(page string, err error) error {
	if err == nil {
		return nil
	}
	var status *rest.StatusError
	if errors.As(err, &status) {
		switch {
		case status.Status >= http.StatusInternalServerError:
			return core.Errorf(core.Unavailable, "Server error (%d) fetching %s: %w", status.Status, page, err)
		case status.Status >= http.StatusBadRequest:
			return core.Errorf(core.Unavailable, "Client error (%d) fetching %s: %w", status.Status, page, err)
		}
	}
	return core.Errorf(core.KindOf(err), "Failed to fetch %s: %w", page, err)
}
