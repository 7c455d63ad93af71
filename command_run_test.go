package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	chain := chainFile(t, t.TempDir(), 0)
	counts := countFile + "=" + t.TempDir() + "/counts"
	for _, c := range []struct {
		name   string
		env    []string
		args   []string
		code   int
		stdout string
		stderr []string // parts of it
	}{
		{
			name: "defaults", args: []string{"examples/greeting.json"},
			stdout: "greeting: Hello, World!\n",
			stderr: []string{"Greeting (4 nodes)\n", "✓ COMPLETED  FillTextTemplateBlock"},
		},
		{
			name: "inputs", args: []string{"examples/greeting.json", "-i", "name=Ada Lovelace", "--input", "language=German"},
			stdout: "greeting: Hallo, Ada Lovelace!\n",
		},
		{
			name: "an input with an equals sign", args: []string{"examples/greeting.json", "-i", "name=a=b"},
			stdout: "greeting: Hello, a=b!\n",
		},
		{
			name: "JSON as input", env: []string{counts}, args: []string{chain, "-i", `in={"a": [1, true, null]}`},
			stdout: `out: {"a":[1,true,null]}` + "\n",
		},
		{
			name: "text that is not JSON as input", env: []string{counts}, args: []string{chain, "-i", "in={a"},
			stdout: "out: {a\n",
		},
		{
			name: "unknown input", args: []string{"examples/greeting.json", "-i", "nom=Ada"}, code: 1,
			stderr: []string{`the agent has no input "nom"; it has: language, name`},
		},
		{
			name: "input without a value", args: []string{"examples/greeting.json", "-i", "name"}, code: 1,
			stderr: []string{`input "name" is not of the form name=value`},
		},
		{
			name: "no credentials", args: []string{"testdata/ask.json"}, code: 1,
			stderr: []string{"AITextGeneratorBlock, credentials: ", "(openai, api_key; `agentserver providers` says where the operator sets them)"},
		},
		{
			name: "a node fails", args: []string{"testdata/failing.json"}, code: 1,
			stderr: []string{"✗ FAILED     GetListItemBlock", "agentserver: 1 node(s) failed: ", "Index out of range"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !strings.HasPrefix(c.args[0], "/") {
				c.args[0] = absolute(t, c.args[0])
			}
			stdout, stderr, code := output(t, t.TempDir(), c.env, append([]string{"run"}, c.args...)...)
			require.Equal(t, c.code, code, "%s", stderr)
			require.Equal(t, c.stdout, stdout)
			for _, part := range c.stderr {
				require.Contains(t, stderr, part)
			}
		})
	}
}

// event is a line of `run --json`.
type event struct {
	Event   string
	Status  string
	Block   string
	Outputs map[string][]any
}

func events(t *testing.T, stdout string) []event {
	t.Helper()
	var list []event
	for line := range strings.Lines(stdout) {
		var e event
		require.NoError(t, json.Unmarshal([]byte(line), &e), "%s", line)
		list = append(list, e)
	}
	require.NotEmpty(t, list)
	return list
}

func TestRunForMachines(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := output(t, t.TempDir(), nil, "run", "--json", absolute(t, "examples", "greeting.json"))
	require.Zero(t, code)
	require.Empty(t, stderr)
	list := events(t, stdout)
	require.Equal(t, "started", list[0].Event)
	require.Equal(t, event{Event: "finished", Status: "COMPLETED", Outputs: map[string][]any{"greeting": {"Hello, World!"}}}, list[len(list)-1])
	completed := map[string]bool{}
	for _, e := range list[1 : len(list)-1] {
		require.Equal(t, "node", e.Event)
		completed[e.Block] = completed[e.Block] || e.Status == "COMPLETED"
	}
	require.Equal(t, map[string]bool{
		"AgentInputBlock": true, "AgentDropdownInputBlock": true, "FillTextTemplateBlock": true, "AgentOutputBlock": true,
	}, completed)

	stdout, stderr, code = output(t, t.TempDir(), nil, "run", "--json", absolute(t, "testdata", "failing.json"))
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "Index out of range")
	list = events(t, stdout)
	require.Equal(t, "finished", list[len(list)-1].Event)
}

func TestRunTakesNoLongerThanAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := []string{countFile + "=" + dir + "/counts"}
	stdout, stderr, code := output(t, dir, env, "run", chainFile(t, dir, 3600), "-i", "in=1", "--timeout", "300ms", "--json")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "the run ended as TERMINATED")
	list := events(t, stdout)
	require.Equal(t, event{Event: "finished", Status: "TERMINATED", Outputs: map[string][]any{}}, list[len(list)-1])
}

// With a server on the same data folder, the run is the server's.
func TestRunOnTheServerOfTheFolder(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	server, a := serving(t, dir, address)
	a.token = tokenFor(t, dir, "cli@localhost")
	var runs []any
	a.call("GET", "/api/executions", nil, &runs)
	require.Empty(t, runs)
	stdout, stderr, code := output(t, dir, nil, "run", absolute(t, "examples", "greeting.json"), "--listen", address)
	require.Zero(t, code, "%s", stderr)
	require.Equal(t, "greeting: Hello, World!\n", stdout)
	a.call("GET", "/api/executions", nil, &runs)
	require.Len(t, runs, 1)

	_, stderr, code = output(t, dir, nil, "run", absolute(t, "testdata", "ask.json"), "--listen", address)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "(openai, api_key; ")

	_, _, code = output(t, dir, nil, "run", absolute(t, "examples", "greeting.json"), "--listen", address, "--email", "other@example.com")
	require.Zero(t, code)
	a.call("GET", "/api/executions", nil, &runs)
	require.Len(t, runs, 1, "runs belong to the user that --email names")
	require.Zero(t, server.stop())
}
