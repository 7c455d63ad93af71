package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"slices"
	"strings"

	"agentserver/core"
	"agentserver/core/db"
)

// importRow is a user of an AutoGPT Platform. A row that cannot be read has a
// problem and nothing else.
type importRow struct {
	userID, integrations string
	problem              string
}

// importRows gives one row at a time. An error is the last of them.
type importRows iter.Seq2[importRow, error]

// openImportSource opens what the flags name.
func openImportSource(ctx context.Context, stdin io.Reader, o importOptions) (rows importRows, closeSource func() error, err error) {
	switch {
	case o.from != "":
		return openImportDatabase(ctx, o.from)
	case o.file == "-":
		return csvRows(stdin), func() error { return nil }, nil
	case o.file == "":
		return nil, nil, core.Errorf(core.Invalid, "--file and --from are empty")
	}
	file, err := os.Open(o.file)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the CSV file: %w", err)
	}
	return csvRows(file), file.Close, nil
}

// csvRows reads a CSV file whose header has the columns id and integrations, in
// any order and among others.
func csvRows(r io.Reader) importRows {
	return func(yield func(importRow, error) bool) {
		in := csv.NewReader(withoutMark(r))
		in.ReuseRecord = true
		header, err := in.Read()
		if err != nil && !errors.Is(err, io.EOF) {
			yield(importRow{}, fmt.Errorf("reading the header of the CSV file: %w", err))
			return
		}
		id, integrations := slices.Index(header, "id"), slices.Index(header, "integrations")
		if id < 0 || integrations < 0 {
			yield(importRow{}, core.Errorf(core.Invalid, "the first line of the CSV file does not name the columns id and integrations"))
			return
		}
		for {
			record, err := in.Read()
			var damaged *csv.ParseError
			var row importRow
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.As(err, &damaged):
				row.problem = fmt.Sprintf("line %d of the CSV file: %v", damaged.StartLine, damaged.Err)
			case err != nil:
				yield(importRow{}, fmt.Errorf("reading the CSV file: %w", err))
				return
			default:
				row.userID, row.integrations = record[id], record[integrations]
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// withoutMark drops the byte order mark that some programs write.
func withoutMark(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\uFEFF" {
		_, _ = b.Discard(len(mark))
	}
	return b
}

// openImportDatabase reads the table of users in the Postgres database of an
// AutoGPT Platform, and changes nothing there.
func openImportDatabase(ctx context.Context, address string) (importRows, func() error, error) {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return nil, nil, core.Errorf(core.Invalid, "--from needs an address that starts with postgres://")
	}
	d, err := db.Open(ctx, db.Options{URL: address, MaxConns: 3, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, fmt.Errorf("--from: %w", err)
	}
	return databaseRows(ctx, d), d.Close, nil
}

func databaseRows(ctx context.Context, d *db.DB) importRows {
	return func(yield func(importRow, error) bool) {
		ended := false
		err := eachUser(ctx, d, func(row importRow) bool {
			ended = !yield(row, nil)
			return !ended
		})
		if err != nil && !ended {
			yield(importRow{}, fmt.Errorf("reading the table of users: %w", err))
		}
	}
}

// eachUser calls fn for each row, as they arrive, until it gives false.
func eachUser(ctx context.Context, d *db.DB, fn func(importRow) bool) (err error) {
	tx, err := d.SQL().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was changed
	rows, err := tx.QueryContext(ctx, `SELECT id::text, coalesce(integrations, '') FROM "User" ORDER BY id`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var row importRow
		if err := rows.Scan(&row.userID, &row.integrations); err != nil {
			return err
		}
		if !fn(row) {
			return nil
		}
	}
	return rows.Err()
}
