package coretest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
			switch in.Text {
			case "fail":
				return core.Errorf(core.Invalid, "told to fail")
			case "upload":
				return upload(ctx, run)
			case "copy":
				data, mime, name, err := run.Files.Open(ctx, run, "workspace://a")
				if err != nil {
					return err
				}
				ref, err := run.Files.Put(ctx, run, data, mime, name)
				out.Text.Emit(name + " " + ref)
				return err
			}
			out.Text.Emit(in.Text)
			return nil
		})
	p := &core.Provider{Name: "echo", Title: "Echo", Blocks: []core.Block{echo}}
	require.NoError(t, (&core.Registry{}).Add(p))
	return p
}

// upload sends a form with a field and a file.
func upload(ctx context.Context, run *core.Run) error {
	const body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n2\r\n--b--\r\n"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://example.com/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	res, err := run.HTTP.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// uploaded is a vector of upload; file gives members of the file's part that
// differ from those that are sent.
func uploaded(file map[string]any) map[string]any {
	part := map[string]any{"name": "f", "filename": "x.png", "type": "image/png", "base64": "Mg=="}
	maps.Copy(part, file)
	return map[string]any{
		"name": "upload", "input": map[string]any{"text": "upload"}, "outputs": []any{},
		"exchanges": []any{map[string]any{
			"request": map[string]any{
				"method": "POST", "url": "https://example.com/", "parts": []any{map[string]any{"name": "a", "text": "1"}, part},
			}, "response": map[string]any{},
		}},
	}
}

// copied is a vector of a block that opens a file and stores it.
func copied(file map[string]any) map[string]any {
	return map[string]any{
		"name": "copy", "input": map[string]any{"text": "copy"}, "files": map[string]any{"workspace://a": file},
		"outputs": []any{[]any{"text", "a.png data:image/png;base64,MQ=="}},
	}
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
		uploaded(nil), copied(map[string]any{"mime": "image/png", "name": "a.png", "base64": "MQ=="}),
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
	"another file name":    {uploaded(map[string]any{"filename": "y.png"})},
	"another type of file": {uploaded(map[string]any{"type": "image/jpeg"})},
	"another file":         {uploaded(map[string]any{"base64": "MQ=="})},
	"another part":         {uploaded(map[string]any{"name": "g"})},
	"another file opened":  {copied(map[string]any{"mime": "image/png", "name": "a.png", "base64": "Mg=="})},
	"a file in bad base64": {copied(map[string]any{"mime": "image/png", "name": "a.png", "base64": "*"})},
	"a member unknown":     {{"name": "x", "inputs": map[string]any{}, "outputs": []any{}}},
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
