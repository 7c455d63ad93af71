package preset

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// rowsPerErase bounds what one transaction removes.
const rowsPerErase = 200

// DeleteUser removes a user's presets and says how many there were.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	n, err := s.DB.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&row{}).Select("id").Where("user_id = ?", userID).Limit(rowsPerErase)
		done := tx.Where("user_id = ? AND id IN (?)", userID, some).Delete(&row{})
		return int(done.RowsAffected), done.RowsAffected > 0, done.Error
	})
	if err != nil {
		return n, fmt.Errorf("removing presets: %w", err)
	}
	return n, nil
}
