package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/graph"
)

// entry is what the form for credentials says of one of them.
type entry struct {
	providers, types, scopes, values []any
	display                          any
	discriminator                    any
}

func TestCredentialsSchema(t *testing.T) {
	b := sqliteBed(t)
	ai := func(id, model string) graph.Node { return node(id, aiTextID, "prompt", "x", "model", model) }
	fetch := func(id, url string) graph.Node { return node(id, fetchID, "url", url) }
	keys := func(list ...any) []any { return append([]any{}, list...) }
	for name, c := range map[string]struct {
		nodes    []graph.Node
		want     map[string]entry
		required []any
	}{
		"none": {nil, map[string]entry{}, keys()},
		"one":  {[]graph.Node{node("a", sendID, "text", "x")}, map[string]entry{"acme_api_key_credentials": {providers: keys("acme"), types: keys("api_key"), scopes: keys("write")}}, keys("acme_api_key_credentials")},
		"optional by field, and types in order": {
			[]graph.Node{node("a", maybeID)},
			map[string]entry{
				"acme_api_key_credentials":        {providers: keys("acme"), types: keys("api_key"), scopes: keys("read")},
				"acme_api_key-oauth2_credentials": {providers: keys("acme"), types: keys("oauth2", "api_key")},
			},
			keys(),
		},
		"optional by node": {
			[]graph.Node{optional(node("a", sendID, "text", "x"))},
			map[string]entry{"acme_api_key_credentials": {providers: keys("acme"), types: keys("api_key"), scopes: keys("write")}},
			keys(),
		},
		"one of two needs it; scopes unite": {
			[]graph.Node{optional(node("a", sendID, "text", "x")), node("b", sendID, "text", "y"), node("c", maybeID)},
			map[string]entry{
				"acme_api_key_credentials":        {providers: keys("acme"), types: keys("api_key"), scopes: keys("write", "read")},
				"acme_api_key-oauth2_credentials": {providers: keys("acme"), types: keys("oauth2", "api_key")},
			},
			keys("acme_api_key_credentials"),
		},
		"the model picks the provider": {
			[]graph.Node{ai("a", "o3-mini"), ai("b", "gpt-4o"), ai("c", "claude-sonnet-4-5-20250929")},
			map[string]entry{
				"openai_api_key_credentials":    {providers: keys("openai"), types: keys("api_key"), discriminator: "model", values: keys("o3-mini", "gpt-4o")},
				"anthropic_api_key_credentials": {providers: keys("anthropic"), types: keys("api_key"), discriminator: "model", values: keys("claude-sonnet-4-5-20250929")},
			},
			keys("anthropic_api_key_credentials", "openai_api_key_credentials"),
		},
		"a model with its vendor in front": {
			[]graph.Node{ai("a", "anthropic/claude-sonnet-4-6")},
			map[string]entry{"anthropic_api_key_credentials": {providers: keys("anthropic"), types: keys("api_key"), discriminator: "model", values: keys("anthropic/claude-sonnet-4-6")}},
			keys("anthropic_api_key_credentials"),
		},
		"the default model does not count": {
			[]graph.Node{node("a", aiTextID, "prompt", "x")},
			map[string]entry{"aiml_api-anthropic-groq-llama_api-ollama-open_router-openai-v0_api_key_credentials": {
				providers: keys("aiml_api", "anthropic", "groq", "ollama", "openai", "open_router", "llama_api", "v0"), types: keys("api_key"), discriminator: "model",
			}},
			keys("aiml_api-anthropic-groq-llama_api-ollama-open_router-openai-v0_api_key_credentials"),
		},
		"two hosts": {
			[]graph.Node{fetch("a", "https://mcp.sentry.dev/mcp"), fetch("b", "https://mcp.linear.app/sse")},
			map[string]entry{
				"http-mcp.sentry.dev_host_scoped_credentials": {providers: keys("http"), types: keys("host_scoped"), discriminator: "url", values: keys("https://mcp.sentry.dev/mcp"), display: "mcp.sentry.dev"},
				"http-mcp.linear.app_host_scoped_credentials": {providers: keys("http"), types: keys("host_scoped"), discriminator: "url", values: keys("https://mcp.linear.app/sse"), display: "mcp.linear.app"},
			},
			keys(),
		},
		"one host twice": {
			[]graph.Node{fetch("a", "https://api.example.com/a"), fetch("b", "https://api.example.com/b"), fetch("c", "https://api.example.com/a")},
			map[string]entry{"api.example.com-http_host_scoped_credentials": {
				providers: keys("http"), types: keys("host_scoped"), discriminator: "url", values: keys("https://api.example.com/a", "https://api.example.com/b"), display: "api.example.com",
			}},
			keys(),
		},
		"no host": {
			[]graph.Node{node("a", fetchID), node("b", fetchID)},
			map[string]entry{"http_host_scoped_credentials": {providers: keys("http"), types: keys("host_scoped"), discriminator: "url"}},
			keys(),
		},
		"a file picker's": {
			[]graph.Node{node("a", pickID)},
			map[string]entry{"google_oauth2_credentials": {providers: keys("google"), types: keys("oauth2"), scopes: keys("drive")}},
			keys(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := object(t, b.create(graph.Graph{BaseGraph: graph.BaseGraph{Header: graph.Header{Name: "x"}, Nodes: c.nodes}}).CredentialsInputSchema)
			require.Equal(t, "object", s["type"])
			require.Equal(t, c.required, s["required"])
			got := map[string]entry{}
			for key, v := range s["properties"].(map[string]any) {
				p := v.(map[string]any)
				require.Equal(t, "object", p["type"])
				require.Equal(t, []any{"id", "provider", "type"}, p["required"])
				list := func(name string) []any { l, _ := p[name].([]any); return l }
				got[key] = entry{
					providers: list("credentials_provider"), types: list("credentials_types"), scopes: list("credentials_scopes"),
					values: list("discriminator_values"), display: p["display_name"], discriminator: p["discriminator"],
				}
				props := p["properties"].(map[string]any)
				if providers := list("credentials_provider"); len(providers) == 1 {
					require.Equal(t, map[string]any{"const": providers[0], "title": "Provider", "type": "string"}, props["provider"])
				} else {
					require.Equal(t, map[string]any{"enum": providers, "title": "Provider", "type": "string"}, props["provider"])
				}
				require.Contains(t, props, "type")
				require.Contains(t, props, "title")
				require.Contains(t, props, "id")
			}
			require.Equal(t, c.want, got)
		})
	}
}

