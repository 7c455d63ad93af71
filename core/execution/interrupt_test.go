package execution_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/execution"
)

// slow is an agent whose one node takes a while.
func slow(block string, seconds float64) *drawing {
	return (&drawing{}).
		node("in", inputBlock, vals{"name": "in"}).
		node("slow", block, vals{"delay": seconds}).
		node("after", plainKeep, vals{}).
		link("in.result", "slow.value").link("slow.value", "after.value")
}

// awaitRunning waits until a node of the run is at work.
func (b *bed) awaitRunning(graphID, id string) {
	require.Eventually(b.t, func() bool {
		run, err := b.p.Executions.Get(b.t.Context(), b.user, graphID, id)
		require.NoError(b.t, err)
		for _, n := range run.NodeExecutions {
			if n.Status == execution.Running {
				return run.Status == execution.Running
			}
		}
		return false
	}, 10*time.Second, 5*time.Millisecond, "no node starts")
}

func TestStop(t *testing.T) {
	blocks := map[string]string{"a block that listens": slowBlock, "a block that does not": stubborn}
	each(t, func(t *testing.T, flags map[string]string) {
		for name, block := range blocks {
			t.Run(name, func(t *testing.T) {
				b := open(t, flags)
				m, ids := b.save(slow(block, 4))
				id := b.start(m, vals{"in": 1})
				b.awaitRunning(m.ID, id)
				meta, err := b.p.Executions.Stop(t.Context(), b.user, m.ID, id)
				require.NoError(t, err)
				require.Equal(t, execution.Terminated, meta.Status)
				run := b.await(m, id)
				require.Equal(t, "Execution was stopped by user", *run.Stats.Error)
				require.Equal(t, execution.Completed, of(run, ids["in"])[0].Status)
				require.Equal(t, execution.Terminated, of(run, ids["slow"])[0].Status)
				require.Empty(t, of(run, ids["after"]))
				again, err := b.p.Executions.Stop(t.Context(), b.user, m.ID, id)
				require.NoError(t, err)
				require.Nil(t, again, "what has ended is not stopped again")
				b.close(100 * time.Millisecond)
			})
		}
	})
}

func TestStopOfWaitingRun(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags, "worker.max_runs=1")
		m, _ := b.save(slow(slowBlock, 30))
		first := b.start(m, vals{"in": 1})
		b.awaitRunning(m.ID, first)
		second := b.start(m, vals{"in": 2})
		meta, err := b.p.Executions.Stop(t.Context(), b.user, m.ID, second)
		require.NoError(t, err)
		require.Equal(t, execution.Terminated, meta.Status)
		for _, n := range b.await(m, second).NodeExecutions {
			require.Equal(t, execution.Terminated, n.Status)
		}
		_, err = b.p.Executions.Stop(t.Context(), b.user, m.ID, first)
		require.NoError(t, err)
	})
}

func TestStopReachesNestedRuns(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	child, _ := b.save(slow(slowBlock, 30))
	parent, _ := b.save((&drawing{}).node("agent", "e189baac-8c20-45a1-94a7-55177ea42565", vals{
		"graph_id": child.ID, "graph_version": 1, "inputs": map[string]any{"in": 1},
		"input_schema":  map[string]any{"properties": map[string]any{"in": map[string]any{}}},
		"output_schema": map[string]any{"properties": map[string]any{}},
	}))
	id := b.start(parent, nil)
	var nested execution.Meta
	require.Eventually(t, func() bool {
		list, err := b.p.Executions.List(t.Context(), b.user, child.ID, 1, 10)
		require.NoError(t, err)
		if len(list.Executions) == 0 {
			return false
		}
		nested = list.Executions[0]
		return nested.Status == execution.Running
	}, 10*time.Second, 5*time.Millisecond)
	_, err := b.p.Executions.Stop(t.Context(), b.user, parent.ID, id)
	require.NoError(t, err)
	require.Equal(t, execution.Terminated, b.await(parent, id).Status)
	require.Equal(t, execution.Terminated, b.await(child, nested.ID).Status)
}

// A block that had emitted half of its values when its process ended runs
// again; the next node gets each value once.
func TestHandoverRepeatsNothingThatWasPassedOn(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		calls.Store(0)
		b := open(t, flags)
		var values []any
		for i := range 20 {
			values = append(values, i)
		}
		d := (&drawing{}).
			node("emit", emitBlock, vals{"values": values, "delay": 0.05}).
			node("out", outputBlock, vals{"name": "out"}).link("emit.value", "out.value")
		m, ids := b.save(d)
		id := b.start(m, nil)
		require.Eventually(t, func() bool {
			run, err := b.p.Executions.Get(t.Context(), b.user, m.ID, id)
			require.NoError(t, err)
			return len(run.Outputs["out"]) >= 5
		}, 10*time.Second, 5*time.Millisecond)
		b.close(0)
		b = open(t, flags)
		run := b.await(m, id)
		require.Equal(t, execution.Completed, run.Status)
		require.EqualValues(t, 2, calls.Load(), "the block was not interrupted")
		require.Equal(t, values, run.Outputs["out"])
		require.Equal(t, values, of(run, ids["emit"])[0].OutputData["value"])
		require.Len(t, of(run, ids["emit"]), 1)
	})
}

