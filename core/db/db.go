package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// Engine is the kind of database.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Options say which database to open.
type Options struct {
	// URL is a postgres:// address. Empty means SQLite in DataDir. Its query
	// may name a schema ("?schema=platform"), which becomes the search path.
	URL string
	// DataDir is the folder of the SQLite file, created when missing. It is not
	// used with Postgres.
	DataDir string
	// MaxConns bounds the connections of this process: all of them on Postgres
	// (0 means 20, at least 3), those that read on SQLite (0 means one per
	// processor, at least 4).
	MaxConns int
	// Log receives warnings about slow statements; nil means slog.Default.
	Log *slog.Logger
	// Guest opens a SQLite file even while another process owns the data folder,
	// for a command that reads or writes a few rows beside the server. A guest
	// does not migrate.
	Guest bool
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	// Write reads and writes; see the package comment before using it inside a
	// transaction.
	Write *gorm.DB
	// Read only reads; on Postgres it is Write.
	Read *gorm.DB
	// Engine is the kind of database.
	Engine Engine
	// Pool is the pool under Write on Postgres, for listeners and bulk copies;
	// nil on SQLite.
	Pool *pgxpool.Pool

	log    *slog.Logger
	write  *sql.DB
	read   *sql.DB
	schema string // Postgres: the schema named in the URL, or ""
	path   string // SQLite: the file
	lock   *folderLock
	guest  bool // another process owns the data folder
}

// Open connects to the database without migrating it. With SQLite it also takes
// the data folder for this process: the error is a [LockedError] when another
// process has it. A Postgres server that does not answer is tried for about ten
// seconds; errors are one line and never show the password.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.URL == "":
		return openSQLite(ctx, o)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		return openPostgres(ctx, o)
	default:
		return nil, errors.New("opening database: the URL must start with postgres://, or be empty for SQLite in the data folder")
	}
}

// SQL gives the handle under Write.
func (d *DB) SQL() *sql.DB { return d.write }

// Guest reports whether another process owns the data folder: a running server,
// which does the jobs that this process adds.
func (d *DB) Guest() bool { return d.guest }

// Path gives the SQLite file, or "" on Postgres.
func (d *DB) Path() string { return d.path }

// Ping asks the database for an answer over both handles.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.write.PingContext(ctx); err != nil {
		return fmt.Errorf("reaching database: %w", err)
	}
	var one int
	if err := d.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("reaching database: %w", err)
	}
	return nil
}

// Close waits for running statements, closes every connection and gives the
// data folder back. A second call does nothing.
func (d *DB) Close() error {
	var errs []error
	if d.read != d.write {
		errs = append(errs, d.read.Close())
	}
	errs = append(errs, d.write.Close())
	if d.Pool != nil {
		d.Pool.Close()
	}
	if d.lock != nil {
		errs = append(errs, d.lock.release())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing database: %w", err)
	}
	return nil
}

// gormConfig is shared by both engines.
//
// PrepareStmt stays off: pgx already keeps prepared statements per connection,
// and the SQLite driver compiles a statement on every use either way, so a
// second cache would only cost a lock and memory.
func gormConfig(log *slog.Logger) *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		TranslateError:         true,
		Logger:                 statementLog{log: log},
		NowFunc:                func() time.Time { return Now().Time },
	}
}
