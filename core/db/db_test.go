package db_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// row has one column of each kind that the conventions name.
type row struct {
	ID        string `gorm:"primaryKey"`
	OwnerID   *string
	Data      db.JSON[map[string]any]
	CreatedAt db.Time
	UpdatedAt time.Time
	DoneAt    db.Time
}

func (row) TableName() string { return "rows" }

// withRows adds the table of row to a database.
func withRows(t *testing.T, d *db.DB) {
	t.Helper()
	timeType := map[db.Engine]string{db.SQLite: "datetime", db.Postgres: "timestamptz(3)"}[d.Engine]
	require.NoError(t, d.Write.Exec(`CREATE TABLE rows (id text PRIMARY KEY, owner_id text REFERENCES rows(id),
		data text, created_at `+timeType+`, updated_at `+timeType+`, done_at `+timeType+`)`).Error)
}

func TestRowsRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		withRows(t, d)
		at := db.At(time.Date(2025, 6, 1, 12, 0, 0, 345_678_901, time.FixedZone("", 7200)))
		in := row{ID: "a", Data: db.AsJSON(map[string]any{"x": "y\x00"}), DoneAt: at}
		require.NoError(t, d.Write.Create(&in).Error)
		require.NoError(t, d.Write.Create(&row{ID: "b"}).Error)

		var out row
		require.NoError(t, d.Read.First(&out, "id = ?", "a").Error)
		require.Equal(t, map[string]any{"x": "y"}, out.Data.V)
		require.Equal(t, at, out.DoneAt)
		require.Equal(t, "2025-06-01T10:00:00.345Z", out.DoneAt.String())
		require.Equal(t, in.CreatedAt, out.CreatedAt, "filled in by gorm")
		require.False(t, out.CreatedAt.IsZero())
		require.Equal(t, in.UpdatedAt, out.UpdatedAt, "a plain time.Time is UTC with milliseconds too")

		var empty row
		require.NoError(t, d.Read.First(&empty, "data IS NULL AND done_at IS NULL").Error)
		require.Equal(t, "b", empty.ID)
		require.Nil(t, empty.Data.V)
		require.True(t, empty.DoneAt.IsZero())

		var newest db.Time
		require.NoError(t, d.Read.Raw("SELECT max(done_at) FROM rows").Scan(&newest).Error)
		require.Equal(t, at, newest, "expressions have no declared type on SQLite")
	})
}

func TestTimesSort(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		withRows(t, d)
		base := time.Date(2025, 6, 1, 12, 0, 0, 0, time.FixedZone("", -3600))
		for id, ms := range map[string]int{"a": 0, "b": 5, "c": 50, "d": 500, "e": 510, "f": 1000} {
			at := db.At(base.Add(time.Duration(ms) * time.Millisecond))
			require.NoError(t, d.Write.Create(&row{ID: id, DoneAt: at}).Error)
		}
		var ids []string
		limit := db.At(base.Add(50 * time.Millisecond))
		require.NoError(t, d.Read.Model(&row{}).Where("done_at >= ?", limit).Order("done_at").Pluck("id", &ids).Error)
		require.Equal(t, []string{"c", "d", "e", "f"}, ids)
	})
}

func TestErrorsAreTranslated(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		withRows(t, d)
		require.NoError(t, d.Write.Create(&row{ID: "a"}).Error)
		require.ErrorIs(t, d.Write.Create(&row{ID: "a"}).Error, gorm.ErrDuplicatedKey)
		nobody := "nobody"
		require.ErrorIs(t, d.Write.Create(&row{ID: "b", OwnerID: &nobody}).Error, gorm.ErrForeignKeyViolated)
	})
}

func TestTx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		withRows(t, d)
		ctx := t.Context()
		boom := errors.New("boom")
		require.ErrorIs(t, d.Tx(ctx, func(tx *gorm.DB) error {
			require.NoError(t, tx.Create(&row{ID: "undone"}).Error)
			return boom
		}), boom)
		require.NoError(t, d.Tx(ctx, func(tx *gorm.DB) error {
			raw, err := db.SQLTx(tx)
			require.NoError(t, err)
			_, err = raw.ExecContext(ctx, "INSERT INTO rows (id) VALUES ('done')")
			return err
		}))
		var ids []string
		require.NoError(t, d.Read.Model(&row{}).Pluck("id", &ids).Error)
		require.Equal(t, []string{"done"}, ids)

		_, err := db.SQLTx(d.Write)
		require.Error(t, err)
	})
}

// Two transactions take the same two rows in opposite order, so Postgres has to
// end one of them.
func TestTxSurvivesDeadlock(t *testing.T) {
	d := dbtest.Postgres(t)
	withRows(t, d)
	require.NoError(t, d.Write.Create([]row{{ID: "a"}, {ID: "b"}}).Error)
	touch := func(tx *gorm.DB, id string) error {
		return tx.Exec("UPDATE rows SET data = coalesce(data, '') || 'x' WHERE id = ?", id).Error
	}
	holding := make(chan struct{}, 20)
	swap := func(first, second string) func() error {
		tries := 0
		return func() error {
			return d.Tx(t.Context(), func(tx *gorm.DB) error {
				if err := touch(tx, first); err != nil {
					return err
				}
				if tries++; tries == 1 { // wait until the other has its first row too
					holding <- struct{}{}
					for len(holding) < 2 {
						time.Sleep(time.Millisecond)
					}
				}
				return touch(tx, second)
			})
		}
	}
	result := make(chan error, 2)
	for _, f := range []func() error{swap("a", "b"), swap("b", "a")} {
		go func() { result <- f() }()
	}
	require.NoError(t, <-result)
	require.NoError(t, <-result)
	var sum int
	require.NoError(t, d.Read.Raw("SELECT sum(length(data)) FROM rows").Scan(&sum).Error)
	require.Equal(t, 4, sum)
}

