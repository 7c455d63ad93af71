package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// examples are the agents in examples/ and what comes out of them. Values of
// one output have no order where nodes run side by side.
var examples = []struct {
	file, name string
	inputs     map[string]any
	want       map[string][]any
}{
	{
		"greeting.json", "as it is", nil,
		map[string][]any{"greeting": {"Hello, World!"}},
	},
	{
		"greeting.json", "in French",
		map[string]any{"name": "Ada", "language": "French"},
		map[string][]any{"greeting": {"Bonjour, Ada!"}},
	},
	{
		"shopping-report.json", "as it is", nil,
		map[string][]any{
			"think_over": {"Coffee: 8.9 EUR (think it over)", "Olive oil: 14.5 EUR (think it over)"},
			"report": {"Shopping list of 4 items\n- Bread: 3.2 EUR\n- Coffee: 8.9 EUR (think it over)\n" +
				"- Olive oil: 14.5 EUR (think it over)\n- Tomatoes: 2.75 EUR"},
		},
	},
	{
		"shopping-report.json", "all below the limit",
		map[string]any{
			"items": []any{map[string]any{"name": "Tea", "price": 5}, map[string]any{"name": "Salt", "price": 1}},
			"limit": 20, "currency": "USD",
		},
		map[string][]any{"report": {"Shopping list of 2 items\n- Salt: 1 USD\n- Tea: 5 USD"}},
	},
}

func requireOutputs(t *testing.T, want, got map[string][]any) {
	t.Helper()
	require.Len(t, got, len(want), "%v", got)
	for name, values := range want {
		require.ElementsMatch(t, values, got[name], name)
	}
}

func TestExamplesByCommand(t *testing.T) {
	t.Parallel()
	for _, c := range examples {
		t.Run(c.file+" "+c.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"run", "--json", absolute(t, "examples", c.file)}
			for name, value := range c.inputs {
				data, err := json.Marshal(value)
				require.NoError(t, err)
				args = append(args, "-i", name+"="+string(data))
			}
			stdout, stderr, code := output(t, t.TempDir(), nil, args...)
			require.Zero(t, code, "%s", stderr)
			list := events(t, stdout)
			requireOutputs(t, c.want, list[len(list)-1].Outputs)
		})
	}
}

func TestExamplesByAPI(t *testing.T) {
	t.Parallel()
	_, a := serving(t, t.TempDir(), freeAddress(t))
	for _, c := range examples {
		t.Run(c.file+" "+c.name, func(t *testing.T) {
			b := &api{t: t, address: a.address, token: a.token}
			data, err := os.ReadFile(filepath.Join("examples", c.file))
			require.NoError(t, err)
			g := b.importAgent(data)
			require.Empty(t, g.CredentialsSchema.Properties, "examples need no credentials")
			r := b.execute(g, map[string]any{"inputs": c.inputs})
			require.Equal(t, "COMPLETED", r.Status)
			requireOutputs(t, c.want, r.Outputs)
		})
	}
}

// The files in examples/ are exports: importing and exporting one changes
// nothing but ids and times.
func TestExamplesAreExports(t *testing.T) {
	t.Parallel()
	_, a := serving(t, t.TempDir(), freeAddress(t))
	files, err := filepath.Glob("examples/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		g := a.importAgent(data)
		_, exported, err := a.try("GET", "/api/graphs/"+g.ID+"?for_export=true", nil)
		require.NoError(t, err)
		require.Equal(t, withoutIDs(t, data), withoutIDs(t, exported), file)
		listed := false
		for _, c := range examples {
			listed = listed || filepath.Join("examples", c.file) == file
		}
		require.True(t, listed, "no test runs %s", file)
	}
}

// withoutIDs reads an export and puts places in the list of nodes for ids, as
// every import gives new ones.
func withoutIDs(t *testing.T, data []byte) any {
	t.Helper()
	var g map[string]any
	require.NoError(t, json.Unmarshal(data, &g))
	places := map[any]any{g["id"]: "graph"}
	for i, n := range g["nodes"].([]any) {
		places[n.(map[string]any)["id"]] = i
	}
	delete(g, "created_at")
	// Links stand in no order of their own; each is in the lists of its nodes.
	delete(g, "links")
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			if _, isLink := v["sink_name"]; isLink {
				delete(v, "id")
			}
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case string:
			if place, ok := places[v]; ok {
				return place
			}
		}
		return v
	}
	return walk(g)
}
