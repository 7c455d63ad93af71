package builtin

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

// models answers each call with the next of its errors, then with text.
type models struct {
	errs     []error
	requests []core.ModelRequest
	onCall   func()
}

func (m *models) Generate(_ context.Context, req core.ModelRequest) (*core.ModelResponse, error) {
	m.requests = append(m.requests, req)
	if m.onCall != nil {
		m.onCall()
	}
	if n := len(m.requests); n <= len(m.errs) {
		return nil, m.errs[n-1]
	}
	return &core.ModelResponse{Text: "Hello", InputTokens: 20, OutputTokens: 25}, nil
}

func aiProvider(t *testing.T) *core.Provider {
	t.Helper()
	p := &core.Provider{Name: core.CoreProvider, Title: "Platform", Blocks: []core.Block{aiTextGenerator}}
	require.NoError(t, (&core.Registry{}).Add(p))
	return p
}

func aiInput(model string) core.Values {
	return core.Values{
		"prompt": "Hi", "model": model,
		"credentials": core.APIKey{CredentialBase: core.CredentialBase{Provider: "openai"}, Key: "sk"},
	}
}

func ignore(string, any) error { return nil }

func TestAITextRetries(t *testing.T) {
	aiProvider(t)
	fail := func(kind core.Kind) error { return core.Errorf(kind, "failed") }
	for _, c := range []struct {
		name  string
		errs  []error
		stats core.StatsData
		calls int
		fails bool
	}{
		{"at once", nil, core.StatsData{InputTokens: 20, OutputTokens: 25, ModelCalls: 1}, 1, false},
		{"second attempt", []error{fail(core.Unavailable)}, core.StatsData{InputTokens: 20, OutputTokens: 25, ModelCalls: 2, ModelRetries: 1}, 2, false},
		{"three failures", []error{fail(core.Unavailable), fail(core.Internal), fail(core.Unavailable)}, core.StatsData{}, 3, true},
		{"key refused", []error{fail(core.Forbidden)}, core.StatsData{}, 1, true},
		{"quota used up", []error{fail(core.TooMany)}, core.StatsData{}, 1, true},
		{"bad request", []error{fail(core.Invalid)}, core.StatsData{}, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &models{errs: c.errs}
			run := &core.Run{Models: m, Stats: &core.Stats{}}
			err := core.Execute(t.Context(), aiTextGenerator, run, aiInput("gpt-4o"), ignore)
			require.Equal(t, c.fails, err != nil, "%v", err)
			require.Len(t, m.requests, c.calls)
			require.Equal(t, c.stats, run.Stats.Data())
		})
	}
}

func TestAITextStops(t *testing.T) {
	aiProvider(t)
	ctx, cancel := context.WithCancel(t.Context())
	m := &models{errs: []error{context.Canceled, context.Canceled}, onCall: cancel}
	err := core.Execute(ctx, aiTextGenerator, &core.Run{Models: m}, aiInput("gpt-4o"), ignore)
	require.Equal(t, context.Canceled, err)
	require.Len(t, m.requests, 1)
}

func TestAITextAttemptsAreBounded(t *testing.T) {
	aiProvider(t)
	m := &models{errs: slices.Repeat([]error{core.Errorf(core.Unavailable, "down")}, 100)}
	in := aiInput("gpt-4o")
	in["retry"] = 1000
	require.Error(t, core.Execute(t.Context(), aiTextGenerator, &core.Run{Models: m}, in, ignore))
	require.Len(t, m.requests, 20)
}

func TestAITextAddress(t *testing.T) {
	aiProvider(t)
	for model, want := range map[string]string{"gpt-4o": "", "llama3": "http://box:1/v1"} {
		m := &models{}
		in := aiInput(model)
		in["ollama_host"] = "http://box:1/"
		require.NoError(t, core.Execute(t.Context(), aiTextGenerator, &core.Run{Models: m}, in, ignore))
		require.Equal(t, want, m.requests[0].BaseURL, model)
		require.Equal(t, in["credentials"], m.requests[0].Credential)
	}
}

func TestAITextCosts(t *testing.T) {
	costs := aiTextGenerator.Spec().Costs
	require.Len(t, costs, 84)
	cost := func(amount int, model string, credentials map[string]any) core.Cost {
		return core.Cost{Amount: amount, Type: "run", Filter: map[string]any{"model": model, "credentials": credentials}}
	}
	require.Contains(t, costs, cost(3, "gpt-4o", map[string]any{
		"id": "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a", "provider": "openai", "type": "api_key",
	}))
	require.Contains(t, costs, cost(1, "llama-3.3-70b-versatile", map[string]any{"id": "4ec22295-8f97-4dd1-b42b-2c6957a02545"}))
	for _, c := range costs {
		require.NotContains(t, c.Filter["model"], "llama3", "models on one's own machine are free")
	}
}

func TestAITextVectors(t *testing.T) {
	// A folder of its own: the others' vectors belong to blocks that are not here.
	const file = "AITextGeneratorBlock.json"
	data, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, file), data, 0o600))
	coretest.RunDir(t, aiProvider(t), dir)
}
