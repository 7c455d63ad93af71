package managed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core/db"
)

// Action is what a task does.
type Action string

// The actions.
const (
	// Provision makes the credential.
	Provision Action = "provision"
	// Revoke takes it back.
	Revoke Action = "revoke"
	// Retire revokes what is left at the vendor beside the stored credential.
	Retire Action = "retire"
)

// task is a line of the table managed_tasks.
type task struct {
	UserID   string `gorm:"primaryKey"`
	Provider string `gorm:"primaryKey"`
	Action   Action
	// Fence grows with every attempt and every change of the action.
	Fence int64
	// Claimed is set while an attempt is under way, or was when its process
	// died.
	Claimed  bool
	Attempts int
	// LastError is why the last attempt failed, or "".
	LastError string
	// NextAt is when the next attempt is due; null when there is none until
	// somebody asks.
	NextAt db.Time
	// AgainAt, of a revocation, is when it is to be done once more before it
	// counts: until then something that was asked for earlier may still come to
	// be at the vendor.
	AgainAt db.Time
	// Queued is set while a job waits that has not begun, so that there is one at
	// a time.
	Queued    bool
	CreatedAt db.Time
	UpdatedAt db.Time
}

func (task) TableName() string { return "managed_tasks" }

// due reports whether the next attempt may be made. What is further away than
// any pause was written by a clock that has been set back since.
func (t *task) due(now time.Time, longest time.Duration) bool {
	return !t.NextAt.IsZero() && (!t.NextAt.After(now) || t.NextAt.After(now.Add(longest)))
}

func of(handle *gorm.DB, userID, provider string) *gorm.DB {
	return handle.Where("user_id = ? AND provider = ?", userID, provider)
}

// findTask reads a task; it is nil when there is none.
func findTask(handle *gorm.DB, userID, provider string) (*task, error) {
	var t task
	err := of(handle, userID, provider).Take(&t).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading task: %w", err)
	}
	return &t, nil
}

// lockTask is findTask inside a transaction: nobody changes the task until it
// ends. On SQLite the transaction itself sees to that.
func lockTask(tx *gorm.DB, userID, provider string) (*task, error) {
	return findTask(tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}), userID, provider)
}

// tasksOf reads the tasks of a user, by provider.
func tasksOf(ctx context.Context, handle *gorm.DB, userID string) (map[string]*task, error) {
	var list []*task
	if err := handle.WithContext(ctx).Where("user_id = ?", userID).Find(&list).Error; err != nil {
		return nil, fmt.Errorf("reading tasks: %w", err)
	}
	byProvider := map[string]*task{}
	for _, t := range list {
		byProvider[t.Provider] = t
	}
	return byProvider, nil
}

// change writes columns of a task that nobody else has changed since it was
// read, and reports whether that was so.
func (t *task) change(handle *gorm.DB, columns map[string]any) (bool, error) {
	columns["updated_at"] = db.Now()
	done := of(handle.Model(&task{}), t.UserID, t.Provider).Where("fence = ?", t.Fence).Updates(columns)
	if done.Error != nil {
		return false, fmt.Errorf("changing task: %w", done.Error)
	}
	return done.RowsAffected == 1, nil
}

// remove ends a task that nobody else has changed, and reports whether that was
// so.
func (t *task) remove(tx *gorm.DB) (bool, error) {
	done := of(tx, t.UserID, t.Provider).Where("fence = ?", t.Fence).Delete(&task{})
	if done.Error != nil {
		return false, fmt.Errorf("ending task: %w", done.Error)
	}
	return done.RowsAffected == 1, nil
}

// put makes an action the task of a user and provider, whatever it was before,
// due at a time. Attempts that are under way lose their fence. again is as in
// [task].
func put(tx *gorm.DB, userID, provider string, action Action, at, again time.Time) error {
	now := db.Now()
	t := task{
		UserID: userID, Provider: provider, Action: action, Fence: 1, NextAt: db.At(at), AgainAt: db.At(again), CreatedAt: now, UpdatedAt: now,
	}
	err := tx.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "user_id"}, {Name: "provider"}},
		DoUpdates: append(clause.Assignments(map[string]any{
			"fence": gorm.Expr("managed_tasks.fence + 1"),
		}), clause.AssignmentColumns([]string{"action", "claimed", "attempts", "last_error", "next_at", "again_at", "created_at", "updated_at"})...),
	}).Create(&t).Error
	if err != nil {
		return fmt.Errorf("storing task: %w", err)
	}
	return nil
}
