package dbtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"agentserver/core/db"
)

// CheckModels fails the test unless each model's table exists in the migrated
// schema with exactly the model's columns. A package passes pointers to its row
// types, from inside [Each].
func CheckModels(t *testing.T, d *db.DB, models ...any) {
	t.Helper()
	for _, model := range models {
		if err := CompareModel(d, model); err != nil {
			t.Error(err)
		}
	}
}

// CompareModel says how a model differs from its table, or nil.
func CompareModel(d *db.DB, model any) error {
	parsed, err := schema.Parse(model, &sync.Map{}, d.Write.NamingStrategy)
	if err != nil {
		return fmt.Errorf("reading %T: %w", model, err)
	}
	migrator := d.Write.Migrator()
	if !migrator.HasTable(parsed.Table) {
		return fmt.Errorf("%T: there is no table %s", model, parsed.Table)
	}
	columns, err := migrator.ColumnTypes(parsed.Table)
	if err != nil {
		return fmt.Errorf("reading the columns of %s: %w", parsed.Table, err)
	}
	var missing, unknown []string
	for _, name := range parsed.DBNames {
		if !slices.ContainsFunc(columns, func(c gorm.ColumnType) bool { return c.Name() == name }) {
			missing = append(missing, name)
		}
	}
	for _, c := range columns {
		if !slices.Contains(parsed.DBNames, c.Name()) {
			unknown = append(unknown, c.Name())
		}
	}
	if len(missing)+len(unknown) > 0 {
		return fmt.Errorf("%T and table %s differ: the table lacks [%s], the model lacks [%s]",
			model, parsed.Table, strings.Join(missing, " "), strings.Join(unknown, " "))
	}
	return nil
}
