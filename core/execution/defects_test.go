package execution_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/execution"
)

const pairBlock = "7e57b10c-0000-4000-8000-000000000102"

// pairProvider holds a block that takes two credentials.
func pairProvider() *core.Provider {
	type out struct {
		Value core.Pin[any] `json:"value"`
	}
	type pair struct {
		First  core.APIKey `json:"credentials"`
		Second core.APIKey `json:"second_credentials"`
	}
	two := core.NewBlock(core.BlockSpec{ID: pairBlock, Name: "PairBlock", Description: "Takes two credentials."},
		func(_ context.Context, _ *core.Run, in *pair, out *out) error {
			out.Value.Emit(in.First.Key.Reveal() + in.Second.Key.Reveal())
			return nil
		})
	key := func(id string) core.SystemCredential {
		return core.SystemCredential{ID: id, Title: id, Load: func() core.Credential {
			return core.APIKey{CredentialBase: core.CredentialBase{ID: id, Provider: "pair", Title: id}, Key: core.Secret("key of " + id)}
		}}
	}
	return &core.Provider{
		Name: "pair", Title: "Pair", Blocks: []core.Block{two},
		Auth: []core.AuthMethod{core.APIKeyAuth{}}, System: []core.SystemCredential{key("one"), key("two")},
	}
}

// while no process runs, change changes the database.
func change(t *testing.T, flags map[string]string, statements ...string) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: flags["database.url"], DataDir: flags["data_dir"], Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	for _, s := range statements {
		require.NoError(t, d.Write.Exec(s).Error)
	}
	require.NoError(t, d.Close())
}

// status reads a run's state.
func (b *bed) status(graphID, id string) execution.Status {
	run, err := b.p.Executions.Get(b.t.Context(), b.user, graphID, id)
	require.NoError(b.t, err)
	return run.Status
}

// ends waits a while for the end of a run and reports whether it came.
func (b *bed) ends(graphID, id string, wait time.Duration) bool {
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if b.status(graphID, id).Final() {
			return true
		}
	}
	return false
}

// A block whose own call was cancelled fails like any other; the run ends.
func TestBlockWithCancelledCallOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags)
		setScript(t, "inner", func(ctx context.Context, _ *core.Run, _ int64, _ any, _ func(any)) error {
			inner, cancel := context.WithCancel(ctx)
			cancel()
			return fmt.Errorf("asking the vendor: %w", inner.Err())
		})
		m, ids := b.save((&drawing{}).node("a", scriptBlock, vals{"script": "inner"}).
			node("out", outputBlock, vals{"name": "why"}).link("a.error", "out.value"))
		id := b.start(m, nil)
		require.True(t, b.ends(m.ID, id, 5*time.Second), "the run never ends")
		run := b.await(m, id)
		require.Equal(t, execution.Failed, of(run, ids["a"])[0].Status)
		require.Len(t, run.Outputs["why"], 1)
	})
}

// A block that had emitted something, was interrupted and then fails, says so.
func TestFailureOfRepeatedBlockIsTold(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		setScript(t, "flaky", func(ctx context.Context, _ *core.Run, call int64, _ any, emit func(any)) error {
			if call == 1 {
				emit(1)
				emit(2)
				<-ctx.Done()
				return ctx.Err()
			}
			return errors.New("no second time")
		})
		b := openScripted(t, flags)
		m, ids := b.save((&drawing{}).node("a", scriptBlock, vals{"script": "flaky"}).
			node("out", outputBlock, vals{"name": "out"}).link("a.value", "out.value").
			node("why", outputBlock, vals{"name": "why"}).link("a.error", "why.value"))
		id := b.start(m, nil)
		require.Eventually(t, func() bool {
			run, err := b.p.Executions.Get(t.Context(), b.user, m.ID, id)
			require.NoError(t, err)
			return len(run.Outputs["out"]) == 2
		}, 10*time.Second, 5*time.Millisecond)
		b.close(0)
		b = openScripted(t, flags)
		run := b.await(m, id)
		require.Equal(t, execution.Failed, of(run, ids["a"])[0].Status)
		require.Equal(t, []any{1, 2}, run.Outputs["out"])
		require.Len(t, run.Outputs["why"], 1, "the failure did not go out on the error pin")
	})
}

// A database that refuses one read while a run is taken up does not fail the run.
func TestTakeUpDuringDatabaseTrouble(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags, "worker.max_runs=1")
		first, _ := b.save(slow(slowBlock, 60))
		a := b.start(first, vals{"in": 1})
		b.awaitRunning(first.ID, a)
		m, _ := b.save((&drawing{}).node("x", plainKeep, vals{"value": 1}))
		id := b.start(m, nil) // waits in the queue
		require.NoError(t, b.p.DB.Write.Exec("ALTER TABLE node_outputs RENAME TO hidden").Error)
		_, err := b.p.Executions.Stop(t.Context(), b.user, first.ID, a)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		require.NoError(t, b.p.DB.Write.Exec("ALTER TABLE hidden RENAME TO node_outputs").Error)
		run := b.await(m, id)
		require.Equal(t, execution.Completed, run.Status)
	})
}

