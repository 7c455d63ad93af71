package execution_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/execution"
)

// The database takes no results for a while: shorter than the journal is
// patient, the run goes on; longer, it is taken up again. Either way each
// value arrives once.
func TestDatabaseTrouble(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		for name, trouble := range map[string]time.Duration{"short": 700 * time.Millisecond, "long": 4 * time.Second} {
			t.Run(name, func(t *testing.T) {
				b := openScripted(t, flags)
				values := []any{1, 2, 3, 4, 5, 6}
				m, ids := b.save((&drawing{}).node("emit", emitBlock, vals{"values": values, "delay": 0.05}).
					node("out", outputBlock, vals{"name": "out"}).link("emit.value", "out.value"))
				healOutputs := b.refuse("node_outputs", "INSERT", "NEW.first >= 0")
				healRuns := b.refuse("graph_executions", "UPDATE", "NEW.status = 'FAILED' OR NEW.worker_id IS NULL")
				id := b.start(m, nil)
				time.Sleep(trouble)
				healOutputs()
				healRuns()
				run := b.await(m, id)
				require.Equal(t, execution.Completed, run.Status)
				require.Equal(t, values, run.Outputs["out"])
				require.Equal(t, values, of(run, ids["emit"])[0].OutputData["value"])
				b.close(100 * time.Millisecond)
			})
		}
	})
}

// Jobs whose end the queue could not write are not lost.
func TestJobsSurviveDatabaseTrouble(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags, "worker.max_runs=1")
		first, _ := b.save(slow(slowBlock, 60))
		a := b.start(first, vals{"in": 1})
		b.awaitRunning(first.ID, a)
		m, _ := b.save((&drawing{}).node("x", plainKeep, vals{"value": 1}))
		var ids []string
		for range 10 {
			ids = append(ids, b.start(m, nil))
		}
		heal := b.refuse("river_job", "UPDATE", "OLD.state = 'running'")
		time.Sleep(3 * time.Second)
		heal()
		_, err := b.p.Executions.Stop(t.Context(), b.user, first.ID, a)
		require.NoError(t, err)
		for _, id := range ids {
			require.Equal(t, execution.Completed, b.await(m, id).Status)
		}
	})
}

// A run whose last step cannot be written while it is stopped is not lost.
func TestStopWhileTheLastStepIsRefused(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags)
		m, _ := b.save((&drawing{}).node("a", slowBlock, vals{"value": 1, "delay": 0.3}))
		heal := b.refuse("graph_executions", "UPDATE", "NEW.worker_id IS NULL")
		id := b.start(m, nil)
		time.Sleep(time.Second) // the last step is being refused
		stop := make(chan error, 1)
		go func() {
			_, err := b.p.Executions.Stop(context.WithoutCancel(t.Context()), b.user, m.ID, id)
			stop <- err
		}()
		time.Sleep(2 * time.Second)
		heal()
		require.Contains(t, []execution.Status{execution.Completed, execution.Terminated}, b.await(m, id).Status)
		require.NoError(t, <-stop)
	})
}

// Runs are under way when the process closes: what was accepted completes after
// the next start, each with one output.
func TestCloseUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags, "worker.max_runs=5")
		m, ids := b.save((&drawing{}).node("in", inputBlock, vals{"name": "in"}).
			node("slow", slowBlock, vals{"delay": 0.05}).node("out", outputBlock, vals{"name": "out"}).
			link("in.result", "slow.value").link("slow.value", "out.value"))
		var accepted []string
		for i := range 40 {
			accepted = append(accepted, b.start(m, vals{"in": i}))
		}
		b.close(100 * time.Millisecond)
		b = openScripted(t, flags, "worker.max_runs=5")
		for i, id := range accepted {
			run := b.await(m, id)
			require.Equal(t, execution.Completed, run.Status)
			require.Equal(t, map[string][]any{"out": {i}}, run.Outputs)
			for _, node := range ids {
				require.Len(t, of(run, node), 1)
			}
		}
	})
}

// Many runs are stopped while some wait, some are taken up and some run: each
// has one end and leaves no node open.
func TestStopsMeetClaims(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags, "worker.max_runs=3")
		m, _ := b.save(slow(slowBlock, 0.03))
		var ids []string
		for i := range 30 {
			ids = append(ids, b.start(m, vals{"in": i}))
		}
		var wg sync.WaitGroup
		errs := make(chan error, 2*len(ids))
		for i, id := range ids {
			for range 1 + i%2 { // some are stopped twice at once
				wg.Go(func() {
					_, err := b.p.Executions.Stop(t.Context(), b.user, m.ID, id)
					errs <- err
				})
			}
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		for _, id := range ids {
			run := b.await(m, id)
			require.Contains(t, []execution.Status{execution.Completed, execution.Terminated}, run.Status)
			for _, n := range run.NodeExecutions {
				require.True(t, n.Status.Final(), "a node of a %s run is left %s", run.Status, n.Status)
			}
		}
	})
}

// A process that others took for dead lives on: its runs are driven by
// another, each ends once, and it works again afterwards.
func TestWorkerTakenForDead(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		if flags["database.url"] == "" {
			t.Skip("a SQLite file belongs to one process")
		}
		one, two := openScripted(t, flags), openScripted(t, flags)
		m, ids := one.save((&drawing{}).node("emit", emitBlock, vals{"values": []any{1, 2, 3}, "delay": 0.3}).
			node("out", outputBlock, vals{"name": "out"}).link("emit.value", "out.value"))
		var runs []string
		for range 8 {
			runs = append(runs, one.start(m, nil))
		}
		one.awaitRunning(m.ID, runs[7])
		require.NoError(t, one.p.DB.Write.Exec("DELETE FROM workers").Error)
		for range 4 {
			runs = append(runs, one.start(m, nil), two.start(m, nil))
		}
		for _, id := range runs {
			run := two.await(m, id)
			require.Equal(t, execution.Completed, run.Status)
			require.Equal(t, []any{1, 2, 3}, run.Outputs["out"])
			require.Len(t, of(run, ids["out"]), 3)
			require.Len(t, of(run, ids["emit"]), 1)
		}
	})
}

// Runs leave no goroutines behind, whether they end by themselves or are
// stopped.
func TestRunsLeaveNoGoroutines(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()}, "worker.max_runs_per_user_graph=100")
	m, _ := b.save(slow(slowBlock, 0.01))
	hang, _ := b.save(slow(slowBlock, 60))
	round := func(n int) {
		var ids, stops []string
		for i := range n {
			ids = append(ids, b.start(m, vals{"in": i}))
			stops = append(stops, b.start(hang, vals{"in": i}))
		}
		for i := range n {
			b.await(m, ids[i])
			_, err := b.p.Executions.Stop(t.Context(), b.user, hang.ID, stops[i])
			require.NoError(t, err)
		}
	}
	round(2)
	before := runtime.NumGoroutine()
	round(40)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() < before+20 }, 10*time.Second, 20*time.Millisecond,
		fmt.Sprintf("there were %d goroutines", before))
}
