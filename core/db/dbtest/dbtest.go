// Package dbtest gives tests a fresh, migrated database of every engine.
package dbtest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
)

// Each runs fn as a subtest on a new SQLite file, and on a new schema of the
// Postgres server that TEST_POSTGRES_URL names; without it, the second subtest
// is skipped.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite gives a new migrated SQLite database that goes when the test ends.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	template, err := migratedFile()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "agentserver.db"), template, 0o600))
	return open(t, db.Options{DataDir: dir})
}

// Postgres gives a new migrated schema that goes when the test ends, or skips
// the test when TEST_POSTGRES_URL is not set.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	d := open(t, db.Options{URL: PostgresURL(t), MaxConns: 8})
	require.NoError(t, d.Migrate(t.Context()))
	return d
}

// PostgresURL gives the address of a schema that does not exist yet and goes
// when the test ends, or skips the test when TEST_POSTGRES_URL is not set.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base := os.Getenv("TEST_POSTGRES_URL")
	if base == "" {
		t.Skip("TEST_POSTGRES_URL is not set, so Postgres is not tested")
	}
	u, err := url.Parse(base)
	require.NoError(t, err)
	schema := "test_" + strings.ToLower(rand.Text())
	q := u.Query()
	q.Set("schema", schema)
	u.RawQuery = q.Encode()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		d, err := db.Open(ctx, db.Options{URL: base, Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		require.NoError(t, d.Write.Exec("DROP SCHEMA IF EXISTS "+schema+" CASCADE").Error)
		require.NoError(t, d.Close())
	})
	return u.String()
}

func open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	d, err := db.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// migratedFile gives the bytes of a migrated SQLite file. Migrating once per
// test binary and copying keeps tests fast.
var migratedFile = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "agentserver-dbtest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	path := d.Path()
	// The last connection to close moves the write-ahead log into the file.
	if err := d.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
