package workspace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// The states of a file.
const (
	writing  = "writing"  // its object is not complete
	live     = "live"     // it is there
	deleting = "deleting" // its object has to go
)

// spaceRow is the workspace of a user, with what its files take.
type spaceRow struct {
	UserID    string `gorm:"primaryKey"`
	UsedBytes int64
	FileCount int
	CreatedAt db.Time
}

// TableName is workspaces.
func (spaceRow) TableName() string { return "workspaces" }

// fileRow is a file. Its object's key follows from its id.
type fileRow struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	Path      string
	Name      string
	MimeType  string
	SizeBytes int64
	Checksum  string
	State     string
	ExpiresAt db.Time
	CreatedAt db.Time
	UpdatedAt db.Time
}

// TableName is workspace_files.
func (fileRow) TableName() string { return "workspace_files" }

// Models are the row types of this room, for the schema test.
func Models() []any { return []any{&spaceRow{}, &fileRow{}} }

// key is the name of a file's object. It holds nothing that a user chose.
func (r *fileRow) key() string { return r.ID[:2] + "/" + r.ID }

func (r *fileRow) file() *File {
	return &File{ID: r.ID, Name: r.Name, Path: r.Path, MIME: r.MimeType, Size: r.SizeBytes}
}

// lockSpace takes the row of a user's workspace for the rest of the
// transaction, so that changes to one workspace follow one another.
func lockSpace(tx *gorm.DB, userID string) error {
	err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&spaceRow{UserID: userID, CreatedAt: db.Now()}).Error
	if err != nil {
		return err
	}
	return tx.Model(&spaceRow{}).Where("user_id = ?", userID).Update("file_count", gorm.Expr("file_count")).Error
}

// take adds to what a workspace holds and reports whether it stays within the
// limit.
func take(tx *gorm.DB, userID string, bytes, limit int64) (bool, error) {
	res := tx.Model(&spaceRow{}).Where("user_id = ? AND used_bytes + ? <= ?", userID, bytes, limit).
		Updates(map[string]any{"used_bytes": gorm.Expr("used_bytes + ?", bytes), "file_count": gorm.Expr("file_count + 1")})
	return res.RowsAffected == 1, res.Error
}

// giveBack takes a file out of what its workspace holds, and marks it for
// removal. It does nothing to a file that is marked already.
func giveBack(tx *gorm.DB, r *fileRow) error {
	res := tx.Model(&fileRow{}).Where("id = ? AND state <> ?", r.ID, deleting).
		Updates(map[string]any{"state": deleting, "updated_at": db.Now()})
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error
	}
	return tx.Model(&spaceRow{}).Where("user_id = ?", r.UserID).
		Updates(map[string]any{"used_bytes": gorm.Expr("used_bytes - ?", r.SizeBytes), "file_count": gorm.Expr("file_count - 1")}).Error
}

// visible picks the files that a user can see.
func visible(tx *gorm.DB, userID string) *gorm.DB {
	return tx.Where("user_id = ? AND state = ? AND (expires_at IS NULL OR expires_at > ?)", userID, live, db.At(time.Now()))
}

// find gives the file of a user that the condition picks.
func (s *Service) find(ctx context.Context, userID, where, value string) (*fileRow, error) {
	var r fileRow
	err := visible(s.db.Read.WithContext(ctx), userID).Where(where, value).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, core.PlainErrorf(core.NotFound, "File not found")
	}
	if err != nil {
		return nil, fmt.Errorf("finding a file: %w", err)
	}
	return &r, nil
}
