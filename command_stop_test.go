package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
)

// A server that is asked to end does so in good order, and the run that it was
// at goes on after the next start.
func TestStopAndContinue(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	counts := filepath.Join(dir, "counts")
	env := []string{countFile + "=" + counts, "AGENTSERVER_WORKER_SHUTDOWN_TIMEOUT=0s"}
	server, a := serving(t, dir, address, env...)
	var g imported
	a.call("POST", "/api/graphs", chain(1), &g)
	var r run
	a.call("POST", "/api/graphs/"+g.ID+"/execute/1", map[string]any{"inputs": map[string]any{"in": "kept"}}, &r)
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(counts)
		return err == nil && len(data) > 0
	}, time.Minute, 5*time.Millisecond, "the run does not begin")
	require.Zero(t, server.stop(), "%s", server.stderr)
	committed := completedNodes(t, db.Options{DataDir: filepath.Join(dir, "data")})
	require.Less(t, len(committed), 6, "the run was over before the stop")
	_, offset := counted(t, counts, 0)

	_, a = serving(t, dir, address, env...)
	r = a.await(g.ID, r.ID)
	require.Equal(t, "COMPLETED", r.Status)
	require.Equal(t, map[string][]any{"out": {"kept"}}, r.Outputs)
	require.Len(t, r.NodeExecutions, 6, "a node has run twice")
	later, _ := counted(t, counts, offset)
	checkNotRepeated(t, committed, later)
}

// Time that is given to runs is used: what can end, ends before the process.
func TestStopWaitsForRuns(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	counts := filepath.Join(dir, "counts")
	server, a := serving(t, dir, address, countFile+"="+counts)
	var g imported
	a.call("POST", "/api/graphs", chain(0.2), &g)
	a.call("POST", "/api/graphs/"+g.ID+"/execute/1", map[string]any{"inputs": map[string]any{"in": 1}}, nil)
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(counts)
		return err == nil && len(data) > 0
	}, time.Minute, 5*time.Millisecond, "the run does not begin")
	require.Zero(t, server.stop(), "%s", server.stderr)
	require.Len(t, completedNodes(t, db.Options{DataDir: filepath.Join(dir, "data")}), 6)
}
