package llm

import (
	"agentserver/core"
)

const (
	// bytesPerToken is on the safe side for the tokenizers in use: English text
	// takes about 4 bytes a token, most other scripts 3 or more.
	bytesPerToken = 3.5
	// tokensPerMessage covers the marks around a message.
	tokensPerMessage = 4
	// defaultMaxOutput bounds answers of models whose own limit is not known.
	defaultMaxOutput = 32768
)

// EstimateTokens guesses how many tokens a model reads for a conversation. It
// needs no tokenizer and no network: one token for every 3.5 bytes of UTF-8
// (text, tool calls and tool schemas), and 4 for each message.
func EstimateTokens(messages []core.ModelMessage, tools []core.ModelTool) int {
	size := 0
	for _, m := range messages {
		size += len(m.Content)
		for _, c := range m.ToolCalls {
			size += len(c.Name) + len(c.Arguments)
		}
	}
	for _, t := range tools {
		size += len(t.Name) + len(t.Description)
		if schema, err := core.JSON(t.Parameters); err == nil {
			size += len(schema)
		}
	}
	return int(float64(size)/bytesPerToken) + tokensPerMessage*len(messages)
}

// maxOutput gives the most tokens that an answer may have: what the context
// window leaves, the model's own limit and the wish of the caller, whichever is
// least, and at least 1.
func maxOutput(m core.LanguageModel, input, wanted int) int {
	limit := defaultMaxOutput
	if m.MaxOutputTokens != nil {
		limit = *m.MaxOutputTokens
	}
	limit = min(limit, m.ContextWindow-input)
	if wanted > 0 {
		limit = min(limit, wanted)
	}
	return max(1, limit)
}
