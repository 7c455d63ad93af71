package dbtest

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm/schema"

	"agentserver/core/db"
)

// CheckModels fails the test unless each model's table exists in the migrated
// schema with exactly the model's columns. A package passes pointers to its row
// types, from inside [Each].
func CheckModels(t *testing.T, d *db.DB, models ...any) {
	t.Helper()
	var cache sync.Map
	for _, model := range models {
		parsed, err := schema.Parse(model, &cache, d.Write.NamingStrategy)
		require.NoError(t, err)
		require.True(t, d.Write.Migrator().HasTable(parsed.Table), "%T: no table %s", model, parsed.Table)
		columns, err := d.Write.Migrator().ColumnTypes(parsed.Table)
		require.NoError(t, err)
		var got []string
		for _, c := range columns {
			got = append(got, c.Name())
		}
		want := slices.Clone(parsed.DBNames)
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(t, want, got, "%T (expected) and table %s (actual) have different columns", model, parsed.Table)
	}
}
