package jina

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"agentserver/core"
	"agentserver/core/rest"
)

type embeddingInput struct {
	Texts       []any       `json:"texts" doc:"Texts to embed"`
	Credentials core.APIKey `json:"credentials" doc:"API key of Jina"`
	Model       string      `json:"model" default:"jina-embeddings-v2-base-en" doc:"Embedding model"`
}

type embeddingOutput struct {
	Embeddings core.Pin[[]any] `json:"embeddings" doc:"One vector for each text, in their order"`
}

var embedding = core.NewBlock(core.BlockSpec{
	ID: "7c56b3ab-62e7-43a2-a2dc-4ec4245660b6", Name: "JinaEmbeddingBlock",
	Description: "Turns texts into vectors, by which they can be compared.",
	Categories:  []core.Category{core.CategoryAI},
	Costs:       cost(12, nil),
}, func(ctx context.Context, run *core.Run, in *embeddingInput, out *embeddingOutput) error {
	type vector struct {
		Index     int `json:"index"`
		Embedding any `json:"embedding"`
	}
	var answer struct {
		Data []vector `json:"data"`
	}
	request := map[string]any{"input": in.Texts, "model": in.Model}
	err := rest.JSON(ctx, patient(run), http.MethodPost, "https://api.jina.ai/v1/embeddings",
		in.Credentials.Authorization(), request, &answer)
	if err != nil {
		return err
	}
	slices.SortStableFunc(answer.Data, func(a, b vector) int { return cmp.Compare(a.Index, b.Index) })
	vectors := make([]any, len(answer.Data))
	for i, v := range answer.Data {
		vectors[i] = v.Embedding
	}
	out.Embeddings.Emit(vectors)
	return nil
})
