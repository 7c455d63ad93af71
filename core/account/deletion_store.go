package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core/db"
)

// deletionRow is a line of the table account_deletions.
type deletionRow struct {
	ID          string `gorm:"primaryKey"`
	UserID      string
	Email       string // empty when finished
	RequestedBy string
	RequestedAt db.Time
	State       DeletionState
	Steps       db.JSON[[]stepRecord]
	// Attempts grows each time a process takes the deletion up. Whoever finds
	// another number than its own has lost it.
	Attempts   int64
	FinishedAt db.Time
}

func (deletionRow) TableName() string { return "account_deletions" }

// stepRecord is what is kept of a step.
type stepRecord struct {
	Name  string    `json:"name"`
	State StepState `json:"state"`
	Error string    `json:"error,omitempty"`
	Count int       `json:"count,omitempty"`
	Tries int       `json:"tries,omitempty"`
	At    db.Time   `json:"at"`
}

// over reports whether the step is not to be done again.
func (r *stepRecord) over() bool { return r.State == StepDone || r.State == StepFailed }

func (r *deletionRow) deletion() *Deletion {
	steps := make([]StepReport, len(r.Steps.V))
	for i, s := range r.Steps.V {
		steps[i] = StepReport{Name: s.Name, State: s.State, Error: s.Error, Count: s.Count}
	}
	return &Deletion{
		ID: r.ID, UserID: r.UserID, State: r.State, RequestedAt: r.RequestedAt, FinishedAt: r.FinishedAt, Steps: steps,
	}
}

// errLostDeletion tells a process that another one does the deletion, or has
// finished it.
var errLostDeletion = errors.New("the deletion was taken up by another process")

// own limits a query to the deletion as long as this process has it.
func (r *deletionRow) own(tx *gorm.DB) *gorm.DB {
	return tx.Model(&deletionRow{}).Where("id = ? AND attempts = ? AND state = ?", r.ID, r.Attempts, DeletionPending)
}

// fence refuses a transaction when another process has the deletion, and keeps
// others from taking it up until the transaction ends.
func (r *deletionRow) fence(tx *gorm.DB) error {
	var ids []string
	err := r.own(tx).Clauses(clause.Locking{Strength: clause.LockingStrengthShare}).Pluck("id", &ids).Error
	if err == nil && len(ids) == 0 {
		err = errLostDeletion
	}
	return err
}

// change writes columns of a deletion that this process has.
func (r *deletionRow) change(ctx context.Context, handle *gorm.DB, columns map[string]any) error {
	done := r.own(handle.WithContext(ctx)).Updates(columns)
	switch {
	case done.Error != nil:
		return fmt.Errorf("recording the deletion: %w", done.Error)
	case done.RowsAffected == 0:
		return errLostDeletion
	}
	return nil
}

// pendingDeletion reads the unfinished deletion of a user; it is nil when there
// is none.
func pendingDeletion(handle *gorm.DB, userID string) (*deletionRow, error) {
	return takeDeletion(handle.Where("user_id = ? AND state = ?", userID, DeletionPending))
}

func takeDeletion(query *gorm.DB) (*deletionRow, error) {
	var r deletionRow
	err := query.Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading deletion: %w", err)
	}
	return &r, nil
}

// past is what earlier deletions say about a user of today.
type past struct {
	pending bool
	// tokensAfter is the moment of the end of the last deletion: tokens from before
	// it are not for the account that comes after. Zero for most users.
	tokensAfter time.Time
}

func readPast(ctx context.Context, handle *gorm.DB, userID string) (past, error) {
	var rows []deletionRow
	err := handle.WithContext(ctx).Select("state, finished_at").Where("user_id = ?", userID).Find(&rows).Error
	if err != nil {
		return past{}, fmt.Errorf("reading deletions: %w", err)
	}
	var p past
	for _, r := range rows {
		p.pending = p.pending || r.State == DeletionPending
		if r.FinishedAt.After(p.tokensAfter) {
			p.tokensAfter = r.FinishedAt.Time
		}
	}
	return p, nil
}

// admit refuses whoever may not come in.
func (p past) admit(id Identity) error {
	switch {
	case p.pending:
		return errDeleting
	case !p.tokensAfter.IsZero() && !id.IssuedAt.After(p.tokensAfter):
		return errDeleted
	}
	return nil
}
