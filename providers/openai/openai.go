// Package openai connects the language models of OpenAI, or of any server that
// speaks the same protocol.
//
// It has no blocks of its own: the AI blocks belong to the platform and reach
// the models through [core.Run]. The provider says where the models are and
// offers the operator's key, if there is one.
package openai

import (
	"strings"

	"agentserver/core"
)

const defaultBaseURL = "https://api.openai.com/v1"

// systemID is known to clients and to the cost filters of the AI blocks.
const systemID = "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a"

// placeholderKey is sent when the operator named a server of their own and no
// key: local model servers take any.
const placeholderKey = "none"

// settings are the operator's, under providers.openai.
type settings struct {
	APIKey  core.Secret `key:"api_key" doc:"API key whose use the operator pays for" env:"OPENAI_API_KEY"`
	BaseURL string      `key:"base_url" doc:"Address of the API, up to and without /chat/completions: OpenAI's own, or that of a compatible model server" default:"https://api.openai.com/v1" env:"OPENAI_BASE_URL"`
}

var config = &settings{BaseURL: defaultBaseURL}

func init() {
	core.Register(&core.Provider{
		Name:     "openai",
		Title:    "OpenAI",
		Settings: config,
		Auth:     []core.AuthMethod{core.APIKeyAuth{Help: "Create a key at https://platform.openai.com/api-keys"}},
		System: []core.SystemCredential{{
			ID: systemID, Title: "Use Credits for OpenAI", Load: config.credential,
		}},
		Models: config,
	})
}

// Endpoint is where the models are.
func (s *settings) Endpoint() core.ModelEndpoint {
	return core.ModelEndpoint{Protocol: core.ProtocolChatCompletions, BaseURL: s.baseURL()}
}

func (s *settings) baseURL() string { return strings.TrimRight(s.BaseURL, "/") }

// credential is the operator's key. Without one, users cannot use OpenAI at
// the operator's cost, but they can use a local server, which needs no key.
func (s *settings) credential() core.Credential {
	key := s.APIKey
	if key == "" {
		if s.baseURL() == defaultBaseURL {
			return nil
		}
		key = placeholderKey
	}
	return core.APIKey{
		CredentialBase: core.CredentialBase{ID: systemID, Provider: "openai", Title: "Use Credits for OpenAI"},
		Key:            key,
	}
}
