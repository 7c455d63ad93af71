package db_test

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// steps makes migration files out of statements, numbered from 1.
func steps(sql ...string) fstest.MapFS {
	names := []string{"00001_a.sql", "00002_b.sql", "00003_c.sql", "00004_d.sql", "00005_e.sql", "00006_f.sql"}
	files := fstest.MapFS{}
	for i, s := range sql {
		files[names[i]] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + s + "\n")}
	}
	return files
}

func openDir(t *testing.T, dir string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{DataDir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// eachEmpty is dbtest.Each on databases that were not migrated.
func eachEmpty(t *testing.T, fn func(t *testing.T, o db.Options)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, db.Options{DataDir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { fn(t, db.Options{URL: dbtest.PostgresURL(t)}) })
}

func TestMigrate(t *testing.T) {
	eachEmpty(t, func(t *testing.T, o db.Options) {
		ctx := t.Context()
		d, err := db.Open(ctx, o)
		require.NoError(t, err)
		defer func() { require.NoError(t, d.Close()) }()

		current, wanted, err := d.SchemaVersion(ctx)
		require.NoError(t, err)
		require.Zero(t, current)
		require.Positive(t, wanted)

		require.NoError(t, d.Migrate(ctx))
		current, wanted, err = d.SchemaVersion(ctx)
		require.NoError(t, err)
		require.Equal(t, wanted, current)
		for _, table := range []string{"users", "river_job", "river_migration"} {
			require.True(t, d.Read.Migrator().HasTable(table), table)
		}
		require.NoError(t, d.Migrate(ctx), "again")
	})
}

func TestMigrateTogether(t *testing.T) {
	url := dbtest.PostgresURL(t)
	var wg sync.WaitGroup
	for range 4 {
		d, err := db.Open(t.Context(), db.Options{URL: url, MaxConns: 3})
		require.NoError(t, err)
		defer func() { require.NoError(t, d.Close()) }()
		wg.Go(func() {
			if err := d.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestEngineFoldersHaveTheSameFiles(t *testing.T) {
	names := func(engine string) (list []string) {
		entries, err := os.ReadDir(filepath.Join("migrations", engine))
		require.NoError(t, err)
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	require.NotEmpty(t, names("sqlite"))
	require.Equal(t, names("sqlite"), names("postgres"))
}

func TestNewerSchemaIsRefused(t *testing.T) {
	for name, newer := range map[string]string{
		"ours":      "INSERT INTO schema_migrations (version_id, is_applied) VALUES (99999, true)",
		"the queue": "INSERT INTO river_migration (line, version) VALUES ('main', 999)",
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				require.NoError(t, d.Write.Exec(newer).Error)
				err := d.Migrate(t.Context())
				require.ErrorIs(t, err, db.ErrNewerSchema)
				require.ErrorContains(t, err, "999")
			})
		})
	}
}

func TestAFailedStepLeavesNothing(t *testing.T) {
	eachEmpty(t, func(t *testing.T, o db.Options) {
		ctx := t.Context()
		d, err := db.Open(ctx, o)
		require.NoError(t, err)
		defer func() { require.NoError(t, d.Close()) }()
		require.Error(t, d.MigrateFiles(ctx, steps("CREATE TABLE a (x text);", "CREATE TABLE b (x text); INSERT INTO nowhere VALUES (1);")))
		require.True(t, d.Read.Migrator().HasTable("a"))
		require.False(t, d.Read.Migrator().HasTable("b"))
		require.NoError(t, d.MigrateFiles(ctx, steps("CREATE TABLE a (x text);", "CREATE TABLE b (x text);")))
		require.True(t, d.Read.Migrator().HasTable("b"))
	})
}

func TestBackups(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	ctx := t.Context()
	backups := func() (list []string) {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			if strings.Contains(e.Name(), ".bak-") {
				list = append(list, e.Name())
			}
		}
		return list
	}
	sql := []string{"CREATE TABLE a (x text); INSERT INTO a VALUES ('kept');"}
	require.NoError(t, d.MigrateFiles(ctx, steps(sql...)))
	require.Empty(t, backups(), "a new file has nothing to keep")
	require.NoError(t, d.MigrateFiles(ctx, steps(sql...)))
	require.Empty(t, backups(), "nothing to migrate")

	// Left by a process that was killed while it copied.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "agentserver.db.bak-unfinished"), []byte("half"), 0o600))
	for _, more := range []string{"DELETE FROM a;", "SELECT 1;", "SELECT 2;", "SELECT 3;"} {
		sql = append(sql, more)
		require.NoError(t, d.MigrateFiles(ctx, steps(sql...)))
		time.Sleep(2 * time.Millisecond) // names hold milliseconds
	}
	list := backups()
	require.Len(t, list, 3, "only the newest stay")
	for i, version := range []string{"v2", "v3", "v4"} {
		require.Regexp(t, `^agentserver\.db\.bak-`+version+`-\d{8}T\d{6}\.\d{3}Z$`, list[i])
	}
}

func TestABackupIsTheFileFromBefore(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	create := "CREATE TABLE a (x text); INSERT INTO a VALUES ('kept');"
	require.NoError(t, d.MigrateFiles(t.Context(), steps(create)))
	require.NoError(t, d.MigrateFiles(t.Context(), steps(create, "DROP TABLE a;")))
	found, err := filepath.Glob(filepath.Join(dir, "agentserver.db.bak-v1-*"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	info, err := os.Stat(found[0])
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	copied, err := sql.Open("sqlite", found[0])
	require.NoError(t, err)
	defer func() { require.NoError(t, copied.Close()) }()
	var x string
	require.NoError(t, copied.QueryRow("SELECT x FROM a").Scan(&x))
	require.Equal(t, "kept", x)
}
