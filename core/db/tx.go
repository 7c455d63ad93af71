package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// txTries is how often a transaction is run on Postgres before its
// serialization failure or deadlock is given back.
const txTries = 5

// Tx runs fn in a write transaction and commits when fn returns nil. On SQLite
// the transaction takes the write lock at its start. On Postgres fn runs again,
// up to five times, when the server ended the transaction because of a deadlock
// or a serialization failure; so fn must not have effects outside tx.
func (d *DB) Tx(ctx context.Context, fn func(tx *gorm.DB) error) error {
	for try := 1; ; try++ {
		err := d.Write.WithContext(ctx).Transaction(fn)
		if err == nil || try == txTries || !retryable(err) {
			return err
		}
		pause := time.Duration(try) * time.Duration(5+rand.IntN(20)) * time.Millisecond //nolint:gosec // spreads retries, keeps no secret
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// retryable reports whether Postgres undid a transaction that may well succeed
// when it is run again.
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// SQLTx gives the database/sql transaction under a transaction of [DB.Tx], for
// libraries that take one, such as the queue.
func SQLTx(tx *gorm.DB) (*sql.Tx, error) {
	pool := tx.Statement.ConnPool
	if prepared, ok := pool.(*gorm.PreparedStmtTX); ok {
		pool = prepared.Tx
	}
	if t, ok := pool.(*sql.Tx); ok {
		return t, nil
	}
	return nil, fmt.Errorf("finding the transaction: the handle is not inside one (%T)", pool)
}
