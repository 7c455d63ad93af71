package db_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func TestErase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const all = 7
		for i := range all {
			require.NoError(t, d.Write.Exec("INSERT INTO encryption_keys (name, sealed, created_at) VALUES (?, '', '2025-01-01')", fmt.Sprint(i)).Error)
		}
		left := func() int {
			var n int64
			require.NoError(t, d.Read.Table("encryption_keys").Count(&n).Error)
			return int(n)
		}
		two := func(tx *gorm.DB) (int, bool, error) {
			done := tx.Exec("DELETE FROM encryption_keys WHERE name IN (SELECT name FROM encryption_keys ORDER BY name LIMIT 2)")
			return int(done.RowsAffected), done.RowsAffected > 0, done.Error
		}

		// A fence ends it before the third transaction; what went before is gone.
		lost := errors.New("another process has it")
		batches := 0
		fenced := db.WithFence(t.Context(), func(tx *gorm.DB) error {
			if batches++; batches > 2 {
				return lost
			}
			return nil
		})
		n, err := d.Erase(fenced, two)
		require.ErrorIs(t, err, lost)
		require.Equal(t, 4, n)
		require.Equal(t, all-4, left())

		failed := errors.New("no luck")
		n, err = d.Erase(t.Context(), func(tx *gorm.DB) (int, bool, error) {
			n, more, err := two(tx)
			require.NoError(t, err)
			return n, more, failed
		})
		require.ErrorIs(t, err, failed)
		require.Zero(t, n)
		require.Equal(t, all-4, left(), "a batch that fails removes nothing")

		n, err = d.Erase(t.Context(), two)
		require.NoError(t, err)
		require.Equal(t, 3, n)
		require.Zero(t, left())
	})
}
