package account

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"agentserver/core"
)

// DeletionFilter chooses a page of deletions. Limit is at most 100. Cursor is
// the id of the last one of the page before, or empty. State is empty for all.
type DeletionFilter struct {
	Limit  int
	Cursor string
	State  DeletionState
}

// DeletionPage is a page of deletions, newest first. NextCursor is nil on the
// last one.
type DeletionPage struct {
	Deletions  []DeletionRecord `json:"deletions"`
	NextCursor *string          `json:"next_cursor"`
}

// maxDeletions bounds a page.
const maxDeletions = 100

// Deletions lists deletions of all users, for administrators. The kind of the
// error is [core.Unprocessable] for a cursor that was not given out.
func (s *Service) Deletions(ctx context.Context, f DeletionFilter) (*DeletionPage, error) {
	limit := min(max(f.Limit, 1), maxDeletions)
	query := s.db.Read.WithContext(ctx).Order("id DESC").Limit(limit + 1)
	if f.State != "" {
		query = query.Where("state = ?", f.State)
	}
	if f.Cursor != "" {
		if uuid.Validate(f.Cursor) != nil {
			return nil, invalidInput("value_error", "The cursor is not one that was given out", f.Cursor, "query", "cursor")
		}
		query = query.Where("id < ?", f.Cursor)
	}
	var rows []deletionRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing deletions: %w", err)
	}
	page := &DeletionPage{Deletions: []DeletionRecord{}}
	if len(rows) > limit {
		rows = rows[:limit]
		page.NextCursor = &rows[limit-1].ID
	}
	for i := range rows {
		d, err := s.record(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		page.Deletions = append(page.Deletions, *d)
	}
	return page, nil
}

// Deletion gives one deletion, for administrators. The kind of the error is
// [core.NotFound] when there is none of that id.
func (s *Service) Deletion(ctx context.Context, id string) (*DeletionRecord, error) {
	r, err := takeDeletion(s.db.Read.WithContext(ctx).Where("id = ?", id))
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, core.PlainErrorf(core.NotFound, "Deletion not found")
	}
	return s.record(ctx, r)
}

func (s *Service) record(ctx context.Context, r *deletionRow) (*DeletionRecord, error) {
	d := &DeletionRecord{Deletion: *r.deletion(), Email: r.Email, RequestedBy: r.RequestedBy, Attempts: int(r.Attempts)}
	if r.State == DeletionFinished {
		return d, nil
	}
	var err error
	if d.RevocationsPending, err = s.remaining(ctx, r.UserID); err != nil {
		return nil, fmt.Errorf("counting revocations: %w", err)
	}
	return d, nil
}

// Left reports whether a user's account was deleted, or is being deleted, and no
// other one has been opened under that id since.
func (s *Service) Left(ctx context.Context, userID string) (bool, error) {
	handle := s.db.Write.WithContext(ctx)
	d, err := pendingDeletion(handle, userID)
	if d != nil || err != nil {
		return d != nil, err
	}
	user, err := find(ctx, handle, userID)
	if user != nil || err != nil {
		return false, err
	}
	d, err = takeDeletion(handle.Where("user_id = ?", userID))
	return d != nil, err
}
