package workspace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gocloud.dev/gcerrors"
	"gorm.io/gorm"

	"agentserver/core/db"
)

const (
	// sweepEvery is the pause between two sweeps of a process.
	sweepEvery = 5 * time.Minute
	// writingFor is how long a file may be written.
	writingFor = time.Hour
	// deletingFor is how long whoever deletes a file is left alone with it.
	deletingFor = time.Minute
	sweepBatch  = 200
	// undoTime bounds the removal of a file for whose end nobody waits.
	undoTime = 30 * time.Second
)

// Delete removes a user's file.
func (s *Service) Delete(ctx context.Context, userID, id string) error {
	r, err := s.find(ctx, userID, "id = ?", id)
	if err != nil {
		return err
	}
	if err := s.mark(ctx, r); err != nil {
		return err
	}
	s.undo(ctx, r)
	return nil
}

// mark takes a file away from its user; its object is removed afterwards.
func (s *Service) mark(ctx context.Context, r *fileRow) error {
	err := s.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := lockSpace(tx, r.UserID); err != nil {
			return err
		}
		return giveBack(tx, r)
	})
	if err != nil {
		return fmt.Errorf("removing a file: %w", err)
	}
	return nil
}

// undo removes a file also when the request has ended. What fails is left to
// the sweep.
func (s *Service) undo(ctx context.Context, r *fileRow) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	err := s.mark(ctx, r)
	if err == nil {
		err = s.drop(ctx, r)
	}
	if err != nil {
		s.log.WarnContext(ctx, "a file is not removed yet; it is tried again", "file", r.ID, "error", err)
	}
}

// drop removes the object of a marked file, and then its row.
func (s *Service) drop(ctx context.Context, r *fileRow) error {
	err := s.bucket.Delete(ctx, r.key())
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("removing file %s from the bucket: %w", r.ID, err)
	}
	return s.db.Write.WithContext(ctx).Where("id = ? AND state = ?", r.ID, deleting).Delete(&fileRow{}).Error
}

// Sweep removes what has expired, what was never written to its end, and what
// could not be removed before.
func (s *Service) Sweep(ctx context.Context) error {
	now := time.Now()
	return errors.Join(
		s.sweep(ctx, "state = ? AND expires_at < ?", live, db.At(now)),
		s.sweep(ctx, "state = ? AND updated_at < ?", writing, db.At(now.Add(-writingFor))),
		s.sweep(ctx, "state = ? AND updated_at < ?", deleting, db.At(now.Add(-deletingFor))),
	)
}

// sweep removes the files that a condition picks. One that cannot be removed
// does not keep the others.
func (s *Service) sweep(ctx context.Context, where string, args ...any) error {
	var errs []error
	for after := ""; ; {
		var rows []fileRow
		err := s.db.Read.WithContext(ctx).Where(where, args...).Where("id > ?", after).Order("id").Limit(sweepBatch).Find(&rows).Error
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for i := range rows {
			if err := s.mark(ctx, &rows[i]); err != nil {
				return errors.Join(append(errs, err)...)
			}
			if err := s.drop(ctx, &rows[i]); err != nil {
				errs = append(errs[:min(len(errs), 3)], err) // a broken bucket fails alike for all
			}
		}
		if len(rows) < sweepBatch {
			return errors.Join(errs...)
		}
		after = rows[len(rows)-1].ID
	}
}

// DeleteUser removes a user's workspace and says how many files it had.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	// Marked in fenced transactions: what is marked may go in any case.
	n, err := s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		if err := lockSpace(tx, userID); err != nil {
			return 0, false, err
		}
		var rows []fileRow
		if err := tx.Where("user_id = ? AND state <> ?", userID, deleting).Limit(sweepBatch).Find(&rows).Error; err != nil {
			return 0, false, err
		}
		for i := range rows {
			if err := giveBack(tx, &rows[i]); err != nil {
				return 0, false, err
			}
		}
		return len(rows), len(rows) == sweepBatch, nil
	})
	if err != nil {
		return n, fmt.Errorf("removing files: %w", err)
	}
	if err := s.sweep(ctx, "user_id = ? AND state = ?", userID, deleting); err != nil {
		return n, fmt.Errorf("removing files: %w", err)
	}
	_, err = s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		return 0, false, tx.Where("user_id = ? AND NOT EXISTS (?)", userID, tx.Model(&fileRow{}).Select("1").Where("user_id = ?", userID)).
			Delete(&spaceRow{}).Error
	})
	if err != nil {
		return n, fmt.Errorf("removing a workspace: %w", err)
	}
	return n, nil
}
