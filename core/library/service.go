package library

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core/db"
	"agentserver/core/graph"
)

// Service is the room's front door.
type Service struct{ db *db.DB }

var _ graph.Library = (*Service)(nil)

// New makes the service.
func New(d *db.DB) *Service { return &Service{d} }

// Added puts a saved graph and its sub-graphs into the owner's library.
func (s *Service) Added(tx *gorm.DB, userID string, main graph.Header, subs []graph.Header) error {
	settings := graph.DefaultSettings()
	now := db.Now()
	for _, g := range append([]graph.Header{main}, subs...) {
		r := row{
			ID: uuid.NewString(), UserID: userID, GraphID: g.ID, GraphVersion: g.Version,
			IsCreatedByUser: true, UseGraphIsActiveVersion: true, Settings: db.AsJSON(&settings),
			CreatedAt: now, UpdatedAt: now,
		}
		again := clause.OnConflict{
			Columns: []clause.Column{{Name: "user_id"}, {Name: "graph_id"}, {Name: "graph_version"}},
			DoUpdates: clause.Assignments(map[string]any{
				"is_deleted": false, "is_archived": false, "use_graph_is_active_version": true, "updated_at": now,
			}),
		}
		if err := tx.Clauses(again).Create(&r).Error; err != nil {
			return fmt.Errorf("adding to library: %w", err)
		}
	}
	return nil
}

// Moved makes the user's newest row of a graph follow a new version. A row that
// was deleted comes back: its owner works on the agent again.
func (s *Service) Moved(tx *gorm.DB, userID, graphID string, version int) error {
	var r row
	err := tx.Where("user_id = ? AND graph_id = ?", userID, graphID).
		Order("is_deleted, created_at DESC, id").Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return s.Added(tx, userID, graph.Header{ID: graphID, Version: version}, nil)
	}
	if err != nil {
		return fmt.Errorf("finding library row: %w", err)
	}
	err = tx.Where("user_id = ? AND graph_id = ? AND graph_version = ? AND id <> ?", userID, graphID, version, r.ID).
		Delete(&row{}).Error
	if err != nil {
		return fmt.Errorf("moving library row: %w", err)
	}
	err = tx.Model(&row{}).Where("id = ?", r.ID).
		Updates(map[string]any{"graph_version": version, "is_deleted": false, "updated_at": db.Now()}).Error
	if err != nil {
		return fmt.Errorf("moving library row: %w", err)
	}
	return nil
}

// Removed takes every version of a graph out of the user's library.
func (s *Service) Removed(tx *gorm.DB, userID, graphID string) error {
	return tx.Where("user_id = ? AND graph_id = ?", userID, graphID).Delete(&row{}).Error
}

// Entry tells what the user has of a graph, of rows that are neither deleted
// nor archived. The settings are those of the newest row.
func (s *Service) Entry(ctx context.Context, userID, graphID string, version int) (graph.Entry, error) {
	entry := graph.Entry{Settings: graph.DefaultSettings()}
	var rows []row
	err := s.live(ctx, userID, graphID).Select("graph_version, settings").Order("created_at DESC").Find(&rows).Error
	if err != nil {
		return entry, fmt.Errorf("reading library: %w", err)
	}
	for i := range rows {
		entry.Exact = entry.Exact || rows[i].GraphVersion == version
	}
	entry.Some = len(rows) > 0
	if entry.Some && rows[0].Settings.V != nil {
		entry.Settings = *rows[0].Settings.V
	}
	return entry, nil
}

// SetSettings replaces the user's choices for a graph.
func (s *Service) SetSettings(ctx context.Context, userID, graphID string, settings graph.Settings) (bool, error) {
	res := s.db.Write.WithContext(ctx).Model(&row{}).
		Where("user_id = ? AND graph_id = ? AND is_deleted = ? AND is_archived = ?", userID, graphID, false, false).
		Updates(map[string]any{"settings": db.AsJSON(&settings), "updated_at": db.Now()})
	return res.RowsAffected > 0, res.Error
}

func (s *Service) live(ctx context.Context, userID, graphID string) *gorm.DB {
	return s.db.Read.WithContext(ctx).Model(&row{}).
		Where("user_id = ? AND graph_id = ? AND is_deleted = ? AND is_archived = ?", userID, graphID, false, false)
}
