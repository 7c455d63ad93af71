package db

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keptBackups is how many copies from before migrations stay.
const keptBackups = 3

// backup copies the SQLite file as it is before a migration from version, to
// <file>.bak-v<version>-<time>, and removes all but the newest copies.
func (d *DB) backup(ctx context.Context, version int64) error {
	// Written under another name first: a kill must not leave half a copy that
	// looks like a whole one.
	temp := d.path + ".bak-unfinished"
	if err := os.RemoveAll(temp); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	// Made here, because SQLite would let others read it. It fills empty files.
	if err := os.WriteFile(temp, nil, 0o600); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	if _, err := d.write.ExecContext(ctx, "VACUUM INTO ?", temp); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("backing up: %w", err)
	}
	stamp := time.Now().UTC().Format("20060102T150405.000Z")
	path := fmt.Sprintf("%s.bak-v%d-%s", d.path, version, stamp)
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	d.log.InfoContext(ctx, "copied the database before migrating it", "copy", path)
	return d.dropBackups()
}

func (d *DB) dropBackups() error {
	dir, name := filepath.Split(d.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("listing backups: %w", err)
	}
	var found []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name+".bak-v") {
			found = append(found, e.Name())
		}
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(stampOf(b), stampOf(a)) })
	for _, old := range found[min(len(found), keptBackups):] {
		if err := os.Remove(filepath.Join(dir, old)); err != nil {
			return fmt.Errorf("removing an old backup: %w", err)
		}
	}
	return nil
}

// stampOf gives the time in a backup's name, which sorts as text.
func stampOf(name string) string { return name[strings.LastIndexByte(name, '-')+1:] }
