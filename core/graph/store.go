package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// row is a stored version. Nodes and links live inside it: a version is
// written once, read whole, and never changed.
type row struct {
	ID                      string `gorm:"primaryKey"`
	Version                 int    `gorm:"primaryKey"`
	UserID                  string
	IsActive                bool
	Name                    string
	Description             string
	Instructions            *string
	RecommendedScheduleCron *string
	ForkedFromID            *string
	ForkedFromVersion       *int
	Nodes                   db.JSON[[]storedNode]
	Links                   db.JSON[[]Link]
	CreatedAt               db.Time
}

// TableName is graphs.
func (row) TableName() string { return "graphs" }

// storedNode is a node without what is derived.
type storedNode struct {
	ID           string      `json:"id"`
	BlockID      string      `json:"block_id"`
	InputDefault core.Values `json:"input_default"`
	Metadata     core.Values `json:"metadata"`
}

// Models are the row types of this room, for the schema test.
func Models() []any { return []any{&row{}} }

const metaColumns = "id, version, user_id, is_active, name, description, instructions, " +
	"recommended_schedule_cron, forked_from_id, forked_from_version, created_at"

func toRow(g *BaseGraph, userID string, now time.Time) *row {
	nodes := make([]storedNode, len(g.Nodes))
	for i, n := range g.Nodes {
		nodes[i] = storedNode{n.ID, n.BlockID, n.InputDefault, n.Metadata}
	}
	links := g.Links
	if links == nil {
		links = []Link{}
	}
	return &row{
		ID: g.ID, Version: g.Version, UserID: userID, IsActive: g.IsActive,
		Name: g.Name, Description: g.Description, Instructions: g.Instructions,
		RecommendedScheduleCron: g.RecommendedScheduleCron,
		ForkedFromID:            g.ForkedFromID, ForkedFromVersion: g.ForkedFromVersion,
		Nodes: db.AsJSON(nodes), Links: db.AsJSON(links), CreatedAt: db.Time{Time: now},
	}
}

func (r *row) header() Header {
	return Header{
		ID: r.ID, Version: r.Version, IsActive: r.IsActive, Name: r.Name, Description: r.Description,
		Instructions: r.Instructions, RecommendedScheduleCron: r.RecommendedScheduleCron,
		ForkedFromID: r.ForkedFromID, ForkedFromVersion: r.ForkedFromVersion,
	}
}

func (r *row) meta() Meta {
	return Meta{Header: r.header(), UserID: r.UserID, CreatedAt: r.CreatedAt.Time}
}

func (r *row) version() *Version {
	nodes := make([]Node, len(r.Nodes.V))
	for i, n := range r.Nodes.V {
		nodes[i] = Node{ID: n.ID, BlockID: n.BlockID, InputDefault: orEmpty(n.InputDefault), Metadata: orEmpty(n.Metadata)}
	}
	v := &Version{Header: r.header(), UserID: r.UserID, CreatedAt: r.CreatedAt.Time, Nodes: nodes, Links: r.Links.V}
	return v.index()
}

func orEmpty(v core.Values) core.Values {
	if v == nil {
		return core.Values{}
	}
	return v
}

// store reads and writes graphs. Reads for a user are scoped by user id.
type store struct{ db *db.DB }

// storable reports whether a row can have this key at all. Databases differ in
// what they do when they are asked for another.
func storable(id string, version int) bool { return db.Clean(id) == id && version <= math.MaxInt32 }

// version gives one stored version, whoever owns it; version 0 is the highest.
func (s store) version(ctx context.Context, id string, version int) (*row, error) {
	if !storable(id, version) {
		return nil, nil
	}
	q := s.db.Read.WithContext(ctx).Where("id = ?", id)
	if version > 0 {
		q = q.Where("version = ?", version)
	}
	var r row
	err := q.Order("version DESC").Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading graph: %w", err)
	}
	return &r, nil
}

// stamp is version without the content: whether it exists and is active.
func (s store) stamp(ctx context.Context, id string, version int) (*row, error) {
	if !storable(id, version) {
		return nil, nil
	}
	var rows []row
	q := s.db.Read.WithContext(ctx).Select("id, version, is_active").Where("id = ?", id)
	if version > 0 {
		q = q.Where("version = ?", version)
	}
	if err := q.Order("version DESC").Limit(1).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading graph: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

// activeMetas lists the highest active version of each of a user's graphs.
func (s store) activeMetas(ctx context.Context, userID string, limit int) ([]row, error) {
	var rows []row
	err := s.db.Read.WithContext(ctx).Select(metaColumns).
		Where(`user_id = ? AND is_active = ? AND version = (
			SELECT MAX(g.version) FROM graphs g WHERE g.id = graphs.id AND g.user_id = graphs.user_id AND g.is_active = ?)`, userID, true, true).
		Order("version DESC, created_at DESC, id").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing graphs: %w", err)
	}
	return rows, nil
}

// versions lists a user's versions of a graph, newest first.
func (s store) versions(ctx context.Context, userID, id string, limit int) ([]row, error) {
	var rows []row
	err := s.db.Read.WithContext(ctx).Where("id = ? AND user_id = ?", id, userID).
		Order("version DESC").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing versions: %w", err)
	}
	return rows, nil
}

// highest gives the highest version number of a graph and its owner, inside a
// transaction; 0 when there is none. Until the transaction ends, others that
// ask have to wait, so that the number after it is free.
func (s store) highest(tx *gorm.DB, id string) (version int, owner string, err error) {
	// Two statements: the second one sees what was committed during the wait.
	var locked []row
	err = tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Select("version").Where("id = ?", id).Order("version").Find(&locked).Error
	if err != nil {
		return 0, "", err
	}
	var rows []row
	err = tx.Select("version, user_id").Where("id = ?", id).Order("version DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, "", err
	}
	return rows[0].Version, rows[0].UserID, nil
}

// activate makes one version the only active one.
func (s store) activate(tx *gorm.DB, userID, id string, version int) error {
	err := tx.Model(&row{}).Where("id = ? AND user_id = ? AND version <> ? AND is_active = ?", id, userID, version, true).
		Update("is_active", false).Error
	if err != nil {
		return err
	}
	return tx.Model(&row{}).Where("id = ? AND user_id = ? AND version = ?", id, userID, version).
		Update("is_active", true).Error
}

// delete removes every version that the user owns and says how many.
func (s store) delete(tx *gorm.DB, userID, id string) (int, error) {
	res := tx.Where("id = ? AND user_id = ?", id, userID).Delete(&row{})
	return int(res.RowsAffected), res.Error
}
