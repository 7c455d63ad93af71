package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gocloud.dev/blob"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

// maxPath bounds the path of a file, in bytes.
const maxPath = 1024

// NewFile says what is to be kept.
type NewFile struct {
	UserID string
	// Path is where the file stands in the workspace: absolute, and clean.
	Path string
	// Overwrite replaces the file at the path. Beside, when set, puts a number
	// into the name instead, until it is free. Without either, a path that is
	// taken is an error of kind Conflict.
	Overwrite, Beside bool
	// Expires, when set, is when the file goes by itself.
	Expires time.Time
}

// Save keeps a local file. Errors are of kind Conflict for a path that is taken,
// TooLarge when the workspace is full, and Invalid for a virus.
func (s *Service) Save(ctx context.Context, f NewFile, local *core.LocalFile) (*File, error) {
	if len(f.Path) > maxPath || !strings.HasPrefix(f.Path, "/") || path.Clean(f.Path) != f.Path || f.Path == "/" {
		return nil, core.Errorf(core.Invalid, "a file's path is absolute, without . or .., and of %d bytes at most", maxPath)
	}
	if err := s.scanner.Scan(ctx, local.Path); err != nil {
		return nil, err
	}
	now := db.Now()
	r := &fileRow{
		ID: uuid.NewString(), UserID: f.UserID, Path: f.Path, Name: path.Base(f.Path), MimeType: local.MIME, SizeBytes: local.Size,
		State: writing, ExpiresAt: db.At(f.Expires), CreatedAt: now, UpdatedAt: now,
	}
	if r.MimeType == "" {
		r.MimeType = "application/octet-stream"
	}
	if err := s.reserve(ctx, r); err != nil {
		return nil, err
	}
	replaced, err := s.fill(ctx, f, r, local.Path)
	if err != nil {
		s.undo(ctx, r)
		return nil, err
	}
	if replaced != nil {
		s.undo(ctx, replaced)
	}
	return r.file(), nil
}

// Check looks for viruses in a file that is not going to be kept.
func (s *Service) Check(ctx context.Context, local *core.LocalFile) error {
	return s.scanner.Scan(ctx, local.Path)
}

// reserve takes the file's size from the workspace and makes its row.
func (s *Service) reserve(ctx context.Context, r *fileRow) error {
	fits := false
	err := s.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		if err := lockSpace(tx, r.UserID); err != nil {
			return err
		}
		if fits, err = take(tx, r.UserID, r.SizeBytes, s.maxStorage); err != nil || !fits {
			return err
		}
		return tx.Create(r).Error
	})
	switch {
	case err != nil:
		return fmt.Errorf("adding a file: %w", err)
	case !fits:
		return s.full(ctx, r.UserID)
	}
	return nil
}

// full is the error for a workspace without room.
func (s *Service) full(ctx context.Context, userID string) error {
	u, err := s.Usage(ctx, userID)
	if err != nil {
		return err
	}
	e := core.PlainErrorf(core.TooLarge, "Storage limit exceeded: %d of %d bytes are used", u.UsedBytes, u.LimitBytes)
	e.Detail = map[string]any{
		"message": "Storage limit exceeded", "used_bytes": u.UsedBytes, "limit_bytes": u.LimitBytes, "used_percent": u.UsedPercent,
	}
	return e
}

// fill writes the object and makes the file visible. It gives the file that was
// replaced, which remains to be removed.
func (s *Service) fill(ctx context.Context, f NewFile, r *fileRow, from string) (replaced *fileRow, err error) {
	if r.Checksum, err = s.upload(ctx, r, from); err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		if err := lockSpace(tx, r.UserID); err != nil {
			return err
		}
		if replaced, err = s.makeRoom(tx, f, r); err != nil {
			return err
		}
		res := tx.Model(&fileRow{}).Where("id = ? AND state = ?", r.ID, writing).
			Updates(map[string]any{"state": live, "path": r.Path, "name": r.Name, "checksum": r.Checksum, "updated_at": db.Now()})
		if res.Error == nil && res.RowsAffected == 0 {
			return core.Errorf(core.Unavailable, "the file was given up before it was written")
		}
		return res.Error
	})
	var known *core.Error
	if err != nil && !errors.As(err, &known) {
		return nil, fmt.Errorf("adding a file: %w", err)
	}
	return replaced, err
}

// makeRoom settles who has the path. It gives the file that has to go.
func (s *Service) makeRoom(tx *gorm.DB, f NewFile, r *fileRow) (replaced *fileRow, err error) {
	r.Path, r.Name = f.Path, path.Base(f.Path)
	for n := 2; ; n++ {
		var there []fileRow
		if err := tx.Where("user_id = ? AND path = ? AND state = ?", r.UserID, r.Path, live).Limit(1).Find(&there).Error; err != nil {
			return nil, err
		}
		switch {
		case len(there) == 0:
			return nil, nil
		case f.Overwrite:
			return &there[0], giveBack(tx, &there[0])
		case !f.Beside:
			return nil, core.PlainErrorf(core.Conflict, "File already exists at path: %s", f.Path)
		}
		ext := path.Ext(f.Path)
		r.Path = strings.TrimSuffix(f.Path, ext) + "-" + strconv.Itoa(n) + ext
		r.Name = path.Base(r.Path)
	}
}

// upload writes a file's object and gives its SHA-256.
func (s *Service) upload(ctx context.Context, r *fileRow, from string) (string, error) {
	in, err := os.Open(from)
	if err != nil {
		return "", fmt.Errorf("reading a file: %w", err)
	}
	defer func() { _ = in.Close() }()
	// Ending the context before Close is how a write is given up.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := s.bucket.NewWriter(ctx, r.key(), &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return "", fmt.Errorf("writing file %s to the bucket: %w", r.ID, err)
	}
	sum := sha256.New()
	n, err := io.Copy(out, io.TeeReader(in, sum))
	if err == nil && n != r.SizeBytes {
		err = fmt.Errorf("it has %d bytes in place of %d", n, r.SizeBytes)
	}
	if err != nil {
		cancel()
	}
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", fmt.Errorf("writing file %s to the bucket: %w", r.ID, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
