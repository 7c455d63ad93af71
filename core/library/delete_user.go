package library

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// rowsPerErase bounds what one transaction removes.
const rowsPerErase = 200

// DeleteUser removes a user's list of agents, and says how many rows it had.
// Others keep in theirs what they have of the user's agents.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	n, err := s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&row{}).Select("id").Where("user_id = ?", userID).Limit(rowsPerErase)
		done := tx.Where("user_id = ? AND id IN (?)", userID, some).Delete(&row{})
		return int(done.RowsAffected), done.RowsAffected > 0, done.Error
	})
	if err != nil {
		return n, fmt.Errorf("emptying library: %w", err)
	}
	return n, nil
}
