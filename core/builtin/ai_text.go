package builtin

import (
	"context"
	"slices"
	"strings"

	"agentserver/core"
	"agentserver/core/llm"
	"agentserver/core/template"
)

// maxAttempts bounds how often a block calls a model for one answer, whatever
// the agent asks for.
const maxAttempts = 20

type aiTextInput struct {
	Prompt       string            `json:"prompt" doc:"What the model is asked. With prompt values, {{name}} is replaced by the value of that name" placeholder:"Ask something"`
	Model        llm.ModelName     `json:"model" title:"LLM Model" default:"gpt-5.2-2025-12-11" advanced:"false" doc:"Language model that answers"`
	Credentials  core.APIKey       `json:"credentials" doc:"API key for the provider of the chosen model"`
	SystemPrompt string            `json:"sys_prompt" title:"System Prompt" default:"" doc:"Standing instructions for the model; {{name}} works here too"`
	Retry        int               `json:"retry" title:"Retry Count" default:"3" doc:"How many attempts are made to get an answer, at most 20"`
	PromptValues map[string]string `json:"prompt_values" factory:"{}" advanced:"false" doc:"Values for the names in the prompts"`
	OllamaHost   string            `json:"ollama_host" default:"localhost:11434" doc:"Address of the Ollama server, for models that run there"`
	MaxTokens    *int              `json:"max_tokens" doc:"Most tokens that the answer may have"`
}

type aiTextOutput struct {
	Response core.Pin[string] `json:"response" doc:"The model's answer"`
	Prompt   core.Pin[[]any]  `json:"prompt" doc:"The messages that were sent to the model"`
}

var aiTextGenerator = core.NewBlock(core.BlockSpec{
	ID: "1f292d4a-41a4-4977-9684-7c8d560b9f91", Name: "AITextGeneratorBlock",
	Description: "Asks a language model and gives its answer as text.",
	Categories:  []core.Category{core.CategoryAI},
	Costs:       llm.Costs(),
	Credentials: map[string]core.CredentialsField{"credentials": modelCredentials()},
}, func(ctx context.Context, run *core.Run, in *aiTextInput, out *aiTextOutput) error {
	prompt, err := fillPrompt(ctx, in.Prompt, in.PromptValues)
	if err != nil {
		return err
	}
	system, err := fillPrompt(ctx, in.SystemPrompt, in.PromptValues)
	if err != nil {
		return err
	}
	var messages []core.ModelMessage
	if system != "" {
		messages = append(messages, core.ModelMessage{Role: "system", Content: system})
	}
	messages = append(messages, core.ModelMessage{Role: "user", Content: prompt})
	req := core.ModelRequest{
		Model: string(in.Model), Credential: in.Credentials, Messages: messages,
		BaseURL: ollamaAddress(string(in.Model), in.OllamaHost),
	}
	if in.MaxTokens != nil {
		req.MaxTokens = *in.MaxTokens
	}
	answer, err := generate(ctx, run, req, in.Retry)
	if err != nil {
		return err
	}
	out.Response.Emit(answer.Text)
	sent := make([]any, len(messages))
	for i, m := range messages {
		sent[i] = m
	}
	out.Prompt.Emit(sent)
	return nil
})

// fillPrompt puts values into a prompt. Without values the prompt is left as it
// is, so that one that talks about templates needs no escaping.
func fillPrompt(ctx context.Context, prompt string, values map[string]string) (string, error) {
	if len(values) == 0 {
		return prompt, nil
	}
	data := make(map[string]any, len(values))
	for k, v := range values {
		data[k] = v
	}
	return template.Render(ctx, prompt, data, template.Options{})
}

// generate calls a model until it answers, at most retry times. It gives up at
// once when another attempt cannot help: a refused key, a used-up quota, a
// request that is wrong in itself or a run that was stopped. When the model
// finds the conversation too long, the next attempt leaves it less room to
// answer.
func generate(ctx context.Context, run *core.Run, req core.ModelRequest, retry int) (*core.ModelResponse, error) {
	attempts := min(max(retry, 1), maxAttempts)
	for attempt := 1; ; attempt++ {
		answer, err := run.Models.Generate(ctx, req)
		if err == nil {
			run.Stats.Add(core.StatsData{
				InputTokens: answer.InputTokens, OutputTokens: answer.OutputTokens,
				ModelCalls: attempt, ModelRetries: attempt - 1,
			})
			return answer, nil
		}
		final := []core.Kind{core.Forbidden, core.TooMany, core.Invalid}
		if attempt == attempts || ctx.Err() != nil || slices.Contains(final, core.KindOf(err)) {
			return nil, err
		}
		if strings.Contains(err.Error(), "maximum context length") {
			req.MaxTokens = int(float64(answerLimit(req)) * 0.85)
		}
	}
}

// answerLimit gives the limit that a request's answer had.
func answerLimit(req core.ModelRequest) int {
	if req.MaxTokens > 0 {
		return req.MaxTokens
	}
	if m, ok := llm.Find(req.Model); ok && m.MaxOutputTokens != nil {
		return *m.MaxOutputTokens
	}
	return 4096
}

// ollamaAddress gives the address of the user's own model server, for models
// that run there.
func ollamaAddress(model, host string) string {
	if m, ok := llm.Find(model); !ok || m.Provider != "ollama" {
		return ""
	}
	return strings.TrimRight(host, "/") + "/v1"
}

// modelCredentials takes the credentials of the chosen model's provider.
func modelCredentials() core.CredentialsField {
	return core.CredentialsField{
		Providers:     []string{"aiml_api", "anthropic", "groq", "ollama", "openai", "open_router", "llama_api", "v0"},
		Types:         []core.CredentialType{core.TypeAPIKey},
		Discriminator: "model",
		Mapping:       llm.Mapping(),
	}
}
