package jina

import (
	"context"
	"net/http"
	"net/url"

	"agentserver/core"
	"agentserver/core/rest"
)

type searchInput struct {
	Credentials core.APIKey `json:"credentials" doc:"API key of Jina"`
	Query       string      `json:"query" doc:"What to search the web for"`
}

type searchOutput struct {
	Results core.Pin[string] `json:"results" doc:"The pages found, with their content, as Markdown text"`
}

var searchTheWeb = core.NewBlock(core.BlockSpec{
	ID: "87840993-2053-44b7-8da4-187ad4ee518c", Name: "SearchTheWebBlock",
	Description: "Searches the web and gives the content of the pages found.",
	Categories:  []core.Category{core.CategorySearch},
	Costs:       cost(1, nil),
}, func(ctx context.Context, run *core.Run, in *searchInput, out *searchOutput) error {
	// The whole query is one path segment, so a slash in it is no separator.
	text, err := rest.Send(ctx, patient(run), rest.Request{
		Method: http.MethodGet,
		URL:    "https://s.jina.ai/" + url.PathEscape(in.Query),
		Auth:   in.Credentials.Authorization(),
		Header: map[string]string{"Content-Type": "application/json"},
	})
	if err != nil {
		return core.Errorf(core.KindOf(err), "Search failed: %w", err)
	}
	out.Results.Emit(string(text))
	return nil
})
