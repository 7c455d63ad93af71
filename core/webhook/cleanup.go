package webhook

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"agentserver/core/db"
	"agentserver/core/jobs"
)

const (
	// cleanUpEvery is the pause between two clean-ups of a process.
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
	return errors.Join(
		s.takeUpStalled(ctx), s.forget(ctx, Done, s.config.Keep), s.forget(ctx, Dead, s.config.KeepDead), s.pruneUnlinked(ctx), s.takeUpRetired(ctx),
	)
}

func (s *Service) pruneUnlinked(ctx context.Context) error {
	before, after := db.At(time.Now().Add(-unlinkedFor)), ""
	for {
		var ids []string
		err := s.DB.Read.WithContext(ctx).Model(&row{}).Where("id > ? AND state <> ? AND updated_at < ?", after, retired, before).
			Order("id").Limit(cleanUpBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		linked, err := s.Triggers.LinkedAmong(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if slices.Contains(linked, id) {
				continue
			}
			err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
				_, err := s.Prune(ctx, tx, id)
				return err
			})
			if err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

// takeUpRetired adds jobs for webhooks whose job was lost.
func (s *Service) takeUpRetired(ctx context.Context) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		var ids []string
		err := tx.Model(&row{}).Where("state = ? AND updated_at < ?", retired, db.At(time.Now().Add(-2*longestPause))).
			Order("id").Limit(cleanUpBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := tx.Model(&row{}).Where("id IN ?", ids).Update("updated_at", db.Now()).Error; err != nil {
			return err
		}
		list := make([]jobs.Job, len(ids))
		for i, id := range ids {
			list[i] = jobs.Job{Args: retireArgs{id}, Line: retireLine}
		}
		return s.enqueue(ctx, tx, list...)
	})
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
