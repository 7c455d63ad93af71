package coretest

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// planted is the environment variable that names the fault a child process is
// to show.
const planted = "CORETEST_PLANTED"

type echoIn struct {
	Text string `json:"text" doc:"Text"`
}

type echoOut struct {
	Text core.Pin[string] `json:"text" doc:"The same"`
}

func echoProvider(t *testing.T) *core.Provider {
	echo := core.NewBlock(core.BlockSpec{ID: "00000000-0000-4000-8000-000000000001", Name: "EchoBlock", Description: "Echoes."},
		func(ctx context.Context, run *core.Run, in *echoIn, out *echoOut) error {
			if in.Text == "fail" {
				return core.Errorf(core.Invalid, "told to fail")
			}
			out.Text.Emit(in.Text)
			return nil
		})
	p := &core.Provider{Name: "echo", Title: "Echo", Blocks: []core.Block{echo}}
	require.NoError(t, (&core.Registry{}).Add(p))
	return p
}

func vectors(t *testing.T, list ...map[string]any) string {
	dir := t.TempDir()
	data, err := json.Marshal(list)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "EchoBlock.json"), data, 0o600))
	return dir
}

func TestGoodProviderPasses(t *testing.T) {
	RunDir(t, echoProvider(t), vectors(t,
		map[string]any{"name": "echo", "input": map[string]any{"text": "hi"}, "outputs": []any{[]any{"text", "hi"}}},
		map[string]any{"name": "failure", "input": map[string]any{"text": "fail"}, "outputs": []any{}, "error": "told to fail"},
	))
}

// faults are vectors, or their absence, that the kit must not let pass.
var faults = map[string][]map[string]any{
	"no vectors":       {},
	"another value":    {{"name": "x", "input": map[string]any{"text": "hi"}, "outputs": []any{[]any{"text", "ho"}}}},
	"a missing output": {{"name": "x", "input": map[string]any{"text": "hi"}, "outputs": []any{}}},
	"no failure":       {{"name": "x", "input": map[string]any{"text": "hi"}, "outputs": []any{[]any{"text", "hi"}}, "error": "some"}},
	"another failure":  {{"name": "x", "input": map[string]any{"text": "fail"}, "outputs": []any{}, "error": "some other"}},
	"a request not sent": {{
		"name": "x", "input": map[string]any{"text": "hi"}, "outputs": []any{[]any{"text", "hi"}},
		"exchanges": []any{map[string]any{"request": map[string]any{"method": "GET", "url": "https://example.com/"}, "response": map[string]any{}}},
	}},
	"a member unknown": {{"name": "x", "inputs": map[string]any{}, "outputs": []any{}}},
}

// Each planted fault fails a test run of its own, in a process of its own.
func TestPlantedFaultsFail(t *testing.T) {
	if name := os.Getenv(planted); name != "" {
		dir := t.TempDir()
		if list := faults[name]; len(list) > 0 {
			dir = vectors(t, list...)
		}
		RunDir(t, echoProvider(t), dir)
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for name := range faults {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(self, "-test.run=^TestPlantedFaultsFail$")
			cmd.Env = append(os.Environ(), planted+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "the kit let it pass:\n%s", out)
		})
	}
}
