package llm

import (
	"context"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"agentserver/core"
)

// stream makes the call with a streamed answer and passes its text to OnText
// as it comes.
func (k *call) stream(ctx context.Context, service *openai.ChatCompletionService, params openai.ChatCompletionNewParams) (*core.ModelResponse, error) {
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	out, err := k.streamOnce(ctx, service, params)
	if err != nil && strings.Contains(err.Error(), "stream_options") {
		// Some vendors refuse it; without, the usage stays unknown.
		params.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
		out, err = k.streamOnce(ctx, service, params)
	}
	return out, err
}

func (k *call) streamOnce(ctx context.Context, service *openai.ChatCompletionService, params openai.ChatCompletionNewParams) (*core.ModelResponse, error) {
	var res *http.Response
	stream := service.NewStreaming(ctx, params, option.WithResponseInto(&res))
	defer func() { _ = stream.Close() }()
	c := collector{onText: k.OnText}
	for stream.Next() {
		c.add(stream.Current())
	}
	if err := stream.Err(); err != nil {
		return nil, k.failure(err, res)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !c.finished {
		return nil, core.Errorf(core.Unavailable, "%s broke off its answer", k.provider)
	}
	return k.check(c.response())
}

// collector puts the pieces of a streamed answer together.
type collector struct {
	onText    func(string)
	text      strings.Builder
	reasoning strings.Builder
	calls     []*partialCall
	out       core.ModelResponse
	finished  bool
}

// partialCall is a tool call whose arguments are still arriving.
type partialCall struct {
	index     int64
	id, name  string
	arguments strings.Builder
}

func (c *collector) add(chunk openai.ChatCompletionChunk) {
	if n := chunk.Usage.PromptTokens; n > 0 {
		c.out.InputTokens = int(n)
	}
	if n := chunk.Usage.CompletionTokens; n > 0 {
		c.out.OutputTokens = int(n)
	}
	if len(chunk.Choices) == 0 {
		return
	}
	choice := chunk.Choices[0]
	text := choice.Delta.Content + choice.Delta.Refusal
	if text != "" {
		c.text.WriteString(text)
		c.onText(text)
	}
	c.reasoning.WriteString(reasoning(choice.Delta.RawJSON()))
	for _, d := range choice.Delta.ToolCalls {
		call := c.call(d.Index, d.ID)
		if call.name == "" {
			call.name = d.Function.Name // some gateways repeat it
		}
		call.arguments.WriteString(d.Function.Arguments)
	}
	if choice.FinishReason != "" {
		c.finished = true
		c.out.Stop = stop(choice.FinishReason)
	}
}

// call gives the call that a piece belongs to. Pieces carry an index; some
// gateways leave it out and only start a new call with a new id.
func (c *collector) call(index int64, id string) *partialCall {
	for i := len(c.calls) - 1; i >= 0; i-- {
		known := c.calls[i]
		if known.index != index {
			continue
		}
		if known.id == "" {
			known.id = id
		}
		if id == "" || id == known.id {
			return known
		}
		break
	}
	call := &partialCall{index: index, id: id}
	c.calls = append(c.calls, call)
	return call
}

func (c *collector) response() *core.ModelResponse {
	c.out.Text, c.out.Reasoning = c.text.String(), c.reasoning.String()
	for _, p := range c.calls {
		c.out.ToolCalls = append(c.out.ToolCalls, core.ModelToolCall{
			ID: p.id, Name: p.name, Arguments: arguments(p.arguments.String()),
		})
	}
	return &c.out
}
