package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// webhookSpec is a block spec with a trigger.
func webhookSpec(w core.WebhookConfig) core.BlockSpec {
	return complete(core.BlockSpec{Webhook: &w})
}

type (
	emptyIn  struct{}
	emptyOut struct{}
	// sharedIn and sharedOut are embedded beside a field of the same name.
	sharedIn struct {
		Other string `json:"a"`
	}
	sharedOut struct {
		Other core.Pin[string] `json:"a"`
	}
)

// badProviders break one rule each.
var badProviders = []struct {
	name     string
	provider *core.Provider
	want     string
}{
	{"no name", &core.Provider{Title: "Acme"}, `the name "" is not lower snake case`},
	{"capital name", &core.Provider{Name: "Acme", Title: "Acme"}, `the name "Acme" is not lower snake case`},
	{"name with an empty part", &core.Provider{Name: "a__b", Title: "Acme"}, `the name "a__b" is not lower snake case`},
	{"no title", &core.Provider{Name: "acme"}, "it has no title"},
	{
		"system credential", &core.Provider{Name: "acme", Title: "Acme", System: []core.SystemCredential{{ID: testID, Title: "x"}}},
		"a system credential lacks its id, title or loader",
	},
	{
		"system credential that clients know by another id",
		&core.Provider{Name: "groq", Title: "Groq", System: []core.SystemCredential{{ID: testID, Title: "Use Credits for Groq", Load: noCredential}}},
		`clients know its system credential as 4ec22295-8f97-4dd1-b42b-2c6957a02545, "Use Credits for Groq"`,
	},
	{
		"system credential that clients know by another title",
		&core.Provider{Name: "groq", Title: "Groq", System: []core.SystemCredential{{ID: "4ec22295-8f97-4dd1-b42b-2c6957a02545", Title: "Groq", Load: noCredential}}},
		`clients know its system credential as 4ec22295-8f97-4dd1-b42b-2c6957a02545, "Use Credits for Groq"`,
	},
	{
		"system credential of another provider",
		&core.Provider{Name: "acme", Title: "Acme", System: []core.SystemCredential{{ID: "4ec22295-8f97-4dd1-b42b-2c6957a02545", Title: "x", Load: noCredential}}},
		"the id of its system credential is that of groq",
	},
	{
		"short id", providerOf(blockOf[emptyIn, emptyOut](core.BlockSpec{ID: "1", Name: "TestBlock", Description: "x"})),
		`block TestBlock: its id "1" is not 36 characters long`,
	},
	{
		"name without Block", providerOf(blockOf[emptyIn, emptyOut](complete(core.BlockSpec{Name: "Test"}))),
		"block Test: its name does not end in Block",
	},
	{
		"no description", providerOf(blockOf[emptyIn, emptyOut](core.BlockSpec{ID: testID, Name: "TestBlock", Description: " "})),
		"block TestBlock: it has no description",
	},
	{
		"input without a name", providerOf(blockOf[struct{ A string }, emptyOut](complete(core.BlockSpec{}))),
		"block TestBlock: inputs: field A has no json name",
	},
	{"boolean without a default", providerOf(blockOf[struct {
		A bool `json:"a"`
	}, emptyOut](complete(core.BlockSpec{}))), "block TestBlock: inputs: 'a': a boolean input needs a default"},
	{"credentials by name only", providerOf(blockOf[struct {
		A string `json:"my_credentials"`
	}, emptyOut](complete(core.BlockSpec{}))), "inputs: 'my_credentials': credentials fields, and only they, are named credentials or *_credentials"},
	{"credentials by type only", providerOf(blockOf[struct {
		A core.APIKey `json:"key"`
	}, emptyOut](complete(core.BlockSpec{}))), "inputs: 'key': credentials fields, and only they, are named credentials or *_credentials"},
	{
		"several providers, no discriminator", providerOf(blockOf[struct {
			A core.APIKey `json:"credentials"`
		}, emptyOut](complete(core.BlockSpec{Credentials: map[string]core.CredentialsField{"credentials": {Providers: []string{"a", "b"}}}}))),
		"inputs: 'credentials': several providers need a discriminator",
	},
	{"any credential, no types", providerOf(blockOf[struct {
		A core.Credential `json:"credentials"`
	}, emptyOut](complete(core.BlockSpec{}))), "inputs: 'credentials': a field that takes any credential needs its types declared"},
	{
		"discriminator that is no input", providerOf(blockOf[struct {
			A core.APIKey `json:"credentials"`
		}, emptyOut](complete(core.BlockSpec{Credentials: map[string]core.CredentialsField{"credentials": {Discriminator: "model"}}}))),
		"inputs: 'credentials' depends on 'model', which is not an input",
	},
	{"dependency that is no input", providerOf(blockOf[struct {
		A string `json:"a" depends:"b"`
	}, emptyOut](complete(core.BlockSpec{}))), "inputs: 'a' depends on 'b', which is not an input"},
	{"input twice", providerOf(blockOf[struct {
		sharedIn
		A string `json:"a"`
	}, emptyOut](complete(core.BlockSpec{}))), "inputs: 'a' is declared twice"},
	{"default that is no JSON", providerOf(blockOf[struct {
		A int `json:"a" default:"one"`
	}, emptyOut](complete(core.BlockSpec{}))), `inputs: 'a': default "one" is not JSON`},
	{"bound that is no number", providerOf(blockOf[struct {
		A int `json:"a" min:"one"`
	}, emptyOut](complete(core.BlockSpec{}))), `inputs: 'a': min "one" is not a number`},
	{"unknown type tag", providerOf(blockOf[struct {
		A any `json:"a" type:"colour"`
	}, emptyOut](complete(core.BlockSpec{}))), `inputs: 'a': unknown type "colour"`},
	{"type without a schema", providerOf(blockOf[struct {
		A func() `json:"a"`
	}, emptyOut](complete(core.BlockSpec{}))), "inputs: 'a': type func() has no JSON schema"},
	{"map with other keys", providerOf(blockOf[struct {
		A map[int]string `json:"a"`
	}, emptyOut](complete(core.BlockSpec{}))), "inputs: 'a': map keys must be strings, not int"},
	{"output that is no pin", providerOf(blockOf[emptyIn, struct {
		A string `json:"a"`
	}](complete(core.BlockSpec{}))), "outputs: 'a' is not a Pin"},
	{
		"output without a name", providerOf(blockOf[emptyIn, struct{ A core.Pin[string] }](complete(core.BlockSpec{}))),
		"outputs: field A has no json name",
	},
	{"output twice", providerOf(blockOf[emptyIn, struct {
		sharedOut
		A core.Pin[string] `json:"a"`
	}](complete(core.BlockSpec{}))), "outputs: 'a' is declared twice"},
	{"error as an output", providerOf(blockOf[emptyIn, struct {
		A core.Pin[int] `json:"error"`
	}](complete(core.BlockSpec{}))), "outputs: 'error' is declared by ErrorPin, not by a field"},
	{"block without schemas", providerOf(bareBlock{}), "block BareBlock: it has no schemas"},
	{
		"trigger without payload", providerOf(blockOf[emptyIn, emptyOut](webhookSpec(core.WebhookConfig{Manual: true}))),
		"a trigger needs an input named payload",
	},
	{"trigger without credentials", providerOf(blockOf[struct {
		P map[string]any `json:"payload" factory:"{}"`
	}, emptyOut](webhookSpec(core.WebhookConfig{}))), "a trigger that sets itself up needs exactly one credentials input"},
	{"event filter that is no input", providerOf(blockOf[struct {
		P map[string]any `json:"payload" factory:"{}"`
	}, emptyOut](webhookSpec(core.WebhookConfig{Manual: true, EventFilter: "events"}))), "its event filter 'events' is not an input"},
	{"event filter of text", providerOf(blockOf[struct {
		P map[string]any `json:"payload" factory:"{}"`
		E struct {
			Opened string `json:"opened"`
		} `json:"events"`
	}, emptyOut](webhookSpec(core.WebhookConfig{Manual: true, EventFilter: "events"}))), "its event filter 'events' may hold booleans only"},
	{"event filter without members", providerOf(blockOf[struct {
		P map[string]any `json:"payload" factory:"{}"`
		E string         `json:"events"`
	}, emptyOut](webhookSpec(core.WebhookConfig{Manual: true, EventFilter: "events"}))), "its event filter 'events' may hold booleans only"},
}