func TestReadHandleRefusesWrites(t *testing.T) {
	d := dbtest.SQLite(t)
	withRows(t, d)
	require.ErrorContains(t, d.Read.Create(&row{ID: "a"}).Error, "readonly")
}

func TestReadsGoOnDuringAWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		withRows(t, d)
		require.NoError(t, d.Tx(t.Context(), func(tx *gorm.DB) error {
			require.NoError(t, tx.Create(&row{ID: "a"}).Error)
			var n int64
			require.NoError(t, d.Read.Model(&row{}).Count(&n).Error)
			require.Zero(t, n, "not committed yet")
			return nil
		}))
		var n int64
		require.NoError(t, d.Read.Model(&row{}).Count(&n).Error)
		require.EqualValues(t, 1, n)
	})
}

func TestSQLiteSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a folder?", "data")
	d, err := db.Open(t.Context(), db.Options{DataDir: dir})
	require.NoError(t, err)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000",
	} {
		for _, handle := range []*gorm.DB{d.Write, d.Read} {
			var got string
			require.NoError(t, handle.Raw("PRAGMA "+pragma).Scan(&got).Error)
			require.Equal(t, want, got, pragma)
		}
	}
	require.NoError(t, d.Ping(t.Context()))
	require.Equal(t, filepath.Join(dir, "agentserver.db"), d.Path())
	for path, want := range map[string]os.FileMode{dir: 0o700, d.Path(): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), path)
	}
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	require.Error(t, d.Ping(t.Context()))
}

func TestDataFolderHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	first, err := db.Open(t.Context(), db.Options{DataDir: dir})
	require.NoError(t, err)
	_, err = db.Open(t.Context(), db.Options{DataDir: dir})
	require.ErrorIs(t, err, db.ErrLocked)
	var locked *db.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, os.Getpid(), locked.PID)
	require.Contains(t, err.Error(), "data folder "+dir+" is in use by another agentserver process (pid ")
	require.NoError(t, first.Close())
	again, err := db.Open(t.Context(), db.Options{DataDir: dir})
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

// A command may work in the data folder of a running server.
func TestGuest(t *testing.T) {
	owner := dbtest.SQLite(t)
	require.False(t, owner.Guest())
	guest, err := db.Open(t.Context(), db.Options{DataDir: filepath.Dir(owner.Path()), Guest: true})
	require.NoError(t, err)
	require.True(t, guest.Guest())
	require.NoError(t, guest.Migrate(t.Context()))
	require.NoError(t, owner.Write.Exec("CREATE TABLE shared (n integer)").Error)
	require.NoError(t, guest.Write.Exec("INSERT INTO shared VALUES (7)").Error)
	var n int
	require.NoError(t, owner.Read.Raw("SELECT n FROM shared").Scan(&n).Error)
	require.Equal(t, 7, n)
	require.NoError(t, owner.Write.Exec("DELETE FROM schema_migrations WHERE version_id > 3").Error)
	require.ErrorContains(t, guest.Migrate(t.Context()), "restart the server that has it with this program first")
	require.NoError(t, guest.Close())
	_, err = db.Open(t.Context(), db.Options{DataDir: filepath.Dir(owner.Path())})
	require.ErrorIs(t, err, db.ErrLocked, "the folder is still the owner's")

	alone, err := db.Open(t.Context(), db.Options{DataDir: t.TempDir(), Guest: true})
	require.NoError(t, err)
	require.False(t, alone.Guest(), "without an owner it becomes one")
	require.NoError(t, alone.Migrate(t.Context()))
	require.NoError(t, alone.Close())
}

func TestOpenErrors(t *testing.T) {
	for name, c := range map[string]struct{ url, want string }{
		"another database": {"mysql://u:hunter2@h/d", "must start with postgres://"},
		"nothing set":      {"", "neither a URL nor a data folder"},
		"broken URL":       {"postgres://u:hunter2@h:port/d", "reading the Postgres URL"},
		"broken escape":    {"postgres://u:hunter2%zz@h/d", "reading the Postgres URL"},
		"broken setting":   {"postgres://u:hunter2@h/d?sslmode=maybe", "sslmode"},
		"nobody listens":   {"postgres://u:hunter2@127.0.0.1:1/d?connect_timeout=1", `connecting to Postgres at 127.0.0.1:1, database "d", as "u"`},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := db.Open(ctx, db.Options{URL: c.url})
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestPostgresSettings(t *testing.T) {
	d := dbtest.Postgres(t)
	for setting, want := range map[string]string{"application_name": "agentserver", "search_path": `"` + schemaOf(t, d) + `"`} {
		var got string
		require.NoError(t, d.Read.Raw("SHOW "+setting).Scan(&got).Error)
		require.Equal(t, want, got)
	}
	require.Same(t, d.Write, d.Read)
	require.NotNil(t, d.Pool)
	require.EqualValues(t, 8, d.Pool.Config().MaxConns)
	var at sql.NullTime
	require.NoError(t, d.SQL().QueryRow("SELECT now()").Scan(&at))
	require.Equal(t, time.UTC, at.Time.Location())
}

func schemaOf(t *testing.T, d *db.DB) string {
	t.Helper()
	var s string
	require.NoError(t, d.Read.Raw("SELECT current_schema()").Scan(&s).Error)
	return s
}
