package core_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

type feeModel string

func (feeModel) Enum() []string { return []string{"gpt-4o", "gpt-5.2", "llama-3.3-70b-versatile"} }

type feeInput struct {
	Credentials *core.APIKey `json:"credentials" doc:"x"`
	Model       feeModel     `json:"model" default:"gpt-5.2"`
	Raw         bool         `json:"raw" default:"false"`
	Any         any          `json:"any" default:"null"`
}

const (
	openAIID = "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a"
	groqID   = "4ec22295-8f97-4dd1-b42b-2c6957a02545"
	jinaID   = "7f26de70-ba0d-494e-ba76-238e65e7b45f"
	apolloID = "544c62b5-1d0f-4156-8fb4-9525f11656eb"
)

// feeLists are price lists as blocks have them.
var feeLists = map[string][]core.Cost{
	"models": {
		core.SystemCost("openai", openAIID, 3, map[string]any{"model": "gpt-4o"}),
		core.SystemCost("openai", openAIID, 6, map[string]any{"model": "gpt-5.2"}),
		{Amount: 1, Type: "run", Filter: map[string]any{"model": "llama-3.3-70b-versatile", "credentials": map[string]any{"id": groqID}}},
	},
	"extract": {core.SystemCost("jina", jinaID, 1, map[string]any{"raw": false})},
	"people": {
		core.SystemCost("apollo", apolloID, 10, map[string]any{"raw": false}),
		core.SystemCost("apollo", apolloID, 20, map[string]any{"raw": true}),
	},
}

func feeSpec(t *testing.T, costs ...core.Cost) *core.BlockSpec {
	return specOf[feeInput, emptyOut](t, core.BlockSpec{
		Costs: costs,
		Credentials: map[string]core.CredentialsField{"credentials": {
			Providers: []string{"openai", "groq", "jina", "apollo"}, Discriminator: "model",
		}},
	})
}

func TestFees(t *testing.T) {
	data, err := os.ReadFile("testdata/fees.json")
	require.NoError(t, err)
	var cases []struct {
		Name   string
		Costs  string
		Filter core.Values
		Input  core.Values
		Fee    int
	}
	require.NoError(t, json.Unmarshal(data, &cases))
	require.Greater(t, len(cases), 30)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			costs := feeLists[c.Costs]
			if c.Costs == "" {
				costs = []core.Cost{{Amount: 7, Type: "run", Filter: c.Filter}}
			}
			require.NotEmpty(t, costs)
			require.Equal(t, c.Fee, feeSpec(t, costs...).Fee(c.Input))
		})
	}
}

// Credentials that are opened already cost what their references do.
func TestFeeOfOpenedCredentials(t *testing.T) {
	spec := feeSpec(t, feeLists["models"]...)
	key := core.APIKey{CredentialBase: core.CredentialBase{ID: openAIID, Provider: "openai"}}
	require.Equal(t, 6, spec.Fee(core.Values{"credentials": key}))
	require.Equal(t, 3, spec.Fee(core.Values{"credentials": key, "model": "gpt-4o"}))
	key.ID = "other"
	require.Zero(t, spec.Fee(core.Values{"credentials": key}))
}

func TestFeeOfABlockWithoutCosts(t *testing.T) {
	require.Zero(t, specOf[emptyIn, emptyOut](t, core.BlockSpec{}).Fee(core.Values{"a": 1}))
}

func noCredentialOf(id string) []core.SystemCredential {
	return []core.SystemCredential{{ID: id, Title: "Use Credits for Acme", Load: noCredential}}
}

func TestBaseCosts(t *testing.T) {
	type oneKey struct {
		Credentials core.APIKey `json:"credentials" doc:"x"`
	}
	type twoKeys struct {
		Credentials core.APIKey `json:"credentials" doc:"x"`
		Other       core.APIKey `json:"other_credentials" doc:"x"`
	}
	provider := func(blocks ...core.Block) *core.Provider {
		p := providerOf(blocks...)
		p.BaseCost, p.System = 5, noCredentialOf(testID)
		return p
	}
	ref := func(id string) core.Values {
		return core.Values{"credentials": map[string]any{"id": id, "provider": "acme", "type": "api_key"}}
	}

	t.Run("for the operator's credential", func(t *testing.T) {
		b := blockOf[oneKey, emptyOut](complete(core.BlockSpec{}))
		p := provider(b)
		for range 2 { // the price does not grow with registries
			require.NoError(t, (&core.Registry{}).Add(p))
		}
		require.Equal(t, []core.Cost{core.SystemCost("acme", testID, 5, nil)}, b.Spec().Costs)
		require.Equal(t, 5, b.Spec().Fee(ref(testID)))
		require.Zero(t, b.Spec().Fee(ref("own")))
	})
	t.Run("not beside costs of the block's own", func(t *testing.T) {
		own := core.SystemCost("acme", testID, 2, nil)
		b := blockOf[oneKey, emptyOut](complete(core.BlockSpec{Costs: []core.Cost{own}}))
		require.NoError(t, (&core.Registry{}).Add(provider(b)))
		require.Equal(t, []core.Cost{own}, b.Spec().Costs)
	})
	t.Run("for each input that takes it", func(t *testing.T) {
		b := blockOf[twoKeys, emptyOut](complete(core.BlockSpec{
			Credentials: map[string]core.CredentialsField{"credentials": {Providers: []string{"elsewhere"}}},
		}))
		require.NoError(t, (&core.Registry{}).Add(provider(b)))
		require.Zero(t, b.Spec().Fee(ref(testID)))
		require.Equal(t, 5, b.Spec().Fee(core.Values{"other_credentials": map[string]any{"id": testID}}))
	})
	t.Run("not without credentials", func(t *testing.T) {
		b := blockOf[emptyIn, emptyOut](complete(core.BlockSpec{}))
		require.NoError(t, (&core.Registry{}).Add(provider(b)))
		require.Empty(t, b.Spec().Costs)
	})
	t.Run("not without a credential of the operator's", func(t *testing.T) {
		b := blockOf[oneKey, emptyOut](complete(core.BlockSpec{}))
		p := provider(b)
		p.System = nil
		require.NoError(t, (&core.Registry{}).Add(p))
		require.Empty(t, b.Spec().Costs)
	})
}

// A cost that cannot apply would give runs away.
func TestCostsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		cost core.Cost
		want string
	}{
		"no amount": {core.Cost{Type: "run"}, "a cost has the amount 0"},
		"no type":   {core.Cost{Amount: 1}, `the type ""`},
		"by time":   {core.Cost{Amount: 1, Type: "second"}, `the type "second"`},
		"an input that is not there": {
			core.Cost{Amount: 1, Type: "run", Filter: map[string]any{"modell": "gpt-4o"}}, "a cost depends on 'modell', which is not an input",
		},
		"a value that is not one of the input's": {
			core.Cost{Amount: 1, Type: "run", Filter: map[string]any{"model": "gpt-4"}}, "a cost depends on 'model' being 'gpt-4', which it never is",
		},
		"a value of another type": {
			core.Cost{Amount: 1, Type: "run", Filter: map[string]any{"raw": "no"}}, "a cost depends on 'raw' being 'no', which it never is",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := blockOf[feeInput, emptyOut](complete(core.BlockSpec{Costs: []core.Cost{c.cost}}))
			require.ErrorContains(t, (&core.Registry{}).Add(providerOf(b)), c.want)
		})
	}
}
