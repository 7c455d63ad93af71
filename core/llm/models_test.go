package llm_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/llm"
)

func TestFind(t *testing.T) {
	for _, c := range []struct{ ask, want string }{
		{"gpt-4o", "gpt-4o"},
		{"anthropic/claude-sonnet-4-6", "claude-sonnet-4-6"},
		{"extra/google/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"google/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"invalid/nonexistent-model", ""},
		{"nonexistent-model", ""},
		{"", ""},
	} {
		m, ok := llm.Find(c.ask)
		require.Equal(t, c.want, m.Name, c.ask)
		require.Equal(t, c.want != "", ok, c.ask)
	}
}

func TestModelTable(t *testing.T) {
	providers := map[string]int{}
	for _, m := range llm.Models() {
		providers[m.Provider]++
		require.NotEmpty(t, m.Title, m.Name)
		require.NotEmpty(t, m.ProviderName, m.Name)
		require.NotEmpty(t, m.CreatorName, m.Name)
		require.Positive(t, m.ContextWindow, m.Name)
		require.Contains(t, []int{1, 2, 3}, m.PriceTier, m.Name)
	}
	require.Equal(t, map[string]int{
		"openai": 15, "anthropic": 9, "aiml_api": 5, "groq": 2, "ollama": 5, "open_router": 46, "llama_api": 4, "v0": 3,
	}, providers)
	require.Len(t, llm.Mapping(), 89)
	require.Equal(t, "groq", llm.Mapping()["llama-3.1-8b-instant"])
	_, ok := llm.Find(llm.DefaultModel)
	require.True(t, ok)
}

func TestModelsAreACopy(t *testing.T) {
	llm.Models()[0].Name = "changed"
	require.Equal(t, "o3-mini", llm.Models()[0].Name)
}

func TestModelSchema(t *testing.T) {
	s := llm.ModelName("").JSONSchema()
	require.Equal(t, []string{"enum", "title", "type", "llm_model", "llm_model_metadata"}, s.Keys())
	require.Equal(t, "LlmModel", s.Text("title"))
	enum, _ := s.Get("enum")
	require.Len(t, enum, 89)
	require.Equal(t, []any{"o3-mini", "o3-2025-04-16", "o1"}, enum.([]any)[:3])
	entry, err := core.JSON(s.Object("llm_model_metadata").Object("meta-llama/Llama-3.3-70B-Instruct-Turbo"))
	require.NoError(t, err)
	require.JSONEq(t, `{"creator":"Meta","creator_name":"Meta","title":"Llama 3.3 70B Instruct Turbo","provider":"aiml_api",
		"provider_name":"AI/ML","name":"meta-llama/Llama-3.3-70B-Instruct-Turbo","price_tier":1}`, string(entry))

	s.Set("default", "o1")
	_, changed := llm.ModelSchema().Get("default")
	require.False(t, changed, "every field gets a schema of its own")
}

func TestEstimateTokens(t *testing.T) {
	for _, c := range []struct {
		name     string
		messages []core.ModelMessage
		tools    []core.ModelTool
		want     int
	}{
		{"nothing", nil, nil, 0},
		{"an empty message", []core.ModelMessage{{Role: "user"}}, nil, 4},
		{"35 bytes", []core.ModelMessage{{Role: "user", Content: "12345678901234567890123456789012345"}}, nil, 14},
		{"a tool call", []core.ModelMessage{{Role: "assistant", ToolCalls: []core.ModelToolCall{
			{Name: "abcde", Arguments: json.RawMessage(`{}`)},
		}}}, nil, 6},
		{"a tool", nil, []core.ModelTool{{Name: "abcde", Description: "1234567", Parameters: map[string]any{}}}, 4},
	} {
		require.Equal(t, c.want, llm.EstimateTokens(c.messages, c.tools), c.name)
	}
}
