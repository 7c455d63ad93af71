package execution

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// maxStoredValue bounds one stored value, in bytes of JSON.
const maxStoredValue = 1 << 20

// valueRow is a value that a block keeps between runs.
type valueRow struct {
	UserID     string `gorm:"primaryKey"`
	Key        string `gorm:"primaryKey"`
	Data       db.JSON[json.RawMessage]
	NodeExecID string
	UpdatedAt  db.Time
}

// TableName is stored_values.
func (valueRow) TableName() string { return "stored_values" }

// values is the key-value store of blocks.
type values struct{ db *db.DB }

var _ core.KeyValueStore = values{}

// Load gives a stored value and whether it is there.
func (v values) Load(ctx context.Context, userID, key string) (any, bool, error) {
	var rows []valueRow
	err := v.db.Read.WithContext(ctx).Where("user_id = ? AND key = ?", userID, key).Limit(1).Find(&rows).Error
	if err != nil {
		return nil, false, fmt.Errorf("reading stored value: %w", err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	value, err := core.DecodeJSON(rows[0].Data.V)
	return value, err == nil, err
}

// Save stores a value; the last writer wins.
func (v values) Save(ctx context.Context, userID, key, nodeExecID string, value any) error {
	data, err := core.JSON(value)
	if err != nil {
		return core.Errorf(core.Invalid, "the value has no JSON form: %w", err)
	}
	if len(data) > maxStoredValue {
		return core.Errorf(core.TooLarge, "a stored value may have at most %d bytes, this one has %d", maxStoredValue, len(data))
	}
	row := valueRow{UserID: userID, Key: key, Data: db.AsJSON(json.RawMessage(data)), NodeExecID: nodeExecID, UpdatedAt: db.Now()}
	err = v.db.Write.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}, {Name: "key"}},
		DoUpdates: clause.AssignmentColumns([]string{"data", "node_exec_id", "updated_at"}),
	}).Create(&row).Error
	if err != nil {
		return fmt.Errorf("storing value: %w", err)
	}
	return nil
}
