package graph

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// versionsPerErase bounds what one transaction removes: a version may have
// megabytes.
const versionsPerErase = 20

// DeleteUser removes every version of every graph of a user, and says how many
// versions there were. What others have forked from them stays theirs.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	n, err := s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&row{}).Select("id, version").Where("user_id = ?", userID).Limit(versionsPerErase)
		done := tx.Where("user_id = ? AND (id, version) IN (?)", userID, some).Delete(&row{})
		return int(done.RowsAffected), done.RowsAffected > 0, done.Error
	})
	for _, key := range s.cache.Keys() {
		if v, ok := s.cache.Peek(key); ok && v.UserID == userID {
			s.cache.Remove(key)
		}
	}
	if err != nil {
		return n, fmt.Errorf("deleting graphs: %w", err)
	}
	return n, nil
}

// CountUser counts the graphs of a user.
func (s *Service) CountUser(ctx context.Context, userID string) (int, error) {
	var n int64
	err := s.db.Read.WithContext(ctx).Model(&row{}).Where("user_id = ?", userID).Distinct("id").Count(&n).Error
	return int(n), err
}
