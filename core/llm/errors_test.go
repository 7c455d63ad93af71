package llm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/llm"
)

func TestVendorErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string
		kind   core.Kind
		calls  int
	}{
		{
			"wrong key", 401, `{"error":{"message":"Incorrect API key provided: ` + testKey + `.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`,
			"openai API error 401: Incorrect API key provided: **********.", core.Forbidden, 1,
		},
		{
			"no access", 403, `{"error":{"message":"Country not supported","type":"request_forbidden","code":"unsupported_country"}}`,
			"openai API error 403: Country not supported", core.Forbidden, 1,
		},
		{
			"rate", 429, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`,
			"openai API error 429: Rate limit reached", core.TooMany, 3,
		},
		{
			"no money", 429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`,
			"openai API error 429: You exceeded your current quota", core.TooMany, 1,
		},
		{
			"context", 400, `{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}`,
			"maximum context length", core.Unavailable, 1,
		},
		{
			"no such model", 404, `{"error":{"message":"The model does not exist","code":"model_not_found"}}`,
			"openai API error 404: The model does not exist", core.Unavailable, 1,
		},
		{"down", 500, `{"error":{"message":"The server had an error"}}`, "openai API error 500: The server had an error", core.Unavailable, 3},
		{"error as text", 400, `{"error":"model 'x' not found"}`, "openai API error 400: model 'x' not found", core.Unavailable, 1},
		{"problem", 400, `{"title":"Bad Request","detail":"Too long","status":400}`, "openai API error 400: Too long", core.Unavailable, 1},
		{"message", 400, `{"message":"No","statusCode":400}`, "openai API error 400: No", core.Unavailable, 1},
		{"title", 400, `{"title":"Bad"}`, "openai API error 400: Bad", core.Unavailable, 1},
		{"not JSON", 502, "<html>Bad gateway</html>", "openai API error 502: <html>Bad gateway</html>", core.Unavailable, 3},
		{"empty", 503, "", "openai API error 503: Service Unavailable", core.Unavailable, 3},
		{"long", 400, `{"error":{"message":"` + strings.Repeat("x", 5000) + `"}}`, strings.Repeat("x", 1000) + "…", core.Unavailable, 1},
	} {
		for _, mode := range []string{"whole", "streamed"} {
			t.Run(c.name+" "+mode, func(t *testing.T) {
				v := newVendor(t, reply{status: c.status, body: c.body, header: map[string]string{"Retry-After-Ms": "1"}})
				req := ask("openai", "gpt-4o")
				if mode == "streamed" {
					req.OnText = func(string) {}
				}
				_, err := clientOf(t, "openai", v).Generate(t.Context(), req)
				require.ErrorContains(t, err, c.want)
				require.Equal(t, c.kind, core.KindOf(err))
				require.NotContains(t, err.Error(), testKey)
				require.Equal(t, c.calls, v.calls())
			})
		}
	}
}

func TestRetry(t *testing.T) {
	busy := reply{status: 429, body: `{"error":{"message":"Rate limit reached"}}`, header: map[string]string{"Retry-After-Ms": "1"}}
	v := newVendor(t, busy, busy, reply{body: plainAnswer})
	got, err := clientOf(t, "openai", v).Generate(t.Context(), ask("openai", "gpt-4o"))
	require.NoError(t, err)
	require.Equal(t, "Hello! How can I assist you today?", got.Text)
	require.Equal(t, 3, v.calls())
}

func TestCancel(t *testing.T) {
	for _, mode := range []string{"whole", "streamed"} {
		t.Run(mode, func(t *testing.T) {
			v := newVendor(t, reply{hang: true})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-v.arrived
				cancel()
			}()
			req := ask("openai", "gpt-4o")
			if mode == "streamed" {
				req.OnText = func(string) {}
			}
			_, err := clientOf(t, "openai", v).Generate(ctx, req)
			require.Equal(t, context.Canceled, err)
			require.Equal(t, 1, v.calls())
		})
	}
}

func TestTimeout(t *testing.T) {
	v := newVendor(t, reply{hang: true})
	c := clientWith(t, "openai", core.ModelEndpoint{
		Protocol: core.ProtocolChatCompletions, BaseURL: v.URL, Timeout: 20 * time.Millisecond,
	})
	_, err := c.Generate(t.Context(), ask("openai", "gpt-4o"))
	require.EqualError(t, err, "openai did not answer within 20ms")
	require.True(t, core.IsKind(err, core.Unavailable))
}

