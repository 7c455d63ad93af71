package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// countBlockID is a block that writes a line to a file each time it runs.
const countBlockID = "7e57c0de-0000-4000-8000-000000000001"

// countFile names the file in the environment.
const countFile = "TEST_COUNT_FILE"

// registerTestBlocks adds the blocks of these tests to the command.
func registerTestBlocks() {
	type input struct {
		Value any     `json:"value" doc:"Passed on"`
		Delay float64 `json:"delay" default:"0" doc:"Seconds"`
	}
	type output struct {
		Value core.Pin[any] `json:"value"`
	}
	count := core.NewBlock(core.BlockSpec{ID: countBlockID, Name: "TestCountBlock", Description: "Counts its runs."},
		func(ctx context.Context, run *core.Run, in *input, out *output) error {
			f, err := os.OpenFile(os.Getenv(countFile), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := fmt.Fprintln(f, run.NodeExecID); err != nil {
				return err
			}
			select {
			case <-time.After(time.Duration(in.Delay * float64(time.Second))):
			case <-ctx.Done():
				return ctx.Err()
			}
			out.Value.Emit(in.Value)
			return nil
		})
	crash := core.NewBlock(core.BlockSpec{ID: "7e57c0de-0000-4000-8000-000000000002", Name: "TestCrashBlock", Description: "Panics."},
		func(context.Context, *core.Run, *input, *output) error { panic("this block always crashes") })
	core.Register(&core.Provider{Name: "test", Title: "Test", Blocks: []core.Block{count, crash, testTrigger()}, Webhooks: testHooks{}})
}

// chain is an agent of six nodes: an input, four that count, an output.
func chain(delay float64) map[string]any {
	nodes := []map[string]any{{"id": "n0", "block_id": "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "input_default": map[string]any{"name": "in"}}}
	links := []map[string]any{}
	from := "result"
	for i := 1; i <= 4; i++ {
		nodes = append(nodes, map[string]any{"id": fmt.Sprintf("n%d", i), "block_id": countBlockID, "input_default": map[string]any{"delay": delay}})
		links = append(links, map[string]any{
			"source_id": fmt.Sprintf("n%d", i-1), "source_name": from, "sink_id": fmt.Sprintf("n%d", i), "sink_name": "value",
		})
		from = "value"
	}
	nodes = append(nodes, map[string]any{"id": "n5", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": map[string]any{"name": "out"}})
	links = append(links, map[string]any{"source_id": "n4", "source_name": "value", "sink_id": "n5", "sink_name": "value"})
	return map[string]any{"graph": map[string]any{"name": "Chain", "description": "six nodes", "nodes": nodes, "links": links}}
}

// completedNodes lists the node runs that are committed as completed, while no
// server runs.
func completedNodes(t *testing.T, o db.Options) map[string]bool {
	d, err := db.Open(context.Background(), o)
	require.NoError(t, err)
	defer d.Close()
	var ids []string
	require.NoError(t, d.Read.Table("node_executions").Where("status = ?", "COMPLETED").Pluck("id", &ids).Error)
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// counted gives the lines of the count file from an offset on, and its length.
func counted(t *testing.T, file string, from int64) ([]string, int64) {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Fields(string(data[from:])), int64(len(data))
}

// awaitCounted waits until a few more nodes have run: then others are under
// way.
func awaitCounted(t *testing.T, file string, from int64) {
	const few = 20
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(file)
		return err == nil && strings.Count(string(data[from:]), "\n") >= few
	}, time.Minute, time.Millisecond, "no nodes run")
}

const (
	crashRuns = 100
	// manyRuns lets one user have them all at work at once.
	manyRuns = "AGENTSERVER_WORKER_MAX_RUNS_PER_USER_GRAPH=100"
)

// startRuns starts the runs of the crash tests and gives their ids.
func startRuns(t *testing.T, a *api) (graphID string, ids []string) {
	var g struct {
		ID string `json:"id"`
	}
	// Slow enough that no run is over before the last one is started and the
	// process is killed.
	a.call("POST", "/api/graphs", chain(0.5), &g)
	ids = make([]string, crashRuns)
	var wg sync.WaitGroup
	for i := range crashRuns {
		wg.Go(func() {
			status, data, err := a.try("POST", fmt.Sprintf("/api/graphs/%s/execute/1", g.ID), map[string]any{"inputs": map[string]any{"in": i}})
			var r run
			if assert.NoError(t, err) && assert.Equal(t, 200, status, "%s", data) && assert.NoError(t, json.Unmarshal(data, &r)) {
				ids[i] = r.ID
			}
		})
	}
	wg.Wait()
	require.False(t, t.Failed(), "not all runs were started")
	return g.ID, ids
}

// checkRuns waits for the end of every run: each is completed, with each node
// once and the right output.
func checkRuns(t *testing.T, a *api, graphID string, ids []string) {
	for i, id := range ids {
		r := a.await(graphID, id)
		require.Equal(t, "COMPLETED", r.Status)
		require.Equal(t, map[string][]any{"out": {float64(i)}}, r.Outputs, "outputs of run %d", i)
		seen := map[string]int{}
		for _, n := range r.NodeExecutions {
			require.Equal(t, "COMPLETED", n.Status)
			seen[n.NodeID]++
		}
		require.Len(t, seen, 6)
		require.Len(t, r.NodeExecutions, 6, "a node has run twice")
	}
}

// checkNotRepeated holds the lines written after a crash against what was
// committed before it.
func checkNotRepeated(t *testing.T, committed map[string]bool, later []string) {
	require.NotEmpty(t, committed, "the crash came before anything was committed")
	require.NotEmpty(t, later, "the crash came after everything was done")
	for _, id := range later {
		require.False(t, committed[id], "node run %s was committed and ran again", id)
	}
}

func TestKillAndRestartOnSQLite(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	counts := filepath.Join(dir, "counts")
	env := []string{countFile + "=" + counts, manyRuns}
	server, a := serving(t, dir, address, env...)
	graphID, ids := startRuns(t, a)
	var committed map[string]bool
	var offset int64
	for range 3 {
		awaitCounted(t, counts, offset)
		server.kill()
		if committed != nil {
			later, _ := counted(t, counts, offset)
			checkNotRepeated(t, committed, later)
		}
		committed = completedNodes(t, db.Options{DataDir: filepath.Join(dir, "data")})
		_, offset = counted(t, counts, 0)
		server, a = serving(t, dir, address, env...)
	}
	checkRuns(t, a, graphID, ids)
	later, _ := counted(t, counts, offset)
	checkNotRepeated(t, committed, later)
	require.Zero(t, server.stop(), "%s", server.stderr)
}

func TestKillWorkersOnPostgres(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	url := dbtest.PostgresURL(t)
	counts := filepath.Join(dir, "counts")
	env := []string{
		countFile + "=" + counts, "AGENTSERVER_DATABASE_URL=" + url, "AGENTSERVER_WORKER_HEARTBEAT_TIMEOUT=2s",
		"AGENTSERVER_WORKER_MAX_RUNS=60", manyRuns,
	}
	server, a := serving(t, dir, address, env...)
	worker := start(t, dir, env, "worker")
	graphID, ids := startRuns(t, a)
	awaitCounted(t, counts, 0)
	worker.kill()
	server.kill()
	committed := completedNodes(t, db.Options{URL: url})
	_, offset := counted(t, counts, 0)
	start(t, dir, env, "worker")
	_, a = serving(t, dir, address, env...)
	checkRuns(t, a, graphID, ids)
	later, _ := counted(t, counts, offset)
	checkNotRepeated(t, committed, later)
}

func TestCrashingBlockFailsItsNodeAlone(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	server, a := serving(t, dir, address)
	agent := `{"graph":{"name":"Crash","description":"","nodes":[
		{"id":"a","block_id":"7e57c0de-0000-4000-8000-000000000002","input_default":{"value":1}},
		{"id":"b","block_id":"363ae599-353e-4804-937e-b2ee3cef3da4","input_default":{"name":"error"}}],
		"links":[{"source_id":"a","source_name":"error","sink_id":"b","sink_name":"value"}]}}`
	var g struct {
		ID string `json:"id"`
	}
	a.call("POST", "/api/graphs", []byte(agent), &g)
	var r run
	a.call("POST", "/api/graphs/"+g.ID+"/execute/1", map[string]any{}, &r)
	r = a.await(g.ID, r.ID)
	require.Equal(t, "COMPLETED", r.Status)
	text, err := json.Marshal(r.Outputs["error"])
	require.NoError(t, err)
	require.Contains(t, string(text), "raised by TestCrashBlock with message: the block crashed")
	require.NotContains(t, string(text), "goroutine", "the stack is for the log")
	a.awaitHealth(server)
	require.Zero(t, server.stop())
	require.Contains(t, server.stderr.String(), "a block crashed")
}
