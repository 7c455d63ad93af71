package builtin

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

type wikipediaInput struct {
	Topic string `json:"topic" doc:"Title of the article"`
}

type wikipediaOutput struct {
	Summary core.Pin[string] `json:"summary" doc:"The beginning of the article, as text"`
}

var wikipediaSummary = core.NewBlock(core.BlockSpec{
	ID: "f5b0f5d0-1862-4d61-94be-3ad0fa772760", Name: "GetWikipediaSummaryBlock", ErrorPin: core.ErrorPinDeclared,
	Description: "Gives the summary of an article of the English Wikipedia.",
	Categories:  []core.Category{core.CategorySearch},
}, func(ctx context.Context, run *core.Run, in *wikipediaInput, out *wikipediaOutput) error {
	// The whole topic is one segment of the path, whatever is in it.
	topic := strings.ReplaceAll(url.QueryEscape(in.Topic), "+", "%20")
	var page struct {
		Extract *string `json:"extract"`
	}
	err := rest.JSON(ctx, rest.Retrying{Next: run.HTTP}, http.MethodGet, "https://en.wikipedia.org/api/rest_v1/page/summary/"+topic, "", nil, &page)
	if err != nil {
		return core.Errorf(core.KindOf(err), "Failed to fetch Wikipedia summary: %w", err)
	}
	if page.Extract == nil {
		return core.Errorf(core.Unavailable, "Unable to parse Wikipedia response: it has no extract")
	}
	out.Summary.Emit(*page.Extract)
	return nil
})
