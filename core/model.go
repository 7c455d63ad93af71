package core

import (
	"context"
	"encoding/json"
	"time"
)

// LanguageModels is a provider's offer of language models. The platform owns
// the clients; a provider only says where and how to reach its models.
type LanguageModels interface {
	// Endpoint is asked after settings are filled.
	Endpoint() ModelEndpoint
}

// ModelProtocol is the wire protocol that a model endpoint speaks.
type ModelProtocol string

// ProtocolChatCompletions is POST {base}/chat/completions, the protocol that
// OpenAI, most gateways and most local model servers speak.
const ProtocolChatCompletions ModelProtocol = "chat_completions"

// ModelEndpoint says how to reach a provider's models.
type ModelEndpoint struct {
	Protocol ModelProtocol
	BaseURL  string
	Headers  map[string]string
	// Timeout bounds one call; 0 means 600 s.
	Timeout time.Duration
}

// LanguageModel is a row of the model table.
type LanguageModel struct {
	Name            string `json:"name"`
	Provider        string `json:"provider"`
	ProviderName    string `json:"provider_name"`
	CreatorName     string `json:"creator_name"`
	Title           string `json:"title"`
	ContextWindow   int    `json:"context_window"`
	MaxOutputTokens *int   `json:"max_output_tokens"`
	PriceTier       int    `json:"price_tier"`
	// Cost is in credits per call; nil means no price.
	Cost *int `json:"cost"`
}

// ModelMessage is one turn of a conversation with a model.
type ModelMessage struct {
	Role       string          `json:"role"` // system, user, assistant or tool
	Content    string          `json:"content"`
	ToolCalls  []ModelToolCall `json:"tool_calls,omitempty"`
	ToolCallID string          `json:"tool_call_id,omitempty"`
}

// ModelToolCall is a model's wish to call a tool.
type ModelToolCall struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// ModelTool is a tool that a model may call.
type ModelTool struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Parameters  any    `json:"parameters"` // JSON Schema
}

// ModelRequest is one call of a model.
type ModelRequest struct {
	Model    string
	Messages []ModelMessage
	Tools    []ModelTool
	// MaxTokens bounds the answer; 0 leaves it to the model table.
	MaxTokens int
	// JSON asks for an answer that is a JSON object.
	JSON bool
	// BaseURL, when set, replaces the provider's, for local model servers.
	BaseURL    string
	Credential Credential
	// OnText, when set, receives the answer piece by piece as it arrives.
	OnText func(string)
}

// ModelStop says why a model stopped.
type ModelStop string

// The reasons, the same for every vendor.
const (
	StopEnd       ModelStop = "stop"
	StopLength    ModelStop = "length"
	StopToolCalls ModelStop = "tool_calls"
	StopFilter    ModelStop = "filter"
)

// ModelResponse is a model's whole answer.
type ModelResponse struct {
	Text         string
	Reasoning    string
	ToolCalls    []ModelToolCall
	Stop         ModelStop
	InputTokens  int
	OutputTokens int
}

// ModelClient calls language models of any vendor.
type ModelClient interface {
	Generate(ctx context.Context, req ModelRequest) (*ModelResponse, error)
}