// A run that was to be stopped when its worker died does not start again.
func TestStopOutlivesTheWorker(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		calls := setScript(t, "wait", func(ctx context.Context, _ *core.Run, _ int64, _ any, _ func(any)) error {
			<-ctx.Done()
			return ctx.Err()
		})
		b := openScripted(t, flags)
		m, _ := b.save((&drawing{}).node("a", scriptBlock, vals{"script": "wait"}))
		id := b.start(m, nil)
		b.awaitRunning(m.ID, id)
		b.close(0)
		change(t, flags, "UPDATE graph_executions SET cancel_requested = true")
		b = openScripted(t, flags)
		run := b.await(m, id)
		require.Equal(t, execution.Terminated, run.Status)
		require.EqualValues(t, 1, calls.Load(), "the block ran again after the stop")
	})
}

// Every output of a nested agent arrives, however many nodes it ran.
func TestNestedAgentWithManyOutputs(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()})
	var values []any
	for i := range 1100 {
		values = append(values, i)
	}
	child, _ := b.save((&drawing{}).node("emit", emitBlock, vals{"values": values}).
		node("out", outputBlock, vals{"name": "n"}).link("emit.value", "out.value"))
	parent, ids := b.save((&drawing{}).node("agent", agentBlock, agentNode(child.ID, "n")))
	run := b.await(parent, b.start(parent, nil))
	require.Len(t, of(run, ids["agent"])[0].OutputData["n"], len(values))
}

// A run that this worker owns and does not know, which a lost answer to a
// claim or a creation leaves behind, is found.
func TestRunThatItsWorkerDoesNotKnow(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags, "worker.max_runs=1")
		first, _ := b.save(slow(slowBlock, 60))
		a := b.start(first, vals{"in": 1})
		b.awaitRunning(first.ID, a)
		m, _ := b.save((&drawing{}).node("x", plainKeep, vals{"value": 1}))
		id := b.start(m, nil) // waits in the queue
		err := b.p.DB.Write.Exec("UPDATE graph_executions SET fence = fence + 1, worker_id = (SELECT id FROM workers) WHERE id = ?", id).Error
		require.NoError(t, err)
		_, err = b.p.Executions.Stop(t.Context(), b.user, first.ID, a)
		require.NoError(t, err)
		require.True(t, b.ends(m.ID, id, 8*time.Second), "nobody drives the run")
	})
}

// A start that comes too late is refused; it does not wait for ever.
func TestStartAfterClose(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()})
	m, _ := b.save((&drawing{}).node("x", plainKeep, vals{"value": 1}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	b.p.Executions.Close(ctx)
	done := make(chan error, 1)
	go func() {
		_, err := b.p.Executions.Start(ctx, execution.StartRequest{UserID: b.user, GraphID: m.ID})
		done <- err
	}()
	select {
	case err := <-done:
		require.Error(t, err)
	case <-time.After(5 * time.Second):
		require.FailNow(t, "the start waits for a journal that has ended")
	}
}

// A run that was stopped starts nothing any more.
func TestStoppedRunStartsNoAgents(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()})
	child, _ := b.save(slow(slowBlock, 0))
	goOn, answer := make(chan struct{}), make(chan error, 1)
	setScript(t, "nest", func(ctx context.Context, run *core.Run, _ int64, _ any, _ func(any)) error {
		<-goOn
		answer <- run.Agents.RunAgent(context.WithoutCancel(ctx), run, core.AgentCall{GraphID: child.ID, GraphVersion: 1, Inputs: vals{"in": 1}},
			func(string, any) error { return nil })
		return nil
	})
	m, _ := b.save((&drawing{}).node("a", scriptBlock, vals{"script": "nest"}))
	id := b.start(m, nil)
	b.awaitRunning(m.ID, id)
	_, err := b.p.Executions.Stop(t.Context(), b.user, m.ID, id)
	require.NoError(t, err)
	close(goOn)
	require.Error(t, <-answer)
	list, err := b.p.Executions.List(t.Context(), b.user, child.ID, 1, 10)
	require.NoError(t, err)
	require.Empty(t, list.Executions, "a stopped run started another")
}

