package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// sqliteFile is the name of the database in the data folder.
const sqliteFile = "agentserver.db"

func openSQLite(ctx context.Context, o Options) (*DB, error) {
	if o.DataDir == "" {
		return nil, errors.New("opening database: neither a URL nor a data folder is set")
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("creating data folder: %w", err)
	}
	lock, err := lockFolder(o.DataDir)
	if err != nil && !(o.Guest && errors.Is(err, ErrLocked)) {
		return nil, err
	}
	d, err := openSQLiteFile(ctx, o)
	if err != nil {
		if lock != nil {
			_ = lock.release()
		}
		return nil, fmt.Errorf("opening database in %s: %w", o.DataDir, err)
	}
	d.lock = lock
	d.guest = lock == nil
	return d, nil
}

func openSQLiteFile(ctx context.Context, o Options) (_ *DB, err error) {
	if err := addFunctions(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(o.DataDir, sqliteFile))
	if err != nil {
		return nil, err
	}
	// Created here, because SQLite would let others read it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}

	d := &DB{Engine: SQLite, log: o.Log, path: path}
	defer func() {
		if err != nil {
			closeAll(d.write, d.read)
		}
	}()
	if d.write, err = sql.Open(sqlite.DriverName, sqliteDSN(path, false)); err != nil {
		return nil, err
	}
	d.write.SetMaxOpenConns(1)
	d.write.SetMaxIdleConns(1)
	// The writer connects first: it puts a new file into WAL mode, which those
	// that only read could not.
	if err := d.write.PingContext(ctx); err != nil {
		return nil, err
	}
	if d.read, err = sql.Open(sqlite.DriverName, sqliteDSN(path, true)); err != nil {
		return nil, err
	}
	readers := o.MaxConns
	if readers <= 0 {
		readers = max(4, runtime.NumCPU())
	}
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)

	if d.Write, err = gorm.Open(&sqlite.Dialector{Conn: d.write}, gormConfig(o.Log)); err != nil {
		return nil, err
	}
	if d.Read, err = gorm.Open(&sqlite.Dialector{Conn: d.read}, gormConfig(o.Log)); err != nil {
		return nil, err
	}
	return d, nil
}

// sqliteDSN names the file and what every connection sets first. The driver's
// _time_format must not be added: it makes the driver ignore _txlock.
func sqliteDSN(path string, readOnly bool) string {
	q := url.Values{"_pragma": {
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(1)",
		// Gives the disk back after a burst of writes.
		"journal_size_limit(67108864)",
	}}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

func closeAll(handles ...*sql.DB) {
	for _, h := range handles {
		if h != nil {
			_ = h.Close()
		}
	}
}
