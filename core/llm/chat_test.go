package llm_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// The bodies follow the examples of the API reference of OpenAI.
const (
	plainAnswer = `{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,"model":"gpt-4.1-2025-04-14",
		"choices":[{"index":0,"message":{"role":"assistant","content":"Hello! How can I assist you today?","refusal":null,"annotations":[]},
		"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}`
	toolAnswer = `{"id":"chatcmpl-abc123","object":"chat.completion","created":1699896916,"model":"gpt-4o-mini",
		"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_abc123","type":"function",
		"function":{"name":"get_current_weather","arguments":"{\n\"location\": \"Boston, MA\"\n}"}},{"id":"call_2","type":"function",
		"function":{"name":"now","arguments":""}},{"id":"call_3","type":"function","function":{"name":"now","arguments":"{\"a"}}]},
		"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":82,"completion_tokens":17,"total_tokens":99}}`
)

func answer(message, finish string) string {
	return `{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":` + message +
		`,"finish_reason":"` + finish + `"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		body string
		want core.ModelResponse
		err  string
	}{
		{name: "text", body: plainAnswer, want: core.ModelResponse{
			Text: "Hello! How can I assist you today?", Stop: core.StopEnd, InputTokens: 19, OutputTokens: 10,
		}},
		{name: "tool calls", body: toolAnswer, want: core.ModelResponse{
			Stop: core.StopToolCalls, InputTokens: 82, OutputTokens: 17,
			ToolCalls: []core.ModelToolCall{
				{ID: "call_abc123", Name: "get_current_weather", Arguments: json.RawMessage("{\n\"location\": \"Boston, MA\"\n}")},
				{ID: "call_2", Name: "now", Arguments: json.RawMessage("{}")},
				{ID: "call_3", Name: "now", Arguments: json.RawMessage(`"{\"a"`)},
			},
		}},
		{name: "refusal", body: answer(`{"role":"assistant","content":null,"refusal":"I cannot."}`, "stop"), want: core.ModelResponse{
			Text: "I cannot.", Stop: core.StopEnd, InputTokens: 1, OutputTokens: 2,
		}},
		{name: "filtered", body: answer(`{"role":"assistant","content":"x"}`, "content_filter"), want: core.ModelResponse{
			Text: "x", Stop: core.StopFilter, InputTokens: 1, OutputTokens: 2,
		}},
		{name: "cut", body: answer(`{"role":"assistant","content":"x"}`, "length"), want: core.ModelResponse{
			Text: "x", Stop: core.StopLength, InputTokens: 1, OutputTokens: 2,
		}},
		{name: "reasoning", body: answer(`{"role":"assistant","content":"x","reasoning":"because"}`, "stop"), want: core.ModelResponse{
			Text: "x", Reasoning: "because", Stop: core.StopEnd, InputTokens: 1, OutputTokens: 2,
		}},
		{name: "reasoning_content", body: answer(`{"role":"assistant","content":"x","reasoning_content":"so"}`, "stop"), want: core.ModelResponse{
			Text: "x", Reasoning: "so", Stop: core.StopEnd, InputTokens: 1, OutputTokens: 2,
		}},
		{name: "cut before the first word", body: answer(`{"role":"assistant","content":""}`, "length"), err: "token limit of 16384"},
		{name: "no choices", body: `{"id":"x","choices":[]}`, err: "openai returned no choices for model gpt-4o"},
		{name: "error with a good status", body: `{"error":{"message":"Provider down","code":502}}`, err: "openai API error 502: Provider down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVendor(t, reply{body: c.body})
			got, err := clientOf(t, "openai", v).Generate(t.Context(), ask("openai", "gpt-4o"))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, &c.want, got)
		})
	}
}

func TestRequests(t *testing.T) {
	long := make([]byte, 3500*1000)
	for i := range long {
		long[i] = 'a'
	}
	hello := []core.ModelMessage{{Role: "user", Content: "Hello!"}}
	for _, c := range []struct {
		name     string
		provider string
		req      core.ModelRequest
		want     string
	}{
		{
			"the model's own limit", "openai",
			core.ModelRequest{Model: "gpt-4o", Messages: hello},
			`{"model":"gpt-4o","messages":[{"role":"user","content":"Hello!"}],"max_tokens":16384}`,
		},
		{
			"the caller's limit", "openai",
			core.ModelRequest{Model: "gpt-4o", Messages: hello, MaxTokens: 100},
			`{"model":"gpt-4o","messages":[{"role":"user","content":"Hello!"}],"max_tokens":100}`,
		},
		{
			"a limit over the model's", "openai",
			core.ModelRequest{Model: "gpt-4o", Messages: hello, MaxTokens: 99999},
			`{"model":"gpt-4o","messages":[{"role":"user","content":"Hello!"}],"max_tokens":16384}`,
		},
		{
			"a reasoning model", "openai",
			core.ModelRequest{Model: "gpt-5.2-2025-12-11", Messages: hello, MaxTokens: 100},
			`{"model":"gpt-5.2-2025-12-11","messages":[{"role":"user","content":"Hello!"}],"max_completion_tokens":100}`,
		},
		{
			"an o model", "openai",
			core.ModelRequest{Model: "o3-mini", Messages: hello, MaxTokens: 100},
			`{"model":"o3-mini","messages":[{"role":"user","content":"Hello!"}],"max_completion_tokens":100}`,
		},
		{
			"a model without a limit of its own", "aiml_api",
			core.ModelRequest{Model: "meta-llama/Llama-3.3-70B-Instruct-Turbo", Messages: hello},
			`{"model":"meta-llama/Llama-3.3-70B-Instruct-Turbo","messages":[{"role":"user","content":"Hello!"}],"max_tokens":32768}`,
		},
		{
			"what the context window leaves", "ollama",
			core.ModelRequest{Model: "llama3", Messages: []core.ModelMessage{{Role: "user", Content: "Hello!!"}}},
			`{"model":"llama3","messages":[{"role":"user","content":"Hello!!"}],"max_tokens":8186}`,
		},
		{
			"a vendor in front of the name", "openai",
			core.ModelRequest{Model: "openai/gpt-4o", Messages: hello},
			`{"model":"gpt-4o","messages":[{"role":"user","content":"Hello!"}],"max_tokens":16384}`,
		},
		{
			"JSON mode", "openai",
			core.ModelRequest{Model: "gpt-4o", Messages: hello, JSON: true},
			`{"model":"gpt-4o","messages":[{"role":"user","content":"Hello!"}],"max_tokens":16384,"response_format":{"type":"json_object"}}`,
		},
		{
			"JSON mode of a vendor without", "open_router",
			core.ModelRequest{Model: "x-ai/grok-4", Messages: hello, JSON: true, MaxTokens: 5},
			`{"model":"x-ai/grok-4","messages":[{"role":"user","content":"Hello!"}],"max_tokens":5}`,
		},
		{"a conversation with tools", "openai", core.ModelRequest{
			Model: "gpt-4o", MaxTokens: 5,
			Messages: []core.ModelMessage{
				{Role: "system", Content: "Be brief."},
				{Role: "user", Content: "Weather?"},
				{Role: "assistant", ToolCalls: []core.ModelToolCall{{ID: "c1", Name: "weather", Arguments: json.RawMessage(`{"a":1}`)}}},
				{Role: "tool", ToolCallID: "c1", Content: "sunny"},
				{Role: "assistant", Content: "Hm", ToolCalls: []core.ModelToolCall{{ID: "c2", Name: "weather", Arguments: json.RawMessage(`"{\"a"`)}, {ID: "c3", Name: "now"}}},
			},
			Tools: []core.ModelTool{
				{Name: "weather", Description: "Tells the weather", Parameters: core.NewObject("type", "object")},
				{Name: "now"},
			},
		}, `{"model":"gpt-4o","max_tokens":5,"messages":[
			{"role":"system","content":"Be brief."},{"role":"user","content":"Weather?"},
			{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"a\":1}"}}]},
			{"role":"tool","tool_call_id":"c1","content":"sunny"},
			{"role":"assistant","content":"Hm","tool_calls":[{"id":"c2","type":"function","function":{"name":"weather","arguments":"{\"a"}},
				{"id":"c3","type":"function","function":{"name":"now","arguments":"{}"}}]}],
			"tools":[{"type":"function","function":{"name":"weather","description":"Tells the weather","parameters":{"type":"object"}}},
				{"type":"function","function":{"name":"now"}}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVendor(t, reply{body: plainAnswer})
			c.req.Credential = keyFor(c.provider)
			_, err := clientOf(t, c.provider, v).Generate(t.Context(), c.req)
			require.NoError(t, err)
			require.Equal(t, "/v1/chat/completions", v.requests[0].URL.Path)
			require.Equal(t, "Bearer "+testKey, v.requests[0].Header.Get("Authorization"))
			require.Equal(t, "agentserver", v.requests[0].Header.Get("X-Title"))
			sent, err := json.Marshal(v.bodies[0])
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(sent))
		})
	}
	t.Run("a full context window", func(t *testing.T) {
		v := newVendor(t, reply{body: plainAnswer})
		req := ask("openai", "gpt-4o")
		req.Messages[0].Content = string(long)
		_, err := clientOf(t, "openai", v).Generate(t.Context(), req)
		require.NoError(t, err)
		require.EqualValues(t, 1, v.bodies[0]["max_tokens"])
	})
}

func TestEnvironmentIsNotSent(t *testing.T) {
	t.Setenv("OPENAI_ORG_ID", "org-secret")
	t.Setenv("OPENAI_PROJECT_ID", "proj-secret")
	v := newVendor(t, reply{body: plainAnswer})
	_, err := clientOf(t, "groq", v).Generate(t.Context(), ask("groq", "llama-3.1-8b-instant"))
	require.NoError(t, err)
	require.Empty(t, v.requests[0].Header.Get("OpenAI-Organization"))
	require.Empty(t, v.requests[0].Header.Get("OpenAI-Project"))
}
