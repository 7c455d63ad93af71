package account

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// row is a line of the table users.
type row struct {
	ID                           string `gorm:"primaryKey"`
	Email                        string
	EmailVerified                bool
	Name                         *string
	CreatedAt                    db.Time
	UpdatedAt                    db.Time
	Metadata                     db.JSON[map[string]any]
	StripeCustomerID             *string
	TopUpConfig                  db.JSON[*TopUpConfig]
	MaxEmailsPerDay              int
	NotifyOnAgentRun             bool
	NotifyOnZeroBalance          bool
	NotifyOnLowBalance           bool
	NotifyOnBlockExecutionFailed bool
	NotifyOnContinuousAgentError bool
	NotifyOnDailySummary         bool
	NotifyOnWeeklySummary        bool
	NotifyOnMonthlySummary       bool
	NotifyOnAgentApproved        bool
	NotifyOnAgentRejected        bool
	Timezone                     string
}

func (row) TableName() string { return "users" }

// newRow gives a user as it is on first sight: told about everything.
func newRow(id Identity) row {
	r := row{
		ID: id.UserID, Email: db.Clean(id.Email), EmailVerified: true,
		Metadata: db.AsJSON(map[string]any{}), MaxEmailsPerDay: 3, Timezone: NoTimezone,
		NotifyOnAgentRun: true, NotifyOnZeroBalance: true, NotifyOnLowBalance: true,
		NotifyOnBlockExecutionFailed: true, NotifyOnContinuousAgentError: true,
		NotifyOnDailySummary: true, NotifyOnWeeklySummary: true, NotifyOnMonthlySummary: true,
		NotifyOnAgentApproved: true, NotifyOnAgentRejected: true,
	}
	if name := db.Clean(id.Name); name != "" {
		r.Name = &name
	}
	return r
}

func (r *row) user() *User {
	return &User{
		ID: r.ID, Email: r.Email, EmailVerified: r.EmailVerified, Name: r.Name,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Metadata: r.Metadata.V,
		TopUpConfig: r.TopUpConfig.V, MaxEmailsPerDay: r.MaxEmailsPerDay,
		NotifyOnAgentRun: r.NotifyOnAgentRun, NotifyOnZeroBalance: r.NotifyOnZeroBalance,
		NotifyOnLowBalance: r.NotifyOnLowBalance, NotifyOnBlockExecutionFailed: r.NotifyOnBlockExecutionFailed,
		NotifyOnContinuousAgentError: r.NotifyOnContinuousAgentError, NotifyOnDailySummary: r.NotifyOnDailySummary,
		NotifyOnWeeklySummary: r.NotifyOnWeeklySummary, NotifyOnMonthlySummary: r.NotifyOnMonthlySummary,
		Timezone: r.Timezone,
	}
}

// find reads a user; it is nil when there is none.
func find(ctx context.Context, handle *gorm.DB, userID string) (*row, error) {
	var r row
	err := handle.WithContext(ctx).Take(&r, "id = ?", userID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading user: %w", err)
	}
	return &r, nil
}

// insert adds a user unless the id or the address is taken.
func insert(ctx context.Context, handle *gorm.DB, r *row) error {
	if err := handle.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(r).Error; err != nil {
		return fmt.Errorf("creating user: %w", err)
	}
	return nil
}

// update changes columns of a user.
func update(ctx context.Context, handle *gorm.DB, userID string, columns map[string]any) error {
	done := handle.WithContext(ctx).Model(&row{}).Where("id = ?", userID).Updates(columns)
	switch {
	case errors.Is(done.Error, gorm.ErrDuplicatedKey):
		return errEmailTaken()
	case done.Error != nil:
		return fmt.Errorf("changing user: %w", done.Error)
	case done.RowsAffected == 0:
		return errNoUser()
	default:
		return nil
	}
}

func errNoUser() error { return core.Errorf(core.NotFound, "User not found") }

func errEmailTaken() error {
	return core.Errorf(core.Conflict, "This e-mail address belongs to another account")
}
