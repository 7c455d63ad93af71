package jina

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"agentserver/core"
	"agentserver/core/rest"
)

type factInput struct {
	Statement   string      `json:"statement" doc:"Statement to check"`
	Credentials core.APIKey `json:"credentials" doc:"API key of Jina"`
}

type factOutput struct {
	Factuality core.Pin[float64]     `json:"factuality" doc:"How true the statement is, from 0 to 1"`
	Result     core.Pin[bool]        `json:"result" doc:"Whether the statement holds"`
	Reason     core.Pin[string]      `json:"reason" doc:"Why it holds or not"`
	References core.Pin[[]reference] `json:"references" optional:"true" doc:"Pages that speak for or against it"`
}

// reference is a page that was used for a verdict.
type reference struct {
	URL          string `json:"url"`
	KeyQuote     string `json:"keyQuote"`
	IsSupportive bool   `json:"isSupportive"`
}

// verdict is the outcome of a check.
type verdict struct {
	Factuality float64     `json:"factuality"`
	Result     bool        `json:"result"`
	Reason     string      `json:"reason"`
	References []reference `json:"references"`
}

var factChecker = core.NewBlock(core.BlockSpec{
	ID: "d38b6c5e-9968-4271-8423-6cfe60d6e7e6", Name: "FactCheckerBlock",
	Description: "Checks a statement against the web.",
	Categories:  []core.Category{core.CategorySearch},
}, func(ctx context.Context, run *core.Run, in *factInput, out *factOutput) error {
	v, err := ground(ctx, run, in)
	if retired(err) {
		v, err = deepSearch(ctx, run, in)
	}
	if err != nil {
		return err
	}
	out.Factuality.Emit(v.Factuality)
	out.Result.Emit(v.Result)
	out.Reason.Emit(v.Reason)
	if v.References == nil {
		v.References = []reference{}
	}
	out.References.Emit(v.References)
	return nil
})

// ground asks the grounding service, which the vendor keeps for old users.
func ground(ctx context.Context, run *core.Run, in *factInput) (*verdict, error) {
	body, err := rest.Send(ctx, patient(run), rest.Request{
		Method: http.MethodGet,
		URL:    "https://g.jina.ai/" + url.PathEscape(in.Statement),
		Auth:   in.Credentials.Authorization(),
		Header: map[string]string{"Accept": "application/json"},
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data *verdict `json:"data"`
	}
	if err := rest.Decode(body, &answer); err != nil {
		return nil, err
	}
	if answer.Data == nil {
		return nil, core.Errorf(core.Unavailable, "Expected 'data' key not found in response: %s", body)
	}
	return answer.Data, nil
}

// retired reports whether a failure means that the service is not there, as
// opposed to one that its successor would answer in the same way.
func retired(err error) bool {
	var status *rest.StatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return true
	}
	return status.Status >= http.StatusInternalServerError
}

// verdictSchema makes the successor answer in the form of a verdict.
var verdictSchema = core.ParseSchema(`{
	"type": "object",
	"properties": {
		"factuality": {"type": "number", "description": "How true the statement is, from 0 to 1"},
		"result": {"type": "boolean", "description": "Whether the statement holds"},
		"reason": {"type": "string", "description": "Why it holds or not"},
		"references": {"type": "array", "items": {
			"type": "object",
			"properties": {
				"url": {"type": "string", "description": "Address of a page that was used"},
				"keyQuote": {"type": "string", "description": "The words of the page that matter most"},
				"isSupportive": {"type": "boolean", "description": "Whether the page speaks for the statement"}
			},
			"required": ["url", "keyQuote", "isSupportive"]
		}}
	},
	"required": ["factuality", "result", "reason", "references"]
}`)

// deepSearch asks the successor of the grounding service, a language model that
// searches the web.
func deepSearch(ctx context.Context, run *core.Run, in *factInput) (*verdict, error) {
	request := map[string]any{
		"model":            "jina-deepsearch-v1",
		"messages":         []any{map[string]any{"role": "user", "content": "Check whether this statement is true: " + in.Statement}},
		"stream":           false,
		"reasoning_effort": "low",
		"response_format":  map[string]any{"type": "json_schema", "json_schema": verdictSchema},
	}
	var answer struct {
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	err := rest.JSON(ctx, patient(run), http.MethodPost, "https://deepsearch.jina.ai/v1/chat/completions",
		in.Credentials.Authorization(), request, &answer)
	if err != nil {
		return nil, err
	}
	if len(answer.Choices) == 0 {
		return nil, core.Errorf(core.Unavailable, "the fact check gave no verdict")
	}
	var v verdict
	if err := json.Unmarshal([]byte(answer.Choices[0].Message.Content), &v); err != nil {
		return nil, core.Errorf(core.Unavailable, "the fact check gave a verdict that cannot be read: %w", err)
	}
	return &v, nil
}
