package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// exportedAgent reads an agent that the AutoGPT Platform exported. These files
// are not part of the repository; without them the test is skipped.
func exportedAgent(t *testing.T, pattern string) string {
	t.Helper()
	folders := []string{os.Getenv("TEST_CONTRACT_DIR"), filepath.Join("..", "shared", "contract")}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "agents", pattern))
		require.NoError(t, err)
		if len(files) == 1 {
			return absolute(t, files[0])
		}
	}
	t.Skipf("no file %s in ../shared/contract/agents or $TEST_CONTRACT_DIR/agents", pattern)
	return ""
}

// scriptedModels answers as a server of language models does, and keeps what it
// was asked.
type scriptedModels struct {
	mu       sync.Mutex
	requests []modelRequest
}

type modelRequest struct {
	path, auth string
	Model      string
	Messages   []struct{ Role, Content string }
}

const scriptedAnswer = `[{"name": "Ada Lovelace", "age": 36}]`

// ServeHTTP answers a chat completion.
func (s *scriptedModels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked := modelRequest{path: r.URL.Path, auth: r.Header.Get("Authorization")}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, asked)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1741569952, "model": asked.Model,
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop",
			"message": map[string]any{"role": "assistant", "content": scriptedAnswer, "refusal": nil},
		}},
		"usage": map[string]any{"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29},
	})
}

// startModels starts scripted models and gives the environment that points to
// them.
func startModels(t *testing.T) (*scriptedModels, []string) {
	t.Helper()
	models := &scriptedModels{}
	server := httptest.NewServer(models)
	t.Cleanup(server.Close)
	return models, []string{"OPENAI_API_KEY=sk-operator", "OPENAI_BASE_URL=" + server.URL + "/v1"}
}

// requireAsked checks the one call: the agent's prompt, with the inputs in it.
func (s *scriptedModels) requireAsked(t *testing.T, arguments string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(t, s.requests, 1)
	asked := s.requests[0]
	require.Equal(t, "/v1/chat/completions", asked.path)
	require.Equal(t, "Bearer sk-operator", asked.auth)
	require.Equal(t, "o3-mini", asked.Model)
	require.Len(t, asked.Messages, 2)
	require.Contains(t, asked.Messages[0].Content, "def fake_people(n: int) -> list[dict]:")
	require.Equal(t, arguments, asked.Messages[1].Content)
}

const aiFunction = "agent_516d813b-*.json"

func TestExportedAgentByCommand(t *testing.T) {
	t.Parallel()
	file := exportedAgent(t, aiFunction)
	models, env := startModels(t)
	stdout, stderr, code := output(t, t.TempDir(), env, "run", file, "-i", `Arguments="3"`)
	require.Zero(t, code, "%s", stderr)
	require.Equal(t, "return: "+scriptedAnswer+"\n", stdout)
	require.NotContains(t, stderr, "sk-operator")
	models.requireAsked(t, "3")
}

func TestExportedAgentByAPI(t *testing.T) {
	t.Parallel()
	file := exportedAgent(t, aiFunction)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	models, env := startModels(t)
	_, a := serving(t, t.TempDir(), freeAddress(t), env...)
	g := a.importAgent(data)
	require.Equal(t, []string{"openai_api_key_credentials"}, core.SortedKeys(g.CredentialsSchema.Properties))
	r := a.execute(g, map[string]any{
		"inputs": map[string]any{"Arguments": "7"},
		"credentials_inputs": map[string]any{"openai_api_key_credentials": map[string]any{
			"id": "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a", "provider": "openai", "type": "api_key", "title": "Use Credits for OpenAI",
		}},
	})
	require.Equal(t, "COMPLETED", r.Status)
	require.Equal(t, map[string][]any{"return": {scriptedAnswer}}, r.Outputs)
	models.requireAsked(t, "7")
}

// An agent whose credentials are missing can be imported; starting it says
// which fields of which nodes lack them.
func TestExportedAgentWithoutCredentials(t *testing.T) {
	t.Parallel()
	file := exportedAgent(t, "agent_fc2c9976-*.json")
	if _, ok := core.Default.BlockByName("SearchTheWebBlock"); !ok {
		t.Skip("the provider of SearchTheWebBlock is not compiled in")
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	_, a := serving(t, t.TempDir(), freeAddress(t))
	g := a.importAgent(data)
	want := map[string][]string{}
	for _, n := range g.Nodes {
		block, ok := core.Default.Block(n.BlockID)
		require.True(t, ok, n.BlockID)
		for _, f := range block.Spec().Fields() {
			if f.Credentials != nil {
				want[n.ID] = append(want[n.ID], f.Name)
			}
		}
	}
	require.Len(t, want, 2, "a search and a language model")
	status, body, err := a.try("POST", g.executePath(), map[string]any{
		"inputs": map[string]any{"Address": "USA", "Business Name": "Tim Cook"},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, status, "%s", body)
	var answer struct {
		Detail struct {
			NodeErrors map[string]map[string]string `json:"node_errors"`
		} `json:"detail"`
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	got := map[string][]string{}
	for node, fields := range answer.Detail.NodeErrors {
		got[node] = core.SortedKeys(fields)
	}
	require.Equal(t, want, got)
	var runs []any
	a.call("GET", "/api/executions", nil, &runs)
	require.Empty(t, runs, "a refused start leaves nothing behind")
}
