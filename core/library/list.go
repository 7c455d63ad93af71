package library

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"agentserver/core"
)

const (
	// maxTerm is how many characters a search term can have.
	maxTerm = 100
	// foundText is how many characters of a text a search gives.
	foundText = 2000
	// idsPerQuery bounds the parameters of a statement.
	idsPerQuery = 500
)

// Query selects a part of a library, the agents that changed last first.
type Query struct {
	// Term, unless it is blank, has to be in the name or the description, in
	// capital or small letters. It has at most 100 characters.
	Term          string
	Offset, Limit int
}

// Found is an agent that was found, with the beginnings of its texts, at most
// 2,000 characters of each.
type Found struct{ ID, Name, Description, Instructions, CreatorName string }

// Find gives the part of a user's library that a query selects, and says how many
// agents it would give without bounds. Deleted and archived ones are left out.
func (s *Service) Find(ctx context.Context, userID string, q Query) ([]Found, int, error) {
	term := strings.ToLower(strings.TrimSpace(q.Term))
	if utf8.RuneCountInString(term) > maxTerm {
		return nil, 0, core.Errorf(core.Invalid, "Search term is too long")
	}
	matching := s.shelf(ctx, userID)
	if term != "" {
		matching = matching.Where("("+s.db.Contains("g.name")+" OR "+s.db.Contains("g.description")+")", term, term)
	}
	// Counted beside the rows rather than over them, so that the limit helps.
	var total int64
	if err := matching.Session(&gorm.Session{}).Count(&total).Error; err != nil {
		return nil, 0, fmt.Errorf("counting library: %w", err)
	}
	var found []Found
	err := matching.Session(&gorm.Session{}).
		Select("l.id, substr(g.name, 1, ?) AS name, substr(g.description, 1, ?) AS description, substr(coalesce(g.instructions, ''), 1, ?) AS instructions, ? AS creator_name",
			foundText, foundText, foundText, unknownCreator).
		Order("l.updated_at DESC, l.id").Offset(q.Offset).Limit(q.Limit).Scan(&found).Error
	if err != nil {
		return nil, 0, fmt.Errorf("searching library: %w", err)
	}
	return found, int(total), nil
}

// Agents gives agents of a user's library by their ids, as lists show them. Ids
// of no agent that is in it are left out.
func (s *Service) Agents(ctx context.Context, userID string, ids []string) (map[string]Agent, error) {
	agents := make(map[string]Agent, len(ids))
	for some := range slices.Chunk(ids, idsPerQuery) {
		var rows []shelved
		err := s.shelf(ctx, userID).Where("l.id IN ?", some).
			Select("l.*, g.name, g.description, g.instructions, g.recommended_schedule_cron, g.user_id AS owner_id, g.created_at AS graph_created_at").
			Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("reading library: %w", err)
		}
		for i := range rows {
			agents[rows[i].Row.ID] = rows[i].listed()
		}
	}
	return agents, nil
}

// Count says how many agents are in a user's library.
func (s *Service) Count(ctx context.Context, userID string) (int, error) {
	var n int64
	if err := s.shelf(ctx, userID).Count(&n).Error; err != nil {
		return 0, fmt.Errorf("counting library: %w", err)
	}
	return int(n), nil
}

// shelf joins what a user's library shows with the graphs it is made of.
func (s *Service) shelf(ctx context.Context, userID string) *gorm.DB {
	return s.db.Read.WithContext(ctx).Table("library_agents l").
		Joins("JOIN graphs g ON g.id = l.graph_id AND g.version = l.graph_version").
		Where("l.user_id = ? AND l.is_deleted = ? AND l.is_archived = ?", userID, false, false)
}
