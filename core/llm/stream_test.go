package llm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// events is a stream of chunks, as the API sends them.
func events(data ...string) reply {
	var b strings.Builder
	for _, d := range data {
		if strings.HasPrefix(d, ":") {
			b.WriteString(d + "\n\n")
			continue
		}
		b.WriteString("data: " + d + "\n\n")
	}
	return reply{header: map[string]string{"Content-Type": "text/event-stream"}, body: b.String()}
}

func delta(d, finish string) string {
	if finish == "" {
		finish = "null"
	} else {
		finish = `"` + finish + `"`
	}
	return `{"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","choices":[{"index":0,"delta":` +
		d + `,"logprobs":null,"finish_reason":` + finish + `}]}`
}

const usageChunk = `{"id":"chatcmpl-123","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`

func TestStreams(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []string
		pieces []string
		want   core.ModelResponse
		err    string
	}{
		{
			name: "text",
			events: []string{
				delta(`{"role":"assistant","content":""}`, ""), delta(`{"content":"Hel"}`, ""), ": OPENROUTER PROCESSING",
				delta(`{"content":"lo"}`, ""), delta(`{}`, "stop"), usageChunk, "[DONE]",
			},
			pieces: []string{"Hel", "lo"},
			want:   core.ModelResponse{Text: "Hello", Stop: core.StopEnd, InputTokens: 10, OutputTokens: 5},
		},
		{
			name: "reasoning",
			events: []string{
				delta(`{"reasoning":"I "}`, ""), delta(`{"reasoning_content":"think"}`, ""), delta(`{"reasoning":" "}`, ""),
				delta(`{"content":"x"}`, "stop"), "[DONE]",
			},
			pieces: []string{"x"},
			want:   core.ModelResponse{Text: "x", Reasoning: "I think ", Stop: core.StopEnd},
		},
		{
			name: "a tool call in pieces",
			events: []string{
				delta(`{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}`, ""),
				delta(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}`, ""),
				delta(`{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}`, ""), delta(`{}`, "tool_calls"), "[DONE]",
			},
			want: core.ModelResponse{Stop: core.StopToolCalls, ToolCalls: []core.ModelToolCall{
				{ID: "c1", Name: "f", Arguments: json.RawMessage(`{"a":1}`)},
			}},
		},
		{
			name: "two tool calls, interleaved, the name repeated",
			events: []string{
				delta(`{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{"}},{"index":1,"id":"c2","function":{"name":"g","arguments":""}}]}`, ""),
				delta(`{"tool_calls":[{"index":1,"function":{"name":"g","arguments":"{}"}}]}`, ""),
				delta(`{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"}"}}]}`, "tool_calls"), "[DONE]",
			},
			want: core.ModelResponse{Stop: core.StopToolCalls, ToolCalls: []core.ModelToolCall{
				{ID: "c1", Name: "f", Arguments: json.RawMessage(`{}`)}, {ID: "c2", Name: "g", Arguments: json.RawMessage(`{}`)},
			}},
		},
		{
			name: "tool calls without an index",
			events: []string{
				delta(`{"tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{}"}}]}`, ""),
				delta(`{"tool_calls":[{"id":"c2","function":{"name":"f","arguments":""}}]}`, "tool_calls"), "[DONE]",
			},
			want: core.ModelResponse{Stop: core.StopToolCalls, ToolCalls: []core.ModelToolCall{
				{ID: "c1", Name: "f", Arguments: json.RawMessage(`{}`)}, {ID: "c2", Name: "f", Arguments: json.RawMessage(`{}`)},
			}},
		},
		{
			name: "failure of the vendor behind a gateway",
			events: []string{
				delta(`{"content":"Hel"}`, ""),
				`{"error":{"code":502,"message":"Provider disconnected"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}`,
			},
			pieces: []string{"Hel"},
			err:    "openai API error 502: Provider disconnected",
		},
		{name: "broken off", events: []string{delta(`{"content":"Hel"}`, "")}, pieces: []string{"Hel"}, err: "openai broke off its answer"},
		{name: "cut before the first word", events: []string{delta(`{}`, "length"), "[DONE]"}, err: "token limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVendor(t, events(c.events...))
			req := ask("openai", "gpt-4o")
			var pieces []string
			req.OnText = func(s string) { pieces = append(pieces, s) }
			got, err := clientOf(t, "openai", v).Generate(t.Context(), req)
			require.Equal(t, c.pieces, pieces)
			require.Equal(t, true, v.bodies[0]["stream"])
			require.Equal(t, map[string]any{"include_usage": true}, v.bodies[0]["stream_options"])
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, &c.want, got)
		})
	}
}

func TestStreamWithoutStreamOptions(t *testing.T) {
	v := newVendor(t,
		reply{status: 400, body: `{"error":{"message":"Unknown parameter: 'stream_options'."}}`},
		events(delta(`{"content":"x"}`, "stop"), "[DONE]"))
	req := ask("llama_api", "Llama-3.3-8B-Instruct")
	req.OnText = func(string) {}
	got, err := clientOf(t, "llama_api", v).Generate(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, "x", got.Text)
	require.NotContains(t, v.bodies[1], "stream_options")
}
