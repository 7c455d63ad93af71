package dbtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

type queueMigration struct {
	Line      string `gorm:"primaryKey"`
	Version   int64  `gorm:"primaryKey"`
	CreatedAt db.Time
}

func (queueMigration) TableName() string { return "river_migration" }

type other struct {
	Version int64 `gorm:"primaryKey"`
	Title   string
}

func (other) TableName() string { return "river_migration" }

type nowhere struct{ ID string }

func (nowhere) TableName() string { return "nowhere" }

func TestCheckModels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dbtest.CheckModels(t, d, &queueMigration{})
		require.ErrorContains(t, dbtest.CompareModel(d, &other{}),
			"differ: the table lacks [title], the model lacks [line created_at]")
		require.ErrorContains(t, dbtest.CompareModel(d, &nowhere{}), "no table nowhere")
	})
}

// Tests of one engine must not see each other's rows.
func TestDatabasesAreFresh(t *testing.T) {
	for range 2 {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			var n int
			require.NoError(t, d.Read.Raw("SELECT count(*) FROM users").Scan(&n).Error)
			require.Zero(t, n)
			require.NoError(t, d.Write.Exec("INSERT INTO users (id, email, created_at, updated_at) VALUES ('a', 'a@b.c', '2025-01-01', '2025-01-01')").Error)
		})
	}
}
