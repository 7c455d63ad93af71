package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// migrationLock makes sure that one process at a time migrates. On SQLite the
// data folder's lock does; on Postgres a session lock that belongs to the
// schema, which the server drops when the connection ends.
func (d *DB) migrationLock(ctx context.Context) (unlock func(), err error) {
	if d.Engine == SQLite {
		return func() {}, nil
	}
	conn, err := d.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	key := "agentserver migration of schema " + d.schema
	var got bool
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key).Scan(&got)
	if err == nil && !got {
		d.log.InfoContext(ctx, "waiting for another process to migrate the database")
		_, err = conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", key)
	}
	if err != nil {
		conn.Release()
		return nil, fmt.Errorf("locking: %w", err)
	}
	return func() {
		// The context may have ended; the lock must go all the same.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock(hashtextextended($1, 0))", key); err != nil {
			_ = conn.Conn().Close(ctx)
		}
		conn.Release()
	}, nil
}

// createSchema makes the schema that the URL names when it is missing.
func (d *DB) createSchema(ctx context.Context) error {
	if d.schema == "" {
		return nil
	}
	var found bool
	err := d.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", d.schema).Scan(&found)
	if err == nil && !found {
		_, err = d.Pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{d.schema}.Sanitize())
	}
	if err != nil {
		return fmt.Errorf("creating schema %q: %w", d.schema, err)
	}
	return nil
}
