package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// versionTable is where goose notes the migrations that ran.
const versionTable = "schema_migrations"

//go:embed migrations
var migrationFiles embed.FS

// ErrNewerSchema means that a newer release of the program migrated the
// database; this one would not understand it.
var ErrNewerSchema = errors.New("the database was written by a newer version of agentserver")

// Migrate brings the schema, the queue's included, to what this program needs.
// Each step is one transaction, so that a killed process leaves a whole step or
// nothing. Only one process at a time migrates; others wait for it. A newer
// schema is refused with [ErrNewerSchema] and left as it is. An existing SQLite
// file with steps to run is copied next to itself first.
func (d *DB) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrationFiles, "migrations/"+string(d.Engine))
	if err != nil {
		return fmt.Errorf("migrating database: %w", err)
	}
	if err := d.migrate(ctx, files); err != nil {
		return fmt.Errorf("migrating database: %w", err)
	}
	return nil
}

func (d *DB) migrate(ctx context.Context, files fs.FS) error {
	unlock, err := d.migrationLock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.createSchema(ctx); err != nil {
		return err
	}
	steps, err := d.goose(files)
	if err != nil {
		return err
	}
	current, err := d.currentVersion(ctx)
	if err != nil {
		return err
	}
	wanted := newest(steps)
	if current > wanted {
		return newerSchema(current, wanted)
	}
	queuePending, err := d.queuePending(ctx)
	if err != nil {
		return err
	}
	if current == wanted && !queuePending {
		return nil
	}
	if d.guest {
		return fmt.Errorf("the database is at version %d and this program needs %d: restart the server that has it with this program first", current, wanted)
	}
	if d.Engine == SQLite && current > 0 {
		if err := d.backup(ctx, current); err != nil {
			return err
		}
	}
	if _, err := steps.Up(ctx); err != nil {
		return err
	}
	return d.migrateQueue(ctx)
}

// SchemaVersion gives the version of the database, 0 when it is empty, and the
// version that this program wants. They are equal after [DB.Migrate].
func (d *DB) SchemaVersion(ctx context.Context) (current, wanted int64, err error) {
	files, err := fs.Sub(migrationFiles, "migrations/"+string(d.Engine))
	if err != nil {
		return 0, 0, fmt.Errorf("reading schema version: %w", err)
	}
	steps, err := d.goose(files)
	if err != nil {
		return 0, 0, fmt.Errorf("reading schema version: %w", err)
	}
	if current, err = d.currentVersion(ctx); err != nil {
		return 0, 0, fmt.Errorf("reading schema version: %w", err)
	}
	return current, newest(steps), nil
}

func (d *DB) goose(files fs.FS) (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	if d.Engine == Postgres {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, d.write, files,
		goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true))
}

// currentVersion reads the version without creating anything.
func (d *DB) currentVersion(ctx context.Context) (int64, error) {
	return d.maxVersion(ctx, versionTable, "version_id")
}

// maxVersion gives the highest version in a table, 0 when there is none.
func (d *DB) maxVersion(ctx context.Context, table, column string) (int64, error) {
	if !d.Write.WithContext(ctx).Migrator().HasTable(table) {
		return 0, ctx.Err()
	}
	var version sql.NullInt64
	err := d.write.QueryRowContext(ctx, "SELECT max("+column+") FROM "+table).Scan(&version)
	return version.Int64, err
}

func newest(steps *goose.Provider) int64 {
	var version int64
	for _, s := range steps.ListSources() {
		version = max(version, s.Version)
	}
	return version
}

func newerSchema(current, wanted int64) error {
	return fmt.Errorf("%w: it is at version %d and this program knows %d; start the newer program, or restore a backup", ErrNewerSchema, current, wanted)
}
