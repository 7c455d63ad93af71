package llm

import (
	"context"
	"net/http"
	"strings"
	"time"

	"agentserver/core"
)

// defaultTimeout bounds calls of endpoints that set no timeout.
const defaultTimeout = 600 * time.Second

// client finds the provider of a model and speaks its protocol.
type client struct {
	registry *core.Registry
	http     *http.Client
}

// New makes a client of every language model whose provider is in the registry.
// The HTTP client should be a guarded one: users may choose the address of a
// model server.
//
// Errors: kind Invalid for requests that cannot be sent, Unavailable when the
// provider is off, absent, down or answers with an error, Forbidden when it
// refuses the key, TooMany when its rate or quota is used up. The context's
// error is returned as it is.
func New(registry *core.Registry, httpClient *http.Client) core.ModelClient {
	return &client{registry: registry, http: httpClient}
}

// call is one request with everything it takes to send it.
type call struct {
	core.ModelRequest
	provider string
	endpoint core.ModelEndpoint
	// maxTokens is 0 when nothing bounds the answer.
	maxTokens int
	// key is "" when none may be sent.
	key core.Secret
}

// Generate asks the model for an answer.
func (c *client) Generate(ctx context.Context, req core.ModelRequest) (*core.ModelResponse, error) {
	k, err := c.prepare(req)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, k.endpoint.Timeout)
	defer cancel()
	answer, err := k.send(limited, c.http)
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, core.Errorf(core.Unavailable, "%s did not answer within %s", k.provider, k.endpoint.Timeout)
	}
	return nil, err
}

func (c *client) prepare(req core.ModelRequest) (*call, error) {
	if req.Credential == nil {
		return nil, core.Errorf(core.Invalid, "model %s needs credentials", req.Model)
	}
	base := req.Credential.Base()
	k := &call{ModelRequest: req, provider: base.Provider, maxTokens: req.MaxTokens}
	model, known := Find(req.Model)
	if known {
		k.Model, k.provider = model.Name, model.Provider
		k.maxTokens = maxOutput(model, EstimateTokens(req.Messages, req.Tools), req.MaxTokens)
	} else if req.BaseURL == "" {
		// Only a server of the caller's own may have models that we do not know.
		return nil, core.Errorf(core.Invalid,
			"Model '%s' is not supported. It may have been deprecated. Please update your agent configuration.", req.Model)
	}
	if base.Provider != k.provider {
		return nil, core.Errorf(core.Invalid, "model %s takes credentials of %s, not of %s", k.Model, k.provider, base.Provider)
	}
	p, err := c.find(k.provider, k.Model)
	if err != nil {
		return nil, err
	}
	k.endpoint = p.Models.Endpoint()
	if k.endpoint.Protocol != core.ProtocolChatCompletions {
		return nil, core.Errorf(core.Internal, "provider %s speaks the unknown protocol %q", k.provider, k.endpoint.Protocol)
	}
	if k.endpoint.Timeout <= 0 {
		k.endpoint.Timeout = defaultTimeout
	}
	k.key = keyOf(req.Credential)
	if own := withScheme(req.BaseURL); own != "" && own != k.endpoint.BaseURL {
		k.endpoint.BaseURL, k.endpoint.Headers = own, nil
		if isSystem(p, base.ID) {
			k.key = "" // the operator's key goes to the provider and nowhere else
		}
	}
	return k, nil
}

// find gives the provider of a model, or an error that says why there is none.
func (c *client) find(provider, model string) (*core.Provider, error) {
	p, ok := c.registry.Provider(provider)
	switch {
	case ok && p.Models != nil:
		return p, nil
	case ok:
		return nil, core.Errorf(core.Unavailable, "model %s: provider %s serves no language models here", model, provider)
	}
	if reason, off := c.registry.Off()[provider]; off {
		return nil, core.Errorf(core.Unavailable, "model %s: its provider %s is turned off here (%s)", model, provider, reason)
	}
	return nil, core.Errorf(core.Unavailable, "model %s: its provider %s is not part of this server", model, provider)
}

// keyOf gives the secret that is sent as a bearer token.
func keyOf(c core.Credential) core.Secret {
	key, _ := strings.CutPrefix(c.Authorization(), "Bearer ")
	return core.Secret(key)
}

func isSystem(p *core.Provider, id string) bool {
	for _, s := range p.System {
		if s.ID == id {
			return true
		}
	}
	return false
}

// withScheme completes an address such as "localhost:11434".
func withScheme(base string) string {
	if base == "" || strings.Contains(base, "://") {
		return base
	}
	return "http://" + base
}