func TestShutdownLetsShortRunsEnd(t *testing.T) {
	flags := map[string]string{"data_dir": t.TempDir()}
	b := open(t, flags)
	m, _ := b.save(slow(slowBlock, 0.3))
	id := b.start(m, vals{"in": 1})
	b.awaitRunning(m.ID, id)
	b.close(10 * time.Second)
	b = open(t, flags)
	run, err := b.p.Executions.Get(t.Context(), b.user, m.ID, id)
	require.NoError(t, err)
	require.Equal(t, execution.Completed, run.Status)
}

func TestMoreRunsThanPlaces(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags, "worker.max_runs=3", "worker.max_runs_per_user_graph=2")
		m, _ := b.save((&drawing{}).
			node("in", inputBlock, vals{"name": "in"}).node("slow", slowBlock, vals{"delay": 0.02}).
			node("out", outputBlock, vals{"name": "out"}).
			link("in.result", "slow.value").link("slow.value", "out.value"))
		other, _ := b.save(slow(slowBlock, 0.01))
		var ids []string
		for i := range 30 {
			ids = append(ids, b.start(m, vals{"in": i}))
			b.start(other, vals{"in": i})
		}
		for i, id := range ids {
			run := b.await(m, id)
			require.Equal(t, execution.Completed, run.Status)
			require.Equal(t, map[string][]any{"out": {i}}, run.Outputs)
		}
	})
}

// Two processes on one database share the runs, and each run ends once.
func TestTwoWorkers(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		if flags["database.url"] == "" {
			t.Skip("a SQLite file belongs to one process")
		}
		one := open(t, flags, "worker.max_runs=4")
		two := open(t, flags, "worker.max_runs=4")
		m, _ := one.save(slow(slowBlock, 0.02))
		var ids []string
		for i := range 40 {
			ids = append(ids, []*bed{one, two}[i%2].start(m, vals{"in": i}))
		}
		for _, id := range ids {
			run := two.await(m, id)
			require.Equal(t, execution.Completed, run.Status)
			require.Len(t, run.NodeExecutions, 3)
		}
	})
}

// A stop that is asked of another process than the one that runs.
func TestStopAcrossProcesses(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		if flags["database.url"] == "" {
			t.Skip("a SQLite file belongs to one process")
		}
		one, two := open(t, flags), open(t, flags)
		m, _ := one.save(slow(slowBlock, 60))
		id := one.start(m, vals{"in": 1})
		one.awaitRunning(m.ID, id)
		meta, err := two.p.Executions.Stop(t.Context(), two.user, m.ID, id)
		require.NoError(t, err)
		require.Equal(t, execution.Terminated, meta.Status)
	})
}

func TestDryRunWithoutModel(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	m, ids := b.save(slow(slowBlock, 0))
	meta, err := b.p.Executions.Start(t.Context(), execution.StartRequest{UserID: b.user, GraphID: m.ID, Inputs: vals{"in": 1}, DryRun: true})
	require.NoError(t, err)
	require.True(t, meta.IsDryRun)
	require.NotNil(t, meta.Stats)
	run := b.await(m, meta.ID)
	in := of(run, ids["in"])[0]
	require.Equal(t, execution.Completed, in.Status)
	require.Contains(t, fmt.Sprint(in.OutputData["error"]), "[SIMULATOR ERROR — NOT A BLOCK FAILURE] ")
}

func TestRefusedStarts(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	m, _ := b.save(slow(slowBlock, 0))
	cycle, _ := b.save((&drawing{}).
		node("a", plainKeep, vals{}).node("b", plainKeep, vals{}).link("a.value", "b.value").link("b.value", "a.value"))
	cases := map[string]struct {
		req  execution.StartRequest
		text string
	}{
		"unknown graph":   {execution.StartRequest{UserID: b.user, GraphID: "nope"}, "Graph #nope not found."},
		"unknown version": {execution.StartRequest{UserID: b.user, GraphID: m.ID, GraphVersion: 9}, "not found."},
		"someone else's":  {execution.StartRequest{UserID: "user-2", GraphID: m.ID}, "You do not have access to graph #" + m.ID + " v1"},
		"no start":        {execution.StartRequest{UserID: b.user, GraphID: cycle.ID}, "No starting nodes found for the graph"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := b.p.Executions.Start(t.Context(), c.req)
			require.ErrorContains(t, err, c.text)
		})
	}
	list, err := b.p.Executions.Recent(t.Context(), b.user)
	require.NoError(t, err)
	require.Empty(t, list, "a refused start leaves nothing")
}

// A worker that was taken for dead goes on until it writes: then it learns that
// the run has another owner, and what it did does not count.
func TestLateWritesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		entered, replaced := make(chan struct{}), make(chan struct{})
		calls := setScript(t, "emit", func(_ context.Context, _ *core.Run, call int64, _ any, emit func(any)) error {
			if call == 1 {
				close(entered)
				<-replaced
			}
			emit("a")
			return nil
		})
		b := openScripted(t, flags)
		m, _ := b.save((&drawing{}).
			node("emit", scriptBlock, vals{"script": "emit"}).
			node("out", outputBlock, vals{"name": "out"}).link("emit.value", "out.value"))
		id := b.start(m, nil)
		<-entered
		err := b.p.DB.Write.Exec("UPDATE graph_executions SET fence = fence + 1, worker_id = 'gone' WHERE id = ?", id).Error
		require.NoError(t, err)
		close(replaced)
		run := b.await(m, id)
		require.Equal(t, execution.Completed, run.Status)
		require.Equal(t, map[string][]any{"out": {"a"}}, run.Outputs)
		require.EqualValues(t, 2, calls.Load(), "the second owner runs what the first could not write")
	})
}