// The order of a node's runs is kept even if the clock is set back meanwhile.
func TestClockSetBack(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		setScript(t, "slow", func(ctx context.Context, _ *core.Run, call int64, v any, emit func(any)) error {
			if call <= 2 {
				<-ctx.Done()
				return ctx.Err()
			}
			emit(v)
			return nil
		})
		b := openScripted(t, flags)
		m, ids := b.save((&drawing{}).node("emit", emitBlock, vals{"values": []any{1, 2}}).
			node("slow", scriptBlock, vals{"script": "slow"}).node("out", outputBlock, vals{"name": "out"}).
			link("emit.value", "slow.value").link("slow.value", "out.value"))
		id := b.start(m, nil)
		require.Eventually(t, func() bool {
			run, err := b.p.Executions.Get(t.Context(), b.user, m.ID, id)
			require.NoError(t, err)
			list := of(run, ids["slow"])
			return len(list) == 2 && list[0].Status == execution.Running && list[1].Status == execution.Running
		}, 10*time.Second, 5*time.Millisecond)
		b.close(0)
		change(t, flags, "UPDATE node_executions SET queued_at = '2001-01-01 00:00:00+00:00' WHERE seq = (SELECT max(seq) FROM node_executions)")
		b = openScripted(t, flags)
		require.Equal(t, []any{1, 2}, b.await(m, id).Outputs["out"])
	})
}

// Nothing of a run at its end is still queued or running.
func TestRunThatCannotBeTakenUpLeavesNothingOpen(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		setScript(t, "wait", func(ctx context.Context, _ *core.Run, _ int64, _ any, _ func(any)) error {
			<-ctx.Done()
			return ctx.Err()
		})
		b := openScripted(t, flags)
		m, ids := b.save((&drawing{}).node("a", scriptBlock, vals{"script": "wait"}))
		id := b.start(m, nil)
		b.awaitRunning(m.ID, id)
		b.close(0)
		b = openScripted(t, flags, "providers.disabled=script")
		run := b.await(m, id)
		require.Equal(t, execution.Failed, run.Status)
		require.Contains(t, *run.Stats.Error, "providers.disabled")
		require.True(t, of(run, ids["a"])[0].Status.Final(), "the node is left %s", of(run, ids["a"])[0].Status)
	})
}

// Jobs of a lost process come back even if its clock was ahead.
func TestLostJobOfClockThatWasAhead(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags, "worker.max_runs=1")
		first, _ := b.save(slow(slowBlock, 60))
		a := b.start(first, vals{"in": 1})
		b.awaitRunning(first.ID, a)
		m, _ := b.save((&drawing{}).node("x", plainKeep, vals{"value": 1}))
		id := b.start(m, nil)
		b.close(0)
		by := `'["` + uuid.NewString() + `"]'`
		if flags["database.url"] != "" {
			by = "ARRAY['" + uuid.NewString() + "']"
		}
		change(t, flags, "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = '2099-01-01 00:00:00', attempted_by = "+by+
			" WHERE state IN ('available', 'scheduled', 'running')")
		b = openScripted(t, flags)
		require.True(t, b.ends(m.ID, id, 8*time.Second), "the job is not given back")
	})
}

// A block gets each of its credentials.
func TestTwoCredentials(t *testing.T) {
	b := openWith(t, pairProvider(), map[string]string{"data_dir": t.TempDir()})
	ref := func(id string) map[string]any { return map[string]any{"id": id, "provider": "pair", "type": "api_key"} }
	run, ids := b.run((&drawing{}).node("a", pairBlock, vals{"credentials": ref("one"), "second_credentials": ref("two")}), nil)
	require.Equal(t, map[string][]any{"value": {"key of onekey of two"}}, of(run, ids["a"])[0].OutputData)
}

// What a nested agent gives out quickly arrives in its order.
func TestNestedOutputsKeepTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags)
		var values []any
		for i := range 50 {
			values = append(values, i)
		}
		child, _ := b.save((&drawing{}).node("emit", emitBlock, vals{"values": values}).
			node("out", outputBlock, vals{"name": "n"}).link("emit.value", "out.value"))
		parent, ids := b.save((&drawing{}).node("agent", agentBlock, agentNode(child.ID, "n")))
		run := b.await(parent, b.start(parent, nil))
		require.Equal(t, values, of(run, ids["agent"])[0].OutputData["n"])
	})
}

// One step that can never be written does not make its block run for ever.
func TestStepThatCanNeverBeWritten(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()})
	calls := setScript(t, "poison", func(_ context.Context, _ *core.Run, _ int64, _ any, emit func(any)) error {
		emit("poison")
		return nil
	})
	b.refuse("node_outputs", "INSERT", "NEW.data LIKE '%poison%'")
	m, _ := b.save((&drawing{}).node("a", scriptBlock, vals{"script": "poison"}))
	id := b.start(m, nil)
	require.True(t, b.ends(m.ID, id, 30*time.Second), "the run is tried for ever")
	require.Equal(t, execution.Failed, b.status(m.ID, id))
	require.EqualValues(t, 1, calls.Load(), "the block ran again for the same result")
}

