package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"agentserver/core/db"
)

const (
	// maxSearches is how many searches are remembered of a user.
	maxSearches = 100
	// sameSearch is how long a search stays as recent as it is when its next page
	// is asked for.
	sameSearch = time.Minute
	// rowsPerErase bounds what one transaction removes.
	rowsPerErase = 200
)

// SearchEntry is a search as the user made it.
type SearchEntry struct {
	SearchQuery string   `json:"search_query"`
	Filter      []string `json:"filter"`
	ByCreator   []string `json:"by_creator"`
	SearchID    string   `json:"search_id"`
}

// row is a remembered search.
type row struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	Query     string
	Filters   db.JSON[[]string]
	Creators  db.JSON[[]string]
	CreatedAt db.Time
	UpdatedAt db.Time
}

// TableName is builder_searches.
func (row) TableName() string { return "builder_searches" }

// Models are the row types of this room, for the schema test.
func Models() []any { return []any{&row{}} }

// same reports whether a row is of the same words.
func (r *row) same(o *row) bool {
	return r.Query == o.Query && slices.Equal(r.Filters.V, o.Filters.V) && slices.Equal(r.Creators.V, o.Creators.V)
}

// history remembers what users have searched for.
type history struct{ db *db.DB }

// remember keeps a search and gives its id. It goes on with the user's search of
// the id q.SearchID, whose words it changes. Without an id it goes on with the
// same words, if the user has used them, and so does a page after the first: one
// search has one row, however many of its pages are read. An id that is not of
// one of the user's searches begins a new one.
func (h history) remember(ctx context.Context, userID string, q Query) (string, error) {
	now := db.Now()
	r := row{
		ID: uuid.NewString(), UserID: userID, Query: q.Text, Filters: db.AsJSON(orEmpty(q.Filters)), Creators: db.AsJSON(orEmpty(q.Creators)),
		CreatedAt: now, UpdatedAt: now,
	}
	had, err := h.find(ctx, &r, q)
	if err != nil {
		return "", fmt.Errorf("reading searches: %w", err)
	}
	if had != nil {
		r.ID = had.ID
		if had.same(&r) && now.Sub(had.UpdatedAt.Time) < sameSearch {
			return r.ID, nil
		}
	}
	err = h.db.Tx(ctx, func(tx *gorm.DB) error {
		if had != nil {
			done := tx.Model(&row{}).Where("id = ? AND user_id = ?", r.ID, userID).
				Updates(map[string]any{"query": r.Query, "filters": r.Filters, "creators": r.Creators, "updated_at": now})
			if done.Error != nil || done.RowsAffected > 0 {
				return done.Error
			}
			// Removed meanwhile, by newer ones.
		}
		if err := tx.Create(&r).Error; err != nil {
			return err
		}
		old := tx.Model(&row{}).Select("id").Where("user_id = ?", userID).Order("updated_at DESC, id DESC").Offset(maxSearches)
		return tx.Where("user_id = ? AND id IN (?)", userID, old).Delete(&row{}).Error
	})
	if err != nil {
		return "", fmt.Errorf("remembering search: %w", err)
	}
	return r.ID, nil
}

// find gives the row with which a search goes on, or nil.
func (h history) find(ctx context.Context, r *row, q Query) (*row, error) {
	if q.SearchID != "" {
		had, err := h.first(ctx, r.UserID, "id = ?", q.SearchID)
		if had != nil || err != nil || q.Page <= 1 {
			return had, err
		}
	}
	return h.first(ctx, r.UserID, "query = ? AND filters = ? AND creators = ?", r.Query, r.Filters, r.Creators)
}

// first gives the newest of a user's searches that meets a condition, or nil.
func (h history) first(ctx context.Context, userID, condition string, args ...any) (*row, error) {
	var r row
	err := h.db.Read.WithContext(ctx).Where("user_id = ?", userID).Where(condition, args...).Order("updated_at DESC, id DESC").Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return &r, err
}

// recent gives a user's newest searches, at most n.
func (h history) recent(ctx context.Context, userID string, n int) ([]SearchEntry, error) {
	var rows []row
	err := h.db.Read.WithContext(ctx).Where("user_id = ?", userID).Order("updated_at DESC, id DESC").Limit(n).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading searches: %w", err)
	}
	list := make([]SearchEntry, len(rows))
	for i, r := range rows {
		list[i] = SearchEntry{SearchQuery: r.Query, Filter: orEmpty(r.Filters.V), ByCreator: orEmpty(r.Creators.V), SearchID: r.ID}
	}
	return list, nil
}

// DeleteUser removes what a user has searched for, and says how many searches
// there were.
func (s *Service) DeleteUser(ctx context.Context, userID string) (int, error) {
	n, err := s.history.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		some := tx.Model(&row{}).Select("id").Where("user_id = ?", userID).Limit(rowsPerErase)
		done := tx.Where("user_id = ? AND id IN (?)", userID, some).Delete(&row{})
		return int(done.RowsAffected), done.RowsAffected > 0, done.Error
	})
	if err != nil {
		return n, fmt.Errorf("forgetting searches: %w", err)
	}
	return n, nil
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