// bareBlock implements Block by hand and forgets the schemas.
type bareBlock struct{ core.Block }

func (bareBlock) Spec() *core.BlockSpec {
	spec := complete(core.BlockSpec{Name: "BareBlock"})
	return &spec
}

func TestRegistrationFailures(t *testing.T) {
	for _, c := range badProviders {
		t.Run(c.name, func(t *testing.T) {
			r := &core.Registry{}
			require.ErrorContains(t, r.Add(c.provider), c.want)
			require.Empty(t, r.Providers())
			require.Empty(t, r.Blocks())
		})
	}
}

func TestRegisterPanics(t *testing.T) {
	require.PanicsWithValue(t, `agentserver/core_test: cannot register provider "acme": it has no title`, func() {
		core.Register(&core.Provider{Name: "acme"})
	})
	_, known := core.Default.Provider("acme")
	require.False(t, known)
}

func TestTakenNames(t *testing.T) {
	const otherID = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
	block := func(id, name string) core.Block {
		return blockOf[emptyIn, emptyOut](complete(core.BlockSpec{ID: id, Name: name}))
	}
	for _, c := range []struct {
		name, provider, want string
		blocks               []core.Block
	}{
		{"provider", "acme", "the name is taken", nil},
		{"block id", "other", "block OtherBlock: its id is taken by TestBlock", []core.Block{block(testID, "OtherBlock")}},
		{"block name", "other", "block TestBlock: its name is taken", []core.Block{block(otherID, "TestBlock")}},
		{
			"within one provider", "other", "block OtherBlock: its name is taken",
			[]core.Block{block(otherID, "OtherBlock"), block("d0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "OtherBlock")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := register(t, block(testID, "TestBlock"))
			require.EqualError(t, r.Add(&core.Provider{Name: c.provider, Title: "Other", Blocks: c.blocks}), c.want)
			require.Len(t, r.Providers(), 1)
			require.Len(t, r.Blocks(), 1, "a refused provider leaves nothing behind")
		})
	}
}

func TestRegisterTwice(t *testing.T) {
	b := blockOf[storeIn, storeOut](complete(core.BlockSpec{}))
	register(t, b)
	register(t, b)
	require.Len(t, b.Spec().Fields(), 2, "two registries may hold the same block")
}

func TestTriggers(t *testing.T) {
	auto := specOf[struct {
		P map[string]any `json:"payload" factory:"{}"`
		C core.APIKey    `json:"credentials"`
		E struct {
			Opened bool `json:"opened" default:"false"`
		} `json:"events"`
	}, emptyOut](t, webhookSpec(core.WebhookConfig{EventFilter: "events"}))
	require.Equal(t, core.UIWebhook, auto.UI)
	manual := specOf[struct {
		P map[string]any `json:"payload" factory:"{}"`
	}, emptyOut](t, webhookSpec(core.WebhookConfig{Manual: true}))
	require.Equal(t, core.UIWebhookManual, manual.UI)
}

func threeProviders(t *testing.T) *core.Registry {
	t.Helper()
	r := &core.Registry{}
	for i, name := range []string{"zeta", "core", "alpha"} {
		title := core.Title(name)
		id := testID[:35] + string(rune('0'+i))
		require.NoError(t, r.Add(&core.Provider{Name: name, Title: title, Blocks: []core.Block{
			blockOf[emptyIn, emptyOut](complete(core.BlockSpec{ID: id, Name: title + "Block"})),
		}}))
	}
	return r
}

func blockNames(r *core.Registry) []string {
	names := []string{}
	for _, b := range r.Blocks() {
		names = append(names, b.Spec().Name)
	}
	return names
}

func TestRegistryOrder(t *testing.T) {
	r := threeProviders(t)
	require.Equal(t, []string{"CoreBlock", "AlphaBlock", "ZetaBlock"}, blockNames(r))
	var providers []string
	for _, p := range r.Providers() {
		providers = append(providers, p.Name)
	}
	require.Equal(t, []string{"alpha", "core", "zeta"}, providers)
}

func TestWithout(t *testing.T) {
	all := threeProviders(t)
	zeta, ok := all.BlockByName("ZetaBlock")
	require.True(t, ok)
	r := all.Without(map[string]string{"zeta": "providers.disabled lists it", "unknown": "x"})

	_, ok = r.Provider("zeta")
	require.False(t, ok)
	_, ok = r.Block(zeta.Spec().ID)
	require.False(t, ok)
	_, ok = r.BlockByName("ZetaBlock")
	require.False(t, ok)
	require.Equal(t, []string{"CoreBlock", "AlphaBlock"}, blockNames(r))
	require.Equal(t, map[string]string{"zeta": "providers.disabled lists it"}, r.Off())
	require.Equal(t, "its provider zeta is turned off here (providers.disabled lists it)", r.Unknown(zeta.Spec().ID))
	require.Equal(t, "no such block", r.Unknown("x"))

	require.Len(t, all.Blocks(), 3, "the registry itself stays as it is")
	require.Empty(t, all.Off())
}

func TestWithoutTwice(t *testing.T) {
	r := threeProviders(t)
	zeta, _ := r.BlockByName("ZetaBlock")
	r = r.Without(map[string]string{"zeta": "first"}).Without(map[string]string{"alpha": "second"})
	require.Equal(t, []string{"CoreBlock"}, blockNames(r))
	require.Equal(t, map[string]string{"zeta": "first", "alpha": "second"}, r.Off())
	require.Equal(t, "its provider zeta is turned off here (first)", r.Unknown(zeta.Spec().ID))
}

func TestHide(t *testing.T) {
	r := threeProviders(t)
	zeta, _ := r.BlockByName("ZetaBlock")
	alpha, _ := r.BlockByName("AlphaBlock")
	alpha.Spec().Disabled = "it is gone"
	r.Hide("public_url is not set", zeta.Spec().ID)
	require.Equal(t, "public_url is not set", r.Disabled(zeta))
	require.Equal(t, "it is gone", r.Disabled(alpha))
	_, known := r.Block(zeta.Spec().ID)
	require.True(t, known, "a hidden block is still known")
	require.Equal(t, "public_url is not set", r.Without(nil).Disabled(zeta))
}

func TestEmptyRegistry(t *testing.T) {
	r := &core.Registry{}
	_, ok := r.BlockByName("x")
	require.False(t, ok)
	require.Empty(t, r.Blocks())
	require.Empty(t, r.Without(nil).Providers())
}

func noCredential() core.Credential { return nil }
