package graph_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/graph"
)

func readGraph(t testing.TB, path string) graph.Graph {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var g graph.Graph
	require.NoError(t, json.Unmarshal(data, &g), path)
	return g
}

// Older exports have agent nodes whose graph id matches no sub-graph. They are
// pointed at the one with the same version, inputs and outputs.
func TestDanglingSubAgents(t *testing.T) {
	const path = "testdata/dangling_sub_agents.json"
	b := sqliteBed(t)
	m := b.create(readGraph(t, path))
	require.Equal(t, 3, m.Version, "the version stays")
	byName := map[string]graph.SubGraph{}
	for _, s := range m.SubGraphs {
		byName[s.Name] = s
	}
	target := func(n graph.Node) any { return n.InputDefault["graph_id"] }
	require.Equal(t, byName["Weather"].ID, target(m.Nodes[1].Node))
	require.Equal(t, byName["News"].ID, target(m.Nodes[2].Node))
	require.Equal(t, byName["Degrees"].ID, target(byName["Weather"].Nodes[1]))
	require.Len(t, b.load(m).SubGraphs, 3)

	for name, spoil := range map[string]func(sub *graph.BaseGraph){
		"another version": func(s *graph.BaseGraph) { s.Version = 7 },
		"another input":   func(s *graph.BaseGraph) { s.Nodes[0].InputDefault["name"] = "where" },
		"one input more":  func(s *graph.BaseGraph) { s.Nodes = append(s.Nodes, node("more", inputID, "name", "more")) },
		"another output":  func(s *graph.BaseGraph) { s.Nodes[2].InputDefault["name"] = "sky" },
		"an output too many": func(s *graph.BaseGraph) {
			s.Nodes = append(s.Nodes, node("more", outputID, "name", "more", "value", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := readGraph(t, path)
			spoil(&g.SubGraphs[0])
			require.Equal(t, "dddddddd-0000-4000-8000-000000000001", target(b.create(g).Nodes[1].Node), "no guess is made")
		})
	}
	t.Run("two that fit", func(t *testing.T) {
		g := readGraph(t, path)
		twin := g.SubGraphs[1]
		twin.ID = "eeeeeeee-0000-4000-8000-000000000004"
		g.SubGraphs = append(g.SubGraphs, twin)
		require.Equal(t, "dddddddd-0000-4000-8000-000000000002", target(b.create(g).Nodes[2].Node), "no guess is made")
	})
	t.Run("one that is right stays", func(t *testing.T) {
		g := readGraph(t, path)
		g.Nodes[1].InputDefault["graph_id"] = g.SubGraphs[1].ID
		m := b.create(g)
		require.Equal(t, m.SubGraphs[1].ID, target(m.Nodes[1].Node))
	})
}

func TestRenamedModels(t *testing.T) {
	b := sqliteBed(t)
	for old, renamed := range map[string]string{
		"claude-3-5-sonnet-latest":      "claude-sonnet-4-5-20250929",
		"claude-3-7-sonnet-20250219":    "claude-sonnet-4-5-20250929",
		"claude-3-5-haiku-latest":       "claude-haiku-4-5-20251001",
		"llama3-70b-8192":               "llama-3.3-70b-versatile",
		"llama3-8b-8192":                "llama-3.1-8b-instant",
		"google/gemini-flash-1.5":       "google/gemini-2.5-flash",
		"deepseek-r1-distill-llama-70b": "gpt-5-chat-latest",
		"gemma2-9b-it":                  "gpt-5-chat-latest",
		"google/gemini-3-pro-preview":   "google/gemini-3.1-pro-preview",
		"gpt-4o":                        "gpt-4o",
	} {
		ai := node("a", aiTextID, "prompt", old, "model", old)
		m := b.create(graph.Graph{BaseGraph: base("x", ai), SubGraphs: []graph.BaseGraph{base("sub", node("b", aiTextID, "prompt", "x", "model", old))}})
		require.Equal(t, renamed, m.Nodes[0].InputDefault["model"])
		require.Equal(t, old, m.Nodes[0].InputDefault["prompt"], "other inputs are left alone")
		require.Equal(t, renamed, m.SubGraphs[0].Nodes[0].InputDefault["model"])
		g := agent("x", node("a", aiTextID, "prompt", "x", "model", old))
		g.ID = m.ID
		updated, err := b.Update(t.Context(), alice, m.ID, g)
		require.NoError(t, err)
		require.Equal(t, renamed, updated.Nodes[0].InputDefault["model"])
	}
	m := b.create(agent("x", node("a", storeID, "input", "gemma2-9b-it")))
	require.Equal(t, "gemma2-9b-it", m.Nodes[0].InputDefault["input"])
}

// An agent that leaves and comes back is the same but for its ids.
func TestExportAndImport(t *testing.T) {
	b := sqliteBed(t)
	first := b.create(readGraph(t, "testdata/dangling_sub_agents.json"))
	exported, err := b.Get(t.Context(), alice, first.ID, 0, true)
	require.NoError(t, err)
	data, err := core.JSON(exported)
	require.NoError(t, err)
	var again graph.Graph
	require.NoError(t, json.Unmarshal(data, &again))
	second, err := b.Create(t.Context(), bob, again)
	require.NoError(t, err)
	require.Equal(t, shape(t, first), shape(t, second))
	require.Equal(t, bob, second.Nodes[1].InputDefault["user_id"])
}

// shape is an agent with its ids replaced by their order of appearance.
func shape(t testing.TB, m *graph.Model) any {
	t.Helper()
	numbers := map[string]int{}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for _, k := range core.SortedKeys(v) {
				if k == "created_at" || k == "user_id" {
					continue
				}
				out[k] = walk(v[k])
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, x := range v {
				out[i] = walk(x)
			}
			return out
		case string:
			if len(v) == 36 && v[8] == '-' {
				if _, known := numbers[v]; !known {
					numbers[v] = len(numbers)
				}
				return numbers[v]
			}
		}
		return v
	}
	data, err := core.JSON(m)
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(data, &v))
	return walk(v)
}

