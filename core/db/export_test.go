package db

import (
	"context"
	"io/fs"
)

// MigrateFiles runs Migrate with other files, for the tests.
func (d *DB) MigrateFiles(ctx context.Context, files fs.FS) error { return d.migrate(ctx, files) }
