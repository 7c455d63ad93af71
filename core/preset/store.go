package preset

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// row is a preset.
type row struct {
	ID           string `gorm:"primaryKey"`
	UserID       string
	GraphID      string
	GraphVersion int
	Name         string
	Description  string
	Inputs       db.JSON[core.Values]
	Credentials  db.JSON[map[string]core.CredentialRef]
	IsActive     bool
	WebhookID    *string
	IsDeleted    bool
	CreatedAt    db.Time
	UpdatedAt    db.Time
}

// TableName is presets.
func (row) TableName() string { return "presets" }

// Models are the row types of this room, for the schema test.
func Models() []any { return []any{&row{}} }

func (r *row) shown() Preset {
	p := Preset{
		GraphID: r.GraphID, GraphVersion: r.GraphVersion, Inputs: r.Inputs.V, Credentials: r.Credentials.V, Name: r.Name,
		Description: r.Description, IsActive: r.IsActive, WebhookID: r.WebhookID, ID: r.ID, UserID: r.UserID,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if p.Inputs == nil {
		p.Inputs = core.Values{}
	}
	if p.Credentials == nil {
		p.Credentials = map[string]core.CredentialRef{}
	}
	return p
}

// live selects the presets of a user that are not deleted.
func live(handle *gorm.DB, userID string) *gorm.DB {
	return handle.Model(&row{}).Where("user_id = ? AND NOT is_deleted", userID)
}

// locked keeps others from changing the presets that a query reads until the
// transaction ends.
func locked(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

// find gives a preset of a user, or nil.
func find(ctx context.Context, handle *gorm.DB, userID, id string) (*row, error) {
	var rows []row
	if err := live(handle.WithContext(ctx), userID).Where("id = ?", id).Limit(1).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("finding preset: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}