// Every export of the reference platform comes in, or is refused with the name
// of a block that this build lacks.
func TestRealExports(t *testing.T) {
	dir := ""
	for _, d := range []string{os.Getenv("TEST_CONTRACT_DIR"), "../../../shared/contract"} {
		if info, err := os.Stat(filepath.Join(d, "agents")); d != "" && err == nil && info.IsDir() {
			dir = filepath.Join(d, "agents")
			break
		}
	}
	if dir == "" {
		t.Skip("there is no folder of exported agents (TEST_CONTRACT_DIR), so they are not imported")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	b := sqliteBed(t)
	imported := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			sent := readGraph(t, file)
			var lacking []string
			for _, part := range append([]graph.BaseGraph{sent.BaseGraph}, sent.SubGraphs...) {
				for _, n := range part.Nodes {
					if _, known := b.registry.Block(n.BlockID); !known {
						lacking = append(lacking, n.BlockID)
					}
				}
			}
			m, err := b.Create(t.Context(), alice, readGraph(t, file))
			if len(lacking) > 0 {
				require.Error(t, err)
				require.Equal(t, core.Invalid, core.KindOf(err))
				require.Condition(t, func() bool {
					for _, id := range lacking {
						if strings.Contains(err.Error(), id) {
							return true
						}
					}
					return false
				}, "%s names none of %v", err, lacking)
				return
			}
			require.NoError(t, err)
			imported++
			require.Len(t, m.Nodes, len(sent.Nodes))
			require.Len(t, m.Links, len(sent.Links))
			for i, l := range m.Links {
				require.Equal(t, sent.Links[i].IsStatic, l.IsStatic, "static flags of exports are right already")
			}
			compareSchemas(t, file, m)
		})
	}
	require.NotZero(t, imported, "none was imported")
}

// compareSchemas compares what is derived with what the export says.
func compareSchemas(t *testing.T, file string, m *graph.Model) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var said struct {
		InputSchema  json.RawMessage `json:"input_schema"`
		OutputSchema json.RawMessage `json:"output_schema"`
		Credentials  struct {
			Properties map[string]any
			Required   []string
		} `json:"credentials_input_schema"`
	}
	require.NoError(t, json.Unmarshal(data, &said))
	if said.InputSchema == nil {
		return
	}
	require.Equal(t, withoutChoices(t, said.InputSchema), object(t, m.InputSchema))
	require.Equal(t, object(t, said.OutputSchema), object(t, m.OutputSchema))
	ours := object(t, m.CredentialsInputSchema)
	require.ElementsMatch(t, core.SortedKeys(said.Credentials.Properties), core.SortedKeys(ours["properties"].(map[string]any)))
	require.Len(t, ours["required"], len(said.Credentials.Required))
}

// withoutChoices drops the choices that older exports show for plain inputs;
// those of drop-downs are tested elsewhere.
func withoutChoices(t *testing.T, schema json.RawMessage) map[string]any {
	t.Helper()
	s := object(t, schema)
	for _, p := range s["properties"].(map[string]any) {
		delete(p.(map[string]any), "enum")
	}
	return s
}
