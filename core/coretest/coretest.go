package coretest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// Run checks a provider that is registered, and runs the vectors of its blocks
// and of its webhooks from testdata.
func Run(t *testing.T, p *core.Provider) {
	t.Helper()
	RunDir(t, p, "testdata")
}

// RunDir is Run with another folder of vectors.
func RunDir(t *testing.T, p *core.Provider, dir string) {
	t.Helper()
	vectors, err := loadVectors(dir)
	require.NoError(t, err)
	known := map[string]bool{}
	for _, b := range p.Blocks {
		name := b.Spec().Name
		known[name] = true
		t.Run(name, func(t *testing.T) {
			list := vectors[name]
			if len(list) == 0 && b.Spec().Disabled == "" {
				t.Fatalf("%s has no vectors: write %s/%s.json", name, dir, name)
			}
			for _, v := range list {
				t.Run(v.Name, func(t *testing.T) { runVector(t, b, v) })
			}
		})
	}
	for name := range vectors {
		require.True(t, known[name], "%s/%s.json belongs to no block of %s", dir, name, p.Name)
	}
	runWebhook(t, p, dir)
}

func runVector(t *testing.T, b core.Block, v Vector) {
	spec := b.Spec()
	in := core.Values{}
	for k, x := range v.Input {
		in[k] = x
	}
	if v.Coerce {
		var err error
		in, err = spec.Coerce(in)
		require.NoError(t, err)
	}
	for _, f := range spec.Fields() {
		if f.Credentials != nil {
			addCredential(t, in, f, v.Credentials)
		}
	}
	transport := &transport{t: t, exchanges: v.Exchanges}
	models := &models{t: t, exchanges: v.Models}
	store := newStore(v.Store)
	files, err := openFiles(v.Files, t.TempDir())
	require.NoError(t, err)
	run := &core.Run{
		UserID: "user-1", GraphID: "graph-1", GraphVersion: 1, GraphExecID: "run-1",
		NodeID: "node-1", NodeExecID: "step-1", Timezone: location(t, v.Timezone),
		ReviewSafeMode: v.ReviewSafeMode, SensitiveSafeMode: v.SensitiveSafeMode,
		HTTP: transport, Store: store, Models: models, Files: files, Review: reviewer{v.Review}, Stats: &core.Stats{},
	}
	var got []Output
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = core.Execute(ctx, b, run, in, func(pin string, value any) error {
		got = append(got, Output{pin, value})
		return nil
	})
	if v.Error != "" {
		require.Error(t, err)
		require.Contains(t, err.Error(), v.Error)
	} else {
		require.NoError(t, err)
	}
	if diff := cmp.Diff(alike(v.Outputs), alike(got)); diff != "" {
		t.Errorf("outputs differ (- expected, + emitted):\n%s", diff)
	}
	transport.done()
	models.done()
	if v.StoreAfter != nil {
		require.Equal(t, jsonOf(t, v.StoreAfter), jsonOf(t, store.values), "the store afterwards")
	}
}

// alike brings outputs to a form in which 1 and 1.0 are the same, as they
// are in JSON.
func alike(outputs []Output) [][2]any {
	list := [][2]any{}
	for _, o := range outputs {
		list = append(list, [2]any{o.Pin, floats(o.Value)})
	}
	return list
}

func floats(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = floats(x)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = floats(x)
		}
		return out
	}
	if f, ok := core.Number(v); ok {
		return f
	}
	return v
}

func location(t *testing.T, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func addCredential(t *testing.T, in core.Values, f *core.InputField, given map[string]Credential) {
	c, ok := given[f.Name]
	if !ok {
		if !f.Required {
			return
		}
		c = Credential{Type: f.Credentials.Types[0], Key: "test-key", Token: "test-token", Username: "user", Password: "pass"}
	}
	if c.Provider == "" {
		c.Provider = f.Credentials.Providers[0]
	}
	in[f.Name] = openCredential(t, c)
}

// openCredential gives the credential that a vector describes.
func openCredential(t *testing.T, c Credential) core.Credential {
	base := core.CredentialBase{ID: "credential-1", Provider: c.Provider, Title: "Test", Metadata: c.Metadata}
	switch c.Type {
	case core.TypeAPIKey:
		return core.APIKey{CredentialBase: base, Key: core.Secret(c.Key)}
	case core.TypeOAuth2:
		return core.OAuth2{CredentialBase: base, AccessToken: core.Secret(c.Token), Scopes: c.Scopes, Username: c.Username}
	case core.TypeUserPassword:
		return core.UserPassword{CredentialBase: base, Username: core.Secret(c.Username), Password: core.Secret(c.Password)}
	case core.TypeHostScoped:
		headers := map[string]core.Secret{}
		for k, h := range c.Headers {
			headers[k] = core.Secret(h)
		}
		return core.HostScoped{CredentialBase: base, Host: c.Host, Headers: headers}
	}
	require.Failf(t, "bad vector", "credential type %q", c.Type)
	return nil
}
