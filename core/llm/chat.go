package llm

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"agentserver/core"
)

// sdkRetries is how often the SDK sends a request again after 408, 409, 429,
// 5xx or a failed connection. It waits as long as the vendor asks, up to a
// minute, else half a second and then a second.
const sdkRetries = 2

// send makes the call and gives the whole answer.
func (k *call) send(ctx context.Context, client *http.Client) (*core.ModelResponse, error) {
	params, err := k.params()
	if err != nil {
		return nil, err
	}
	// Not openai.NewClient: that one reads OPENAI_* variables, which would reach
	// every vendor.
	service := openai.NewChatCompletionService(k.options(client)...)
	if k.OnText != nil {
		return k.stream(ctx, &service, params)
	}
	var res *http.Response
	answer, err := service.New(ctx, params, option.WithResponseInto(&res))
	if err != nil {
		return nil, k.failure(err, res)
	}
	return k.read(answer)
}

func (k *call) options(client *http.Client) []option.RequestOption {
	opts := []option.RequestOption{
		option.WithBaseURL(k.endpoint.BaseURL),
		option.WithHTTPClient(client),
		option.WithMaxRetries(sdkRetries),
		option.WithMiddleware(stopOnQuota),
	}
	if k.key != "" {
		opts = append(opts, option.WithAPIKey(k.key.Reveal()))
	}
	for _, name := range core.SortedKeys(k.endpoint.Headers) {
		opts = append(opts, option.WithHeader(name, k.endpoint.Headers[name]))
	}
	return opts
}

// read turns a vendor's answer into ours.
func (k *call) read(answer *openai.ChatCompletion) (*core.ModelResponse, error) {
	if len(answer.Choices) == 0 {
		return nil, k.empty(answer.RawJSON())
	}
	choice := answer.Choices[0]
	out := &core.ModelResponse{
		Text:         choice.Message.Content,
		Reasoning:    reasoning(choice.Message.RawJSON(), choice.RawJSON(), answer.RawJSON()),
		Stop:         stop(choice.FinishReason),
		InputTokens:  int(answer.Usage.PromptTokens),
		OutputTokens: int(answer.Usage.CompletionTokens),
	}
	if out.Text == "" {
		out.Text = choice.Message.Refusal
	}
	for _, c := range choice.Message.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, core.ModelToolCall{
			ID: c.ID, Name: c.Function.Name, Arguments: arguments(c.Function.Arguments),
		})
	}
	return k.check(out)
}

// empty words an answer without choices. Gateways send errors of the vendor
// behind them that way, with a good status.
func (k *call) empty(raw string) error {
	var shape struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal([]byte(raw), &shape) == nil && len(shape.Error) > 0 && string(shape.Error) != "null" {
		return k.statusError(0, []byte(raw))
	}
	return core.Errorf(core.Unavailable, "%s returned no choices for model %s", k.provider, k.Model)
}

// check refuses an answer that was cut before its first character.
func (k *call) check(out *core.ModelResponse) (*core.ModelResponse, error) {
	if out.Stop == core.StopLength && out.Text == "" && len(out.ToolCalls) == 0 {
		return nil, core.Errorf(core.Unavailable,
			"model %s used up its token limit of %d before it wrote anything: raise max_tokens", k.Model, k.maxTokens)
	}
	return out, nil
}

// stop reads a finish reason; what vendors add to the list counts as an end.
func stop(reason string) core.ModelStop {
	switch reason {
	case "length":
		return core.StopLength
	case "tool_calls", "function_call":
		return core.StopToolCalls
	case "content_filter":
		return core.StopFilter
	}
	return core.StopEnd
}

// reasoning finds a model's thoughts, which vendors put into different places
// outside the standard: the first of the given objects that has them counts.
func reasoning(objects ...string) string {
	for _, raw := range objects {
		var shape struct {
			Reasoning any `json:"reasoning"`
			Content   any `json:"reasoning_content"`
		}
		if json.Unmarshal([]byte(raw), &shape) != nil {
			continue
		}
		for _, v := range []any{shape.Reasoning, shape.Content} {
			if text, ok := v.(string); ok && text != "" {
				return text
			}
		}
	}
	return ""
}
