package execution_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/account"
	"agentserver/core/execution"
)

// as gives the bed with another user.
func (b *bed) as(user string) *bed {
	b.t.Helper()
	_, err := b.p.Accounts.Ensure(b.t.Context(), account.Identity{UserID: user, Email: user + "@example.com"})
	require.NoError(b.t, err)
	other := *b
	other.user = user
	return &other
}

// rows counts the rows of a table.
func (b *bed) rows(table string) int {
	b.t.Helper()
	var n int64
	require.NoError(b.t, b.p.DB.Write.Table(table).Count(&n).Error)
	return int(n)
}

// What a user has at work ends: here, in the queue, nested and hidden; what
// others have goes on.
func TestStopUser(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags, "worker.max_runs_per_user_graph=2")
		other := b.as("user-2")
		m, _ := b.save(slow(slowBlock, 60))
		theirs, _ := other.save(slow(slowBlock, 60))
		child, _ := b.save(slow(slowBlock, 60))
		in := agentNode(child.ID)
		in["inputs"] = map[string]any{"in": 1}
		parent, _ := b.save((&drawing{}).node("agent", agentBlock, in))

		goesOn := other.start(theirs, vals{"in": 1})
		other.awaitRunning(theirs.ID, goesOn)
		mine := []string{b.start(m, vals{"in": 1}), b.start(m, vals{"in": 2}), b.start(m, vals{"in": 3}), b.start(m, vals{"in": 4})}
		b.awaitRunning(m.ID, mine[0])
		nesting := b.start(parent, nil)
		require.Eventually(t, func() bool {
			list, err := b.p.Executions.List(t.Context(), b.user, child.ID, 1, 10)
			require.NoError(t, err)
			return len(list.Executions) == 1 && list.Executions[0].Status == execution.Running
		}, 20*time.Second, 5*time.Millisecond)
		require.NoError(t, b.p.Executions.Delete(t.Context(), b.user, mine[1])) // hides it

		n, err := b.p.Executions.StopUser(t.Context(), b.user)
		require.NoError(t, err)
		require.Equal(t, 6, n)
		var open []string
		require.NoError(t, b.p.DB.Write.Table("graph_executions").Where("status NOT IN ('TERMINATED', 'FAILED', 'COMPLETED')").Pluck("id", &open).Error)
		require.Equal(t, []string{goesOn}, open)
		require.Equal(t, execution.Terminated, b.await(parent, nesting).Status)
		n, err = b.p.Executions.StopUser(t.Context(), b.user)
		require.NoError(t, err)
		require.Zero(t, n)
		run, err := other.p.Executions.Get(t.Context(), other.user, theirs.ID, goesOn)
		require.NoError(t, err)
		require.Equal(t, execution.Running, run.Status)
	})
}

func TestStopUserAcrossProcesses(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		if flags["database.url"] == "" {
			t.Skip("a SQLite file belongs to one process")
		}
		one, two := open(t, flags), open(t, flags)
		m, _ := one.save(slow(slowBlock, 60))
		id := one.start(m, vals{"in": 1})
		one.awaitRunning(m.ID, id)
		n, err := two.p.Executions.StopUser(t.Context(), two.user)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, execution.Terminated, two.await(m, id).Status)
	})
}

// A run that is at work while its rows go leaves nothing behind.
func TestDeleteUserDuringRun(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		m, _ := b.save((&drawing{}).
			node("emit", emitBlock, vals{"values": []any{1, 2, 3, 4, 5, 6}, "delay": 0.1}).
			node("keep", keepBlock, vals{"key": "k"}).link("emit.value", "keep.value"))
		id := b.start(m, nil)
		require.Eventually(t, func() bool { return b.rows("stored_values") > 0 }, 20*time.Second, time.Millisecond)
		n, err := b.p.Executions.DeleteUser(t.Context(), b.user)
		require.NoError(t, err)
		require.Equal(t, 2, n, "the run and the value")
		_, err = b.p.Executions.Get(t.Context(), b.user, m.ID, id)
		require.Error(t, err)
		b.close(20 * time.Second) // lets it end
		again := open(t, flags)
		for _, table := range []string{"graph_executions", "node_executions", "node_outputs"} {
			require.Zero(t, again.rows(table), table)
		}
	})
}
