package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// queueVersionTable is where the queue's library notes its migrations.
const queueVersionTable = "river_migration"

// queueMigrator gives the migrations of the queue's own tables.
func (d *DB) queueMigrator() (*rivermigrate.Migrator[*sql.Tx], error) {
	var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(d.write)
	if d.Engine == Postgres {
		driver = riverdatabasesql.New(d.write)
	}
	// River logs each step as information, which is not worth a line to people.
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet(d.log)})
	if err != nil {
		return nil, fmt.Errorf("preparing the queue's tables: %w", err)
	}
	return m, nil
}

// queuePending reports whether the queue's tables have steps to run. It refuses
// tables that are newer than the library.
func (d *DB) queuePending(ctx context.Context) (bool, error) {
	m, err := d.queueMigrator()
	if err != nil {
		return false, err
	}
	// The library's own reading of the versions fails on one it does not know.
	current, err := d.maxVersion(ctx, queueVersionTable, "version")
	if err != nil {
		return false, fmt.Errorf("reading the version of the queue's tables: %w", err)
	}
	var wanted int64
	for _, step := range m.AllVersions() {
		wanted = max(wanted, int64(step.Version))
	}
	if current > wanted {
		return false, newerSchema(current, wanted)
	}
	return current < wanted, nil
}

func (d *DB) migrateQueue(ctx context.Context) error {
	m, err := d.queueMigrator()
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrating the queue's tables: %w", err)
	}
	return nil
}