func TestUnreachable(t *testing.T) {
	v := newVendor(t, reply{})
	v.Close()
	_, err := clientOf(t, "openai", v).Generate(t.Context(), ask("openai", "gpt-4o"))
	require.ErrorContains(t, err, "calling openai: ")
	require.ErrorContains(t, err, "refused")
	require.True(t, core.IsKind(err, core.Unavailable))
}

func TestRefusedRequests(t *testing.T) {
	registry := &core.Registry{}
	for _, p := range []*core.Provider{
		{Name: "openai", Title: "OpenAI", Models: endpoint{Protocol: core.ProtocolChatCompletions}},
		{Name: "groq", Title: "Groq", Models: endpoint{Protocol: core.ProtocolChatCompletions}},
		{Name: "ollama", Title: "Ollama", Models: endpoint{Protocol: "telepathy"}},
		{Name: "v0", Title: "V0"},
	} {
		require.NoError(t, registry.Add(p))
	}
	client := llm.New(registry.Without(map[string]string{"groq": "providers.disabled lists it"}), nil)
	for _, c := range []struct {
		name string
		req  core.ModelRequest
		want string
		kind core.Kind
	}{
		{
			"unknown model", ask("openai", "gpt-0"),
			"Model 'gpt-0' is not supported. It may have been deprecated. Please update your agent configuration.", core.Invalid,
		},
		{"no credentials", core.ModelRequest{Model: "gpt-4o"}, "model gpt-4o needs credentials", core.Invalid},
		{"credentials of another", ask("anthropic", "gpt-4o"), "model gpt-4o takes credentials of openai, not of anthropic", core.Invalid},
		{
			"provider off", ask("groq", "llama-3.1-8b-instant"),
			"model llama-3.1-8b-instant: its provider groq is turned off here (providers.disabled lists it)", core.Unavailable,
		},
		{
			"provider absent", ask("anthropic", "claude-opus-4-6"),
			"model claude-opus-4-6: its provider anthropic is not part of this server", core.Unavailable,
		},
		{
			"provider without models", ask("v0", "v0-1.5-md"),
			"model v0-1.5-md: provider v0 serves no language models here", core.Unavailable,
		},
		{"unknown protocol", ask("ollama", "llama3"), `provider ollama speaks the unknown protocol "telepathy"`, core.Internal},
		{"unknown role", core.ModelRequest{
			Model: "gpt-4o", Credential: keyFor("openai"), Messages: []core.ModelMessage{{Role: "narrator"}},
		}, `a message has the unknown role "narrator"`, core.Invalid},
	} {
		_, err := client.Generate(t.Context(), c.req)
		require.EqualError(t, err, c.want, c.name)
		require.Equal(t, c.kind, core.KindOf(err), c.name)
	}
}

func TestOwnServer(t *testing.T) {
	for _, c := range []struct {
		name       string
		credential core.Credential
		model      string
		auth       string
	}{
		{"own key", keyFor("openai"), "gpt-4o", "Bearer " + testKey},
		{"own key, unlisted model", keyFor("openai"), "my-model", "Bearer " + testKey},
		{"the operator's key stays at home", core.APIKey{
			CredentialBase: core.CredentialBase{ID: systemID, Provider: "openai"}, Key: testKey,
		}, "gpt-4o", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			home, own := newVendor(t, reply{status: 500}), newVendor(t, reply{body: plainAnswer})
			req := ask("openai", c.model)
			req.Credential = c.credential
			req.BaseURL = strings.TrimPrefix(own.URL, "http://") + "/v1"
			_, err := clientOf(t, "openai", home).Generate(t.Context(), req)
			require.NoError(t, err)
			require.Equal(t, "/v1/chat/completions", own.requests[0].URL.Path)
			require.Equal(t, c.model, own.bodies[0]["model"])
			require.Equal(t, c.auth, own.requests[0].Header.Get("Authorization"))
			require.Empty(t, own.requests[0].Header.Get("X-Title"))
			require.Zero(t, home.calls())
		})
	}
}
