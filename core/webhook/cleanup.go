package webhook

import (
	"context"
	"time"

	"gorm.io/gorm"

	"agentserver/core/db"
)

const (
	// cleanUpEvery is the pause between two clean-ups, of all processes together.
	cleanUpEvery = 5 * time.Minute
	// unlinkedFor is how long a webhook may be without triggers: it is being set up.
	unlinkedFor = time.Hour
	// stalledFor is how long after it was due a delivery is taken for forgotten.
	stalledFor = 10 * time.Minute
	// cleanUpBatch bounds what one transaction changes.
	cleanUpBatch = 500
)

// cleanUp keeps the tables small until ctx ends.
func (s *Service) cleanUp(ctx context.Context) {
	for {
		// One process does it; the others find nothing to do.
		if err := s.CleanUp(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "webhooks could not be cleaned up; it is tried again", "error", err)
		}
		select {
		case <-time.After(cleanUpEvery):
		case <-ctx.Done():
			return
		}
	}
}

// CleanUp prunes webhooks that a set-up has left without triggers, removes
// deliveries that have been kept long enough, and takes up those whose job was
// lost.
func (s *Service) CleanUp(ctx context.Context) error {
	if err := s.pruneUnlinked(ctx); err != nil {
		return err
	}
	if err := s.forget(ctx, Done, s.config.Keep); err != nil {
		return err
	}
	if err := s.forget(ctx, Dead, s.config.KeepDead); err != nil {
		return err
	}
	return s.takeUpStalled(ctx)
}

func (s *Service) pruneUnlinked(ctx context.Context) error {
	var ids []string
	before := db.At(time.Now().Add(-unlinkedFor))
	err := s.DB.Read.WithContext(ctx).Model(&row{}).Where("state <> ? AND updated_at < ?", retired, before).
		Order("id").Pluck("id", &ids).Error
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
			_, err := s.Prune(ctx, tx, id)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forget removes deliveries of a state that ended some time ago.
func (s *Service) forget(ctx context.Context, state State, age time.Duration) error {
	before := db.At(time.Now().Add(-age))
	_, err := s.DB.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&deliveryRow{}).Select("id").Where("state = ? AND done_at < ?", state, before).Limit(cleanUpBatch)
		done := tx.Where("id IN (?)", some).Delete(&deliveryRow{})
		return int(done.RowsAffected), done.RowsAffected == cleanUpBatch, done.Error
	})
	return err
}

// takeUpStalled adds jobs for deliveries that should have been worked on long
// ago, in case their job is lost; a second job does no harm.
func (s *Service) takeUpStalled(ctx context.Context) error {
	before := db.At(time.Now().Add(-stalledFor))
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		var ids []string
		err := tx.Model(&deliveryRow{}).Where("state = ? AND next_at < ?", Pending, before).
			Order("next_at, id").Limit(cleanUpBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := tx.Model(&deliveryRow{}).Where("id IN ?", ids).Update("next_at", db.Now()).Error; err != nil {
			return err
		}
		s.Log.WarnContext(ctx, "deliveries were not worked on in time and are taken up again", "deliveries", len(ids))
		return s.enqueueDeliveries(ctx, tx, ids, db.Time{})
	})
}

// backlog counts the deliveries that wait for their runs, up to the limit.
func (s *Service) backlog(ctx context.Context) (int, error) {
	var n int64
	some := s.DB.Read.Model(&deliveryRow{}).Select("id").Where("state = ?", Pending).Limit(s.config.MaxBacklog)
	err := s.DB.Read.WithContext(ctx).Table("(?) AS waiting", some).Count(&n).Error
	return int(n), err
}
