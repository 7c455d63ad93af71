package credential

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// rowsPerErase bounds what one transaction removes.
const rowsPerErase = 200

// DeleteUser removes what a user has connected and the sign-ins that have begun,
// and says how many credentials that were. Managed ones stay: they are needed to undo at the vendor what they
// stand for, and go with that.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	n, err := s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&row{}).Select("id").Where("user_id = ? AND NOT is_managed", userID).Limit(rowsPerErase)
		done := tx.Where("user_id = ? AND NOT is_managed AND id IN (?)", userID, some).Delete(&row{})
		return int(done.RowsAffected), done.RowsAffected > 0, done.Error
	})
	if err == nil {
		_, err = s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
			done := tx.Where("user_id = ?", userID).Delete(&stateRow{}) // few, see maxStates
			return 0, false, done.Error
		})
	}
	if err != nil {
		return n, fmt.Errorf("deleting credentials: %w", err)
	}
	return n, nil
}

// CountUser counts what is stored for a user, managed credentials included.
func (s *Service) CountUser(ctx context.Context, userID string) (int, error) {
	var n int64
	err := s.db.Read.WithContext(ctx).Model(&row{}).Where("user_id = ?", userID).Count(&n).Error
	return int(n), err
}