// Credentials of sub-graphs are asked for together with the agent's own.
func TestCredentialsOfSubGraphs(t *testing.T) {
	b := sqliteBed(t)
	m := b.create(graph.Graph{
		BaseGraph: base("x", optional(node("own", sendID, "text", "x")), node("call", graph.AgentBlockID, "graph_id", "sub", "graph_version", 1,
			"input_schema", map[string]any{}, "output_schema", map[string]any{})),
		SubGraphs: []graph.BaseGraph{base("sub", node("nested", sendID, "text", "y"))},
	})
	s := object(t, m.CredentialsInputSchema)
	require.Equal(t, []any{"acme_api_key_credentials"}, s["required"])
	require.Len(t, s["properties"], 1)

	loaded := b.load(m)
	inputs, err := graph.CredentialsInputs(b.registry, loaded.All())
	require.NoError(t, err)
	require.Len(t, inputs, 1)
	require.Equal(t, []graph.CredentialsMember{
		{NodeID: m.Nodes[0].ID, Field: "credentials"}, {NodeID: m.SubGraphs[0].Nodes[0].ID, Field: "credentials"},
	}, inputs[0].Members)
}

// A model that is gone leaves the agent readable; a run says what is wrong.
func TestUnknownModel(t *testing.T) {
	b := sqliteBed(t)
	m := b.create(agent("x", node("a", aiTextID, "prompt", "x", "model", "gone-1")))
	require.JSONEq(t, `{"type":"object","properties":{},"required":[]}`, string(m.CredentialsInputSchema))
	_, err := graph.CredentialsInputs(b.registry, b.load(m).All())
	require.EqualError(t, err, "Model 'gone-1' is not supported. It may have been deprecated. Please update your agent configuration.")
}
