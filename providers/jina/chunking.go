package jina

import (
	"context"
	"net/http"

	"agentserver/core"
	"agentserver/core/rest"
)

type chunkingInput struct {
	Texts          []any       `json:"texts" doc:"Texts to cut into chunks"`
	Credentials    core.APIKey `json:"credentials" doc:"API key of Jina"`
	MaxChunkLength int         `json:"max_chunk_length" default:"1000" doc:"Most characters that a chunk may have"`
	ReturnTokens   bool        `json:"return_tokens" default:"false" doc:"Whether to give the tokens of the texts too"`
}

type chunkingOutput struct {
	Chunks core.Pin[[]any] `json:"chunks" doc:"The chunks of all texts"`
	Tokens core.Pin[[]any] `json:"tokens" doc:"The tokens of each chunk, if asked for"`
}

var chunking = core.NewBlock(core.BlockSpec{
	ID: "806fb15e-830f-4796-8692-557d300ff43c", Name: "JinaChunkingBlock",
	Description: "Cuts texts into chunks that keep together what belongs together.",
	Categories:  []core.Category{core.CategoryAI, core.CategoryText},
}, func(ctx context.Context, run *core.Run, in *chunkingInput, out *chunkingOutput) error {
	chunks, tokens := []any{}, []any{}
	for _, text := range in.Texts {
		request := map[string]any{
			"content":          core.Text(text),
			"return_tokens":    in.ReturnTokens,
			"return_chunks":    true,
			"max_chunk_length": in.MaxChunkLength,
		}
		var answer struct {
			Chunks []any `json:"chunks"`
			Tokens []any `json:"tokens"`
		}
		err := rest.JSON(ctx, patient(run), http.MethodPost, "https://segment.jina.ai/",
			in.Credentials.Authorization(), request, &answer)
		if err != nil {
			return err
		}
		chunks = append(chunks, answer.Chunks...)
		tokens = append(tokens, answer.Tokens...)
	}
	out.Chunks.Emit(chunks)
	if in.ReturnTokens {
		out.Tokens.Emit(tokens)
	}
	return nil
})
