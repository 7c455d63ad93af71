package credential

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// resealBatch is how many rows one transaction seals anew, so that other writers
// never wait long.
const resealBatch = 100

// Reseal seals everything with the first key of the ring that is sealed with
// another one, while the service is in use. It calls progress, which may be nil,
// after each batch with how many of the rows are done. When it is stopped, a
// later call does the rest. A row that does not open is left as it is and does
// not keep the others from being sealed; the error names such rows, and only
// their keys are still needed.
//
// After an error-free end nothing stored needs the other keys, and they may be
// taken out of encryption.keys of every server, unless one that still has an
// older first key is running.
func (s *Service) Reseal(ctx context.Context, progress func(done, total int)) error {
	if progress == nil {
		progress = func(int, int) {}
	}
	var total int64
	if err := s.stale(s.db.Read.WithContext(ctx)).Count(&total).Error; err != nil {
		return fmt.Errorf("counting what to reseal: %w", err)
	}
	var failed []error
	var last row
	for done := 0; ; {
		batch, problems, err := s.resealBatch(ctx, last)
		if err != nil {
			return fmt.Errorf("resealing: %w", err)
		}
		if len(batch) == 0 {
			break
		}
		failed = append(failed, problems...)
		last = batch[len(batch)-1]
		done += len(batch)
		progress(done, max(done, int(total)))
	}
	if err := s.forgetKeys(ctx); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("resealing: %w", errors.Join(failed...))
	}
	return nil
}

// stale selects the rows that another key than the first one sealed.
func (s *Service) stale(handle *gorm.DB) *gorm.DB {
	return handle.Model(&row{}).Where("key_name <> ?", s.ring.first)
}

// resealBatch does the rows after one, in order of their primary key.
func (s *Service) resealBatch(ctx context.Context, after row) (batch []row, problems []error, err error) {
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		batch, problems = nil, nil
		query := s.stale(tx).Where("user_id > ? OR (user_id = ? AND id > ?)", after.UserID, after.UserID, after.ID)
		if err := query.Order("user_id, id").Limit(resealBatch).Find(&batch).Error; err != nil {
			return err
		}
		for i := range batch {
			if err := s.resealRow(tx, &batch[i]); err != nil {
				if !errors.Is(err, errUnopened) {
					return err
				}
				problems = append(problems, err)
			}
		}
		return nil
	})
	return batch, problems, err
}

// errUnopened marks a row whose content cannot be read.
var errUnopened = errors.New("left as it is")

// resealRow changes nothing but the seal. That the row changed or went since it
// was read is no fault: whoever changed it sealed it, too.
func (s *Service) resealRow(tx *gorm.DB, r *row) error {
	plain, err := s.ring.Open(r.Sealed, r.sealContext()...)
	if err != nil {
		return fmt.Errorf("credential %s of user %s: %w: %w", r.ID, r.UserID, errUnopened, err)
	}
	before := r.Sealed
	if r.Sealed, err = s.ring.Seal(plain, r.sealContext()...); err != nil {
		return err
	}
	r.KeyName = s.ring.first
	return replaceSealed(tx, r, before, map[string]any{})
}

// forgetKeys drops the check values of keys that seal nothing any more, so that
// a start without them is allowed.
func (s *Service) forgetKeys(ctx context.Context) error {
	err := s.db.Write.WithContext(ctx).
		Where("name <> ? AND name NOT IN (?)", s.ring.first, s.db.Write.Model(&row{}).Distinct("key_name")).
		Delete(&keyRow{}).Error
	if err != nil {
		return fmt.Errorf("forgetting keys that are not needed: %w", err)
	}
	return nil
}

// Sealed counts what each key has sealed, by name, as far as it is stored now.
func (s *Service) Sealed(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		KeyName string
		N       int
	}
	err := s.db.Write.WithContext(ctx).Model(&row{}).Select("key_name, count(*) AS n").Group("key_name").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("counting what each key has sealed: %w", err)
	}
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.KeyName] = r.N
	}
	return counts, nil
}
