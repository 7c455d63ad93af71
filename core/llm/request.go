package llm

import (
	"encoding/json"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"

	"agentserver/core"
)

// params turns the call into the body of a chat completions request.
func (k *call) params() (openai.ChatCompletionNewParams, error) {
	p := openai.ChatCompletionNewParams{Model: k.Model}
	for _, m := range k.Messages {
		message, err := messageParam(m)
		if err != nil {
			return p, err
		}
		p.Messages = append(p.Messages, message)
	}
	for _, t := range k.Tools {
		f, err := functionParam(t)
		if err != nil {
			return p, err
		}
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(f))
	}
	if k.maxTokens > 0 {
		if k.reasons() {
			p.MaxCompletionTokens = openai.Int(int64(k.maxTokens))
		} else {
			p.MaxTokens = openai.Int(int64(k.maxTokens))
		}
	}
	if k.JSON && jsonMode[k.provider] {
		p.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	}
	return p, nil
}

// jsonMode lists the vendors that know response_format; elsewhere the prompt
// alone asks for JSON.
var jsonMode = map[string]bool{"openai": true, "groq": true, "v0": true}

// reasons reports whether the model is one of OpenAI's that think first: they
// refuse max_tokens and want the limit to include their thoughts.
func (k *call) reasons() bool {
	if k.provider != "openai" {
		return false
	}
	if strings.HasPrefix(k.Model, "gpt-5") {
		return true
	}
	return len(k.Model) > 1 && k.Model[0] == 'o' && k.Model[1] >= '0' && k.Model[1] <= '9'
}

func messageParam(m core.ModelMessage) (openai.ChatCompletionMessageParamUnion, error) {
	switch m.Role {
	case "system":
		return openai.SystemMessage(m.Content), nil
	case "user":
		return openai.UserMessage(m.Content), nil
	case "tool":
		return openai.ToolMessage(m.Content, m.ToolCallID), nil
	case "assistant":
		return assistantParam(m), nil
	}
	return openai.ChatCompletionMessageParamUnion{},
		core.Errorf(core.Invalid, "a message has the unknown role %q", m.Role)
}

func assistantParam(m core.ModelMessage) openai.ChatCompletionMessageParamUnion {
	a := &openai.ChatCompletionAssistantMessageParam{}
	if m.Content != "" || len(m.ToolCalls) == 0 {
		a.Content.OfString = openai.String(m.Content)
	}
	for _, c := range m.ToolCalls {
		a.ToolCalls = append(a.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{
			OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
				ID: c.ID,
				Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{
					Name: c.Name, Arguments: argumentText(c.Arguments),
				},
			},
		})
	}
	return openai.ChatCompletionMessageParamUnion{OfAssistant: a}
}

func functionParam(t core.ModelTool) (shared.FunctionDefinitionParam, error) {
	f := shared.FunctionDefinitionParam{Name: t.Name}
	if t.Description != "" {
		f.Description = openai.String(t.Description)
	}
	if t.Parameters == nil {
		return f, nil
	}
	data, err := core.JSON(t.Parameters)
	if err == nil {
		err = json.Unmarshal(data, &f.Parameters)
	}
	if err != nil {
		return f, core.Errorf(core.Invalid, "parameters of tool %s: %w", t.Name, err)
	}
	return f, nil
}

// arguments turns the text that a model wrote for a tool into JSON. Nothing is
// an empty object; text that is no JSON is kept as a JSON string, so that the
// caller can show it to the model.
func arguments(text string) json.RawMessage {
	switch {
	case strings.TrimSpace(text) == "":
		return json.RawMessage("{}")
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	quoted, _ := core.JSON(text) // text always has a JSON form
	return quoted
}

// argumentText undoes arguments.
func argumentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}
