package workspace

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"agentserver/core"
	"agentserver/core/db"
)

// DefaultMaxStorage is what a workspace may hold, in bytes.
const DefaultMaxStorage = 500 << 20

// Deps are what the service works with.
type Deps struct {
	DB     *db.DB
	Bucket *blob.Bucket
	Log    *slog.Logger
	// Scanner looks for viruses; nil looks for none.
	Scanner *Scanner
	// MaxStorage bounds a workspace, in bytes; 0 is the default.
	MaxStorage int64
}

// Service keeps the files of users.
type Service struct {
	db         *db.DB
	bucket     *blob.Bucket
	log        *slog.Logger
	scanner    *Scanner
	maxStorage int64
}

// NewService makes the service.
func NewService(d Deps) *Service {
	if d.MaxStorage <= 0 {
		d.MaxStorage = DefaultMaxStorage
	}
	return &Service{db: d.DB, bucket: d.Bucket, log: d.Log, scanner: d.Scanner, maxStorage: d.MaxStorage}
}

// File is a file of a workspace.
type File struct {
	ID   string `json:"file_id"`
	Name string `json:"name"`
	Path string `json:"path"`
	MIME string `json:"mime_type"`
	Size int64  `json:"size_bytes"`
}

// Reference is how blocks and clients name the file.
func (f *File) Reference() string { return "workspace://" + f.ID + "#" + f.MIME }

// Get gives a user's file; an error of kind NotFound when there is none.
func (s *Service) Get(ctx context.Context, userID, id string) (*File, error) {
	r, err := s.find(ctx, userID, "id = ?", id)
	if err != nil {
		return nil, err
	}
	return r.file(), nil
}

// Open gives a user's file and its content, which the caller closes.
func (s *Service) Open(ctx context.Context, userID, id string) (*File, io.ReadCloser, error) {
	r, err := s.find(ctx, userID, "id = ?", id)
	if err != nil {
		return nil, nil, err
	}
	return s.open(ctx, r)
}

// OpenPath is Open by path.
func (s *Service) OpenPath(ctx context.Context, userID, path string) (*File, io.ReadCloser, error) {
	r, err := s.find(ctx, userID, "path = ?", path)
	if err != nil {
		return nil, nil, err
	}
	return s.open(ctx, r)
}

func (s *Service) open(ctx context.Context, r *fileRow) (*File, io.ReadCloser, error) {
	body, err := s.bucket.NewReader(ctx, r.key(), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		s.log.ErrorContext(ctx, "the content of a file is missing in the bucket", "file", r.ID, "key", r.key())
		return nil, nil, core.PlainErrorf(core.NotFound, "File not found")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading file %s: %w", r.ID, err)
	}
	return r.file(), body, nil
}

// Usage is what a workspace holds.
type Usage struct {
	UsedBytes  int64 `json:"used_bytes"`
	LimitBytes int64 `json:"limit_bytes"`
	// UsedPercent has one decimal.
	UsedPercent float64 `json:"used_percent"`
	FileCount   int     `json:"file_count"`
}

// Usage gives what a user's workspace holds.
func (s *Service) Usage(ctx context.Context, userID string) (Usage, error) {
	var rows []spaceRow
	err := s.db.Read.WithContext(ctx).Where("user_id = ?", userID).Limit(1).Find(&rows).Error
	if err != nil {
		return Usage{}, fmt.Errorf("reading the usage of a workspace: %w", err)
	}
	u := Usage{LimitBytes: s.maxStorage}
	if len(rows) == 1 {
		u.UsedBytes, u.FileCount = rows[0].UsedBytes, rows[0].FileCount
	}
	u.UsedPercent = math.Round(float64(u.UsedBytes)/float64(u.LimitBytes)*1000) / 10
	return u, nil
}

// Start sweeps until ctx ends.
func (s *Service) Start(ctx context.Context) {
	go func() {
		for {
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "files could not be swept; it is tried again", "error", err)
			}
			select {
			case <-time.After(sweepEvery):
			case <-ctx.Done():
				return
			}
		}
	}()
}