// One step that cannot be written does not hold up the others.
func TestRefusedStepHoldsUpNobody(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()})
	setScript(t, "poison", func(_ context.Context, _ *core.Run, _ int64, _ any, emit func(any)) error {
		emit("poison")
		return nil
	})
	b.refuse("node_outputs", "INSERT", "NEW.data LIKE '%poison%'")
	m, _ := b.save((&drawing{}).node("a", scriptBlock, vals{"script": "poison"}))
	other, _ := b.save((&drawing{}).node("x", plainKeep, vals{"value": 1}))
	id := b.start(m, nil)
	time.Sleep(300 * time.Millisecond)
	b.await(other, b.start(other, nil))
	require.False(t, b.status(m.ID, id).Final(), "the other run had to wait for the refused step")
}

// Close ends in time when the database is gone.
func TestCloseWithoutDatabase(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()}, "worker.max_runs_per_user_graph=100")
	m, _ := b.save(slow(slowBlock, 60))
	for i := range 20 {
		b.start(m, vals{"in": i})
	}
	time.Sleep(300 * time.Millisecond)
	require.NoError(t, b.p.DB.Close())
	closed := make(chan struct{})
	go func() {
		b.close(time.Second)
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		require.FailNow(t, "Close does not end")
	}
}

// A transaction that SQLite has undone by itself (a full disk does that)
// is not continued outside of it.
func TestStepThatSQLiteUndoes(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()})
	m, _ := b.save((&drawing{}).node("a", plainKeep, vals{"value": 1}).
		node("out", outputBlock, vals{"name": "out"}).link("a.value", "out.value"))
	require.NoError(t, b.p.DB.Write.Exec("CREATE TRIGGER undo BEFORE INSERT ON node_outputs WHEN NEW.data LIKE '%\"output\"%' BEGIN SELECT RAISE(ROLLBACK, 'full'); END").Error)
	id := b.start(m, nil)
	time.Sleep(500 * time.Millisecond)
	require.NoError(t, b.p.DB.Write.Exec("DROP TRIGGER undo").Error)
	run := b.await(m, id)
	require.Equal(t, map[string][]any{"out": {1}}, run.Outputs)
	for _, n := range run.NodeExecutions {
		require.True(t, n.Status.Final(), "a node of a %s run is left %s", run.Status, n.Status)
		require.NotEmpty(t, n.OutputData)
	}
}

// A stop that no message carries (many processes, no Redis) is in time,
// whatever the beat.
func TestStopAcrossProcessesInTime(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		if flags["database.url"] == "" {
			t.Skip("a SQLite file belongs to one process")
		}
		one, two := openScripted(t, flags, "worker.heartbeat_timeout=2m"), openScripted(t, flags, "worker.heartbeat_timeout=2m")
		m, _ := one.save(slow(slowBlock, 60))
		id := one.start(m, vals{"in": 1})
		one.awaitRunning(m.ID, id)
		meta, err := two.p.Executions.Stop(t.Context(), two.user, m.ID, id)
		require.NoError(t, err)
		require.Equal(t, execution.Terminated, meta.Status)
	})
}

// A run that fails takes the runs that it started with it.
func TestFailedRunStopsItsChildren(t *testing.T) {
	b := openScripted(t, map[string]string{"data_dir": t.TempDir()}, "run.max_node_executions=50")
	child, _ := b.save(slow(slowBlock, 60))
	in := agentNode(child.ID)
	in["inputs"] = map[string]any{"in": 1}
	parent, _ := b.save((&drawing{}).node("agent", agentBlock, in).
		node("start", slowBlock, vals{"value": 0, "delay": 0.5}).node("a", calcBlock, vals{"operation": "Add", "b": 1}).
		node("c", calcBlock, vals{"operation": "Add", "b": 1}).
		link("start.value", "a.a").link("a.result", "c.a").link("c.result", "a.a"))
	run := b.await(parent, b.start(parent, nil))
	require.Equal(t, execution.Failed, run.Status)
	list, err := b.p.Executions.List(t.Context(), b.user, child.ID, 1, 10)
	require.NoError(t, err)
	require.Len(t, list.Executions, 1)
	require.True(t, b.ends(child.ID, list.Executions[0].ID, 5*time.Second), "the nested run goes on for nobody")
}

// A run that was handed over and is at work shows as running.
func TestHandedOverRunShowsAsRunning(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := openScripted(t, flags)
		m, _ := b.save(slow(slowBlock, 60))
		id := b.start(m, vals{"in": 1})
		b.awaitRunning(m.ID, id)
		b.close(0)
		b = openScripted(t, flags)
		b.awaitRunning(m.ID, id)
	})
}
