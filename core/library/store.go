package library

import (
	"agentserver/core/db"
	"agentserver/core/graph"
)

// row is a version of a graph in a user's library.
type row struct {
	ID                      string `gorm:"primaryKey"`
	UserID                  string
	GraphID                 string
	GraphVersion            int
	IsCreatedByUser         bool
	UseGraphIsActiveVersion bool
	IsArchived              bool
	IsDeleted               bool
	Settings                db.JSON[*graph.Settings]
	CreatedAt               db.Time
	UpdatedAt               db.Time
}

// TableName is library_agents.
func (row) TableName() string { return "library_agents" }

// Models are the row types of this room, for the schema test.
func Models() []any { return []any{&row{}} }
