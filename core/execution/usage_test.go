package execution_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
)

func TestBlockUse(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		since := time.Now().Add(-time.Hour)
		add := func(block string, n int, ended *db.Time) {
			for i := range n {
				require.NoError(t, b.p.DB.Write.Exec(`INSERT INTO node_executions (id, graph_exec_id, node_id, block_id, seq, status, emitted, routed, added_at, ended_at)
					VALUES (?, 'g', 'n', ?, ?, 'COMPLETED', 0, 0, ?, ?)`, fmt.Sprint(block, i, ended), block, i, db.At(since), ended).Error)
			}
		}
		late, now, early := db.At(since), db.Now(), db.At(since.Add(-time.Second))
		add("a", 3, &now)
		add("a", 2, &late)
		add("a", 4, &early)
		add("b", 1, &now)
		add("old", 5, &early)
		add("under way", 5, nil)
		got, err := b.p.Executions.BlockUse(t.Context(), since)
		require.NoError(t, err)
		require.Equal(t, map[string]int{"a": 5, "b": 1}, got)
		got, err = b.p.Executions.BlockUse(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Empty(t, got)
	})
}
