package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlocksList(t *testing.T) {
	t.Parallel()
	list := func(args ...string) string {
		out, stderr, code := output(t, t.TempDir(), nil, append([]string{"blocks"}, args...)...)
		require.Zero(t, code, "%s", stderr)
		require.Empty(t, stderr)
		return out
	}
	require.Contains(t, list(), "StoreValueBlock")
	require.Equal(t, list(), list("list"))
	jina := list("list", "--provider", "jina", "--category", "search")
	require.Contains(t, jina, "SearchTheWebBlock")
	require.NotContains(t, jina, "JinaChunkingBlock")

	// A trigger cannot be used without public_url: only --all has it, with why.
	require.NotContains(t, list(), "GenericWebhookTriggerBlock")
	require.Regexp(t, `GenericWebhookTriggerBlock.*\[not here: public_url is not set`, list("list", "--all"))
	var blocks []map[string]any
	require.NoError(t, json.Unmarshal([]byte(list("list", "--all", "--json")), &blocks))
	off := 0
	for _, b := range blocks {
		require.Contains(t, b, "inputSchema")
		if b["disabled"] != nil {
			off++
		}
	}
	require.Positive(t, off)
	require.Less(t, off, len(blocks)/2)
}

func TestBlocksShow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, stderr, code := output(t, dir, nil, "blocks", "show", "searchtheweb")
	require.Zero(t, code, "%s", stderr)
	for _, part := range []string{"SearchTheWebBlock  87840993-2053-44b7-8da4-187ad4ee518c", "query", "(required)", "results", "CREDENTIALS credentials: api_key of jina", "FEES", "1 credit"} {
		require.Contains(t, out, part)
	}
	out, _, code = output(t, dir, nil, "blocks", "show", "--json", "87840993-2053-44b7-8da4-187ad4ee518c")
	require.Zero(t, code)
	var block map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &block))
	require.Equal(t, "SearchTheWebBlock", block["name"])
	_, stderr, code = output(t, dir, nil, "blocks", "show", "SerchTheWeb")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, `there is no block "SerchTheWeb", did you mean "SearchTheWebBlock"?`)
}

func TestBlocksTry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, "in.json", []byte(`{"items": [1, "two"]}`))
	out, stderr, code := output(t, dir, nil, "blocks", "try", "StepThroughItems", "--input", "@in.json")
	require.Zero(t, code, "%s", stderr)
	require.Equal(t, `{"pin":"item","value":1}
{"pin":"key","value":0}
{"pin":"item","value":"two"}
{"pin":"key","value":1}
`, out)

	// Text becomes a number, as in an agent.
	out, _, code = output(t, dir, nil, "blocks", "try", "CalculatorBlock", "--input", `{"operation": "Add", "a": "1", "b": 2}`)
	require.Zero(t, code)
	require.Equal(t, `{"pin":"result","value":3}`, strings.ReplaceAll(strings.TrimSpace(out), "3.0", "3"))

	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is written")
}

func TestBlocksTryFails(t *testing.T) {
	t.Parallel()
	const canary = "canary-secret"
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a block's own error", []string{"GetListItemBlock", "--input", `{"list": [1], "index": 5}`}, "Index out of range"},
		{"inputs that do not fit", []string{"ConditionBlock"}, "is a required property"},
		{"no JSON", []string{"ConditionBlock", "--input", "{"}, "--input is not JSON"},
		{"no object", []string{"ConditionBlock", "--input", "[1]"}, "--input needs a JSON object"},
		{"no file", []string{"ConditionBlock", "--input", "@nothing.json"}, "reading the inputs"},
		{"no block", []string{"Nothing"}, `there is no block "Nothing"`},
		{"a block that cannot be used", []string{"GenericWebhookTriggerBlock"}, "cannot be used here: public_url is not set"},
		{"no credentials", []string{"SearchTheWebBlock", "--input", `{"query": "x"}`}, "SearchTheWebBlock needs credentials: --credentials credentials=api_key:…"},
		{"a secret in place of a variable", []string{"SearchTheWebBlock", "--credentials", "credentials=api_key:" + canary}, "the environment variable it names is not set"},
		{"credentials of another kind", []string{"SearchTheWebBlock", "--credentials", "credentials=oauth2:TRY_KEY"}, "takes api_key, not oauth2"},
		{"credentials of no kind", []string{"SearchTheWebBlock", "--credentials", "credentials=key:TRY_KEY"}, "is to be of one of these forms"},
		{"credentials for no input", []string{"SearchTheWebBlock", "--credentials", "credential=api_key:TRY_KEY"}, `has no credentials input "credential", did you mean "credentials"?`},
		{"a private address", []string{"ExtractWebsiteContentBlock", "--input", `{"url": "http://127.0.0.1:1", "raw_content": true}`, "--credentials", "credentials=api_key:TRY_KEY"}, "private IP address"},
		{"credentials among the inputs", []string{"SearchTheWebBlock", "--input", `{"query": "x", "credentials": {"id": "1"}}`}, "'credentials' does not belong into --input"},
		{"no time", []string{"ConditionBlock", "--timeout", "0s"}, "--timeout needs a time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, stderr, code := output(t, t.TempDir(), []string{"TRY_KEY=" + canary}, append([]string{"blocks", "try"}, c.args...)...)
			require.Equal(t, 1, code)
			require.Empty(t, out)
			require.Contains(t, stderr, c.want)
			require.NotContains(t, stderr, canary)
		})
	}
}
