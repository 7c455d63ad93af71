package execution

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

const (
	// runsPerErase and valuesPerErase bound what one transaction removes; of node
	// runs it is idsPerQuery. A stored value may have a megabyte.
	runsPerErase   = 50
	valuesPerErase = 20
	// runsPerStop is how many runs are stopped side by side.
	runsPerStop = 100
)

// StopUser ends every run of a user that is not at its end, wherever it is at
// work, and says how many there were. It waits for their ends, some seconds for
// each that does not heed the stop, and gives an error when one goes on; a later
// call asks again.
func (s *Service) StopUser(ctx context.Context, userID string) (int, error) {
	for stopped := 0; ; {
		rows, err := s.store.openOfUser(ctx, userID, runsPerStop)
		if err != nil {
			return stopped, fmt.Errorf("finding runs: %w", err)
		}
		if len(rows) == 0 {
			return stopped, nil
		}
		// All are told before the first is waited for.
		for i := range rows {
			if err := s.askToStop(ctx, rows[i].ID); err != nil {
				return stopped, err
			}
		}
		for i := range rows {
			if err := s.stopTree(ctx, &rows[i]); err != nil {
				return stopped, err
			}
			stopped++
		}
	}
}

// DeleteUser removes what is stored of a user's runs, shared ones included, and
// the values that blocks keep for them. It says how many runs and values there
// were. The runs are stopped before, see [Service.StopUser]; one that goes on all
// the same writes nothing more once it is removed.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	runs, err := s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) { return eraseRuns(tx, userID) })
	if err != nil {
		return runs, fmt.Errorf("deleting runs: %w", err)
	}
	values, err := s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) { return eraseValues(tx, userID) })
	if err != nil {
		return runs + values, fmt.Errorf("deleting stored values: %w", err)
	}
	return runs + values, nil
}

// CountUser counts the runs of a user.
func (s *Service) CountUser(ctx context.Context, userID string) (int, error) {
	var n int64
	err := s.db.Read.WithContext(ctx).Model(&runRow{}).Where("user_id = ?", userID).Count(&n).Error
	return int(n), err
}

// eraseRuns removes some runs with all of their nodes, or some nodes of them
// when they are many. The lock on the runs keeps the journal from adding nodes
// meanwhile, and from adding any after. The order is that of an index, so that
// the last batch costs no more than the first.
func eraseRuns(tx *gorm.DB, userID string) (int, bool, error) {
	var runs []string
	err := tx.Model(&runRow{}).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Where("user_id = ?", userID).Order("created_at").Limit(runsPerErase).Pluck("id", &runs).Error
	if err != nil || len(runs) == 0 {
		return 0, false, err
	}
	var nodes []string
	err = tx.Model(&nodeRow{}).Where("graph_exec_id IN ?", runs).Limit(idsPerQuery).Pluck("id", &nodes).Error
	if err != nil {
		return 0, false, err
	}
	if len(nodes) > 0 {
		if err := tx.Where("node_exec_id IN ?", nodes).Delete(&outputRow{}).Error; err != nil {
			return 0, false, err
		}
		if err := tx.Where("id IN ?", nodes).Delete(&nodeRow{}).Error; err != nil {
			return 0, false, err
		}
	}
	if len(nodes) == idsPerQuery {
		return 0, true, nil
	}
	if err := tx.Where("graph_exec_id IN ?", runs).Delete(&reviewRow{}).Error; err != nil {
		return 0, false, err
	}
	done := tx.Where("id IN ?", runs).Delete(&runRow{})
	return int(done.RowsAffected), true, done.Error
}

func eraseValues(tx *gorm.DB, userID string) (int, bool, error) {
	some := tx.Model(&valueRow{}).Select("key").Where("user_id = ?", userID).Limit(valuesPerErase)
	done := tx.Where("user_id = ? AND key IN (?)", userID, some).Delete(&valueRow{})
	return int(done.RowsAffected), done.RowsAffected > 0, done.Error
}

// openOfUser lists some open runs of a user.
func (s store) openOfUser(ctx context.Context, userID string, limit int) ([]runRow, error) {
	var rows []runRow
	err := s.db.Read.WithContext(ctx).Where("user_id = ? AND status IN ?", userID, open).
		Order("depth, id").Limit(limit).Find(&rows).Error
	return rows, err
}
