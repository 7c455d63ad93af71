package execution_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/execution"
)

// untilStopped is a script that hangs in its first runs and then passes its
// value on.
func untilStopped(first func(call int64, value any) bool) script {
	return func(ctx context.Context, _ *core.Run, call int64, value any, emit func(any)) error {
		if first(call, value) {
			<-ctx.Done()
			return ctx.Err()
		}
		emit(value)
		return nil
	}
}

// awaitNodes waits until the runs of a node have these states.
func (b *bed) awaitNodes(graphID, id, nodeID string, want ...execution.Status) {
	require.Eventually(b.t, func() bool {
		run, err := b.p.Executions.Get(b.t.Context(), b.user, graphID, id)
		require.NoError(b.t, err)
		list := of(run, nodeID)
		if len(list) != len(want) {
			return false
		}
		have, wanted := map[execution.Status]int{}, map[execution.Status]int{}
		for i := range want {
			have[list[i].Status]++
			wanted[want[i]]++
		}
		for s, n := range wanted {
			if have[s] != n {
				return false
			}
		}
		return true
	}, 20*time.Second, 5*time.Millisecond, "the node does not get to %v", want)
}

// The second run of a node is over and waits for the first with its output
// when the process ends: the output is neither lost nor early, and the second
// run is not repeated.
func TestRestoreKeepsBufferedOutputs(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		var over atomic.Bool
		calls := setScript(t, "s", untilStopped(func(_ int64, v any) bool { return v == 1 && !over.Load() }))
		b := openScripted(t, flags)
		m, ids := b.save((&drawing{}).node("emit", emitBlock, vals{"values": []any{1, 2, 3}}).
			node("s", scriptBlock, vals{"script": "s"}).node("out", outputBlock, vals{"name": "out"}).
			link("emit.value", "s.value").link("s.value", "out.value"))
		id := b.start(m, nil)
		b.awaitNodes(m.ID, id, ids["s"], execution.Running, execution.Completed, execution.Completed)
		over.Store(true)
		b.close(0)
		b = openScripted(t, flags)
		run := b.await(m, id)
		require.Equal(t, []any{1, 2, 3}, run.Outputs["out"])
		require.EqualValues(t, 4, calls.Load(), "only the first run is repeated")
	})
}

// A static value that arrived before the process ended serves runs of the node
// that come after it.
func TestRestoreKeepsStaticValues(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		setScript(t, "s", func(ctx context.Context, _ *core.Run, call int64, _ any, emit func(any)) error {
			emit(1)
			if call == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			emit(2)
			return nil
		})
		b := openScripted(t, flags)
		m, ids := b.save((&drawing{}).node("s", scriptBlock, vals{"script": "s"}).
			node("five", storeBlock, vals{"input": 5}).node("calc", calcBlock, vals{"operation": "Add"}).
			node("out", outputBlock, vals{"name": "out"}).
			link("s.value", "calc.a").link("five.output", "calc.b").link("calc.result", "out.value"))
		id := b.start(m, nil)
		b.awaitNodes(m.ID, id, ids["calc"], execution.Completed)
		b.close(0)
		b = openScripted(t, flags)
		run := b.await(m, id)
		require.Equal(t, "[6 7]", fmt.Sprint(run.Outputs["out"]))
	})
}

// A half-filled run of a node waits through a restart and is filled after it.
func TestRestoreKeepsHalfFilledNodes(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		setScript(t, "s", untilStopped(func(call int64, _ any) bool { return call == 1 }))
		b := openScripted(t, flags)
		m, ids := b.save((&drawing{}).node("a", plainKeep, vals{"value": "a"}).
			node("s", scriptBlock, vals{"script": "s", "value": "b"}).node("join", joinBlock, vals{}).
			node("out", outputBlock, vals{"name": "out"}).
			link("a.value", "join.a").link("s.value", "join.b").link("join.value", "out.value"))
		id := b.start(m, nil)
		b.awaitNodes(m.ID, id, ids["join"], execution.Incomplete)
		b.close(0)
		b = openScripted(t, flags)
		run := b.await(m, id)
		require.Equal(t, []any{"ab"}, run.Outputs["out"])
		require.Len(t, of(run, ids["join"]), 1)
	})
}

// Agents three deep run with one place, also after a restart, and no level is
// started twice.
func TestNestedRunsNeedNoPlace(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		for name, restart := range map[string]bool{"at once": false, "over a restart": true} {
			t.Run(name, func(t *testing.T) {
				var hang atomic.Bool
				hang.Store(restart)
				setScript(t, "s", untilStopped(func(int64, any) bool { return hang.Load() }))
				b := openScripted(t, flags, "worker.max_runs=1", "worker.max_runs_per_user_graph=1")
				inner, ids := b.save((&drawing{}).node("s", scriptBlock, vals{"script": "s", "value": 7}).
					node("out", outputBlock, vals{"name": "n"}).link("s.value", "out.value"))
				middle, _ := b.save((&drawing{}).node("agent", agentBlock, agentNode(inner.ID, "n")).
					node("out", outputBlock, vals{"name": "n"}).link("agent.n", "out.value"))
				outer, _ := b.save((&drawing{}).node("agent", agentBlock, agentNode(middle.ID, "n")).
					node("out", outputBlock, vals{"name": "n"}).link("agent.n", "out.value"))
				id, second := b.start(outer, nil), b.start(outer, nil)
				if restart {
					var nested execution.Meta
					require.Eventually(t, func() bool {
						list, err := b.p.Executions.List(t.Context(), b.user, inner.ID, 1, 10)
						require.NoError(t, err)
						if len(list.Executions) == 1 {
							nested = list.Executions[0]
						}
						return nested.ID != ""
					}, 10*time.Second, 5*time.Millisecond)
					b.awaitNodes(inner.ID, nested.ID, ids["s"], execution.Running)
					b.close(0)
					hang.Store(false)
					b = openScripted(t, flags, "worker.max_runs=1", "worker.max_runs_per_user_graph=1")
				}
				for _, id := range []string{id, second} {
					require.Equal(t, map[string][]any{"n": {7}}, b.await(outer, id).Outputs)
				}
				for _, m := range []string{inner.ID, middle.ID} {
					list, err := b.p.Executions.List(t.Context(), b.user, m, 1, 10)
					require.NoError(t, err)
					require.Len(t, list.Executions, 2)
				}
				b.close(100 * time.Millisecond)
			})
		}
	})
}
