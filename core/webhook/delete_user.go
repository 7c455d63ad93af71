package webhook

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

const (
	// deregisterFor is how long the deletion of an account tries to take webhooks
	// back at vendors that fail.
	deregisterFor = time.Hour
	// rowsPerErase bounds what one transaction removes.
	rowsPerErase = 200
)

// DeregisterUser takes all webhooks of a user back at their vendors and says how
// many there were. From its beginning, none of them takes deliveries. While
// a vendor fails it gives an error, for an hour; what the vendor has not taken
// back then is forgotten.
func (s *Service) DeregisterUser(ctx context.Context, userID string) (int, error) {
	var rows []row
	err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
		if err := db.CheckFence(ctx, tx); err != nil {
			return err
		}
		err := tx.Model(&row{}).Where("user_id = ? AND state <> ?", userID, retired).
			Updates(map[string]any{"state": retired, "retired_at": db.Now(), "updated_at": db.Now()}).Error
		if err != nil {
			return err
		}
		return tx.Where("user_id = ?", userID).Order("id").Find(&rows).Error
	})
	if err != nil {
		return 0, fmt.Errorf("retiring webhooks: %w", err)
	}
	failed, err := s.dropAll(ctx, rows)
	if err != nil {
		return 0, err
	}
	waiting := 0
	for _, r := range failed {
		if time.Since(r.RetiredAt.Time) < deregisterFor {
			waiting++
			continue
		}
		s.Log.ErrorContext(ctx, "a webhook of a deleted account stays behind at its vendor: it could not be deregistered",
			"webhook", r.ID, "user", userID, "provider", r.Provider, "resource", r.Resource, "error", r.LastError)
		if err := s.drop(ctx, &r); err != nil {
			return 0, err
		}
	}
	if waiting > 0 {
		return len(rows) - waiting, core.Errorf(core.Unavailable, "%d webhooks could not be taken back at their vendors yet", waiting)
	}
	return len(rows), nil
}

// DeleteUser removes what is stored of a user's webhooks and deliveries, and says
// how many webhooks that were.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	_, err := s.DB.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&deliveryRow{}).Select("id").Where("user_id = ?", userID).Limit(rowsPerErase)
		done := tx.Where("user_id = ? AND id IN (?)", userID, some).Delete(&deliveryRow{})
		return 0, done.RowsAffected > 0, done.Error
	})
	if err != nil {
		return 0, fmt.Errorf("removing deliveries: %w", err)
	}
	n, err := s.DB.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&row{}).Select("id").Where("user_id = ?", userID).Limit(rowsPerErase)
		done := tx.Where("user_id = ? AND id IN (?)", userID, some).Delete(&row{})
		return int(done.RowsAffected), done.RowsAffected > 0, done.Error
	})
	if err != nil {
		return n, fmt.Errorf("removing webhooks: %w", err)
	}
	return n, nil
}
