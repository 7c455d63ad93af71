package library

import (
	"encoding/json"

	"agentserver/core/db"
	"agentserver/core/graph"
)

// Status says how the latest runs of an agent went.
type Status string

// Completed is the status of an agent whose runs all went well, and of one whose
// runs were not looked at.
const Completed Status = "COMPLETED"

// unknownCreator is shown for agents without a known creator.
const unknownCreator = "Unknown"

// noSchema is the schema of an agent whose nodes were not looked at.
var noSchema = json.RawMessage(`{"type":"object","properties":{},"required":[]}`)

// Agent is an agent of a library as clients see it.
type Agent struct {
	ID                      string             `json:"id"`
	GraphID                 string             `json:"graph_id"`
	GraphVersion            int                `json:"graph_version"`
	ImageURL                *string            `json:"image_url"`
	CreatorName             string             `json:"creator_name"`
	CreatorImageURL         string             `json:"creator_image_url"`
	Status                  Status             `json:"status"`
	CreatedAt               db.Time            `json:"created_at"`
	UpdatedAt               db.Time            `json:"updated_at"`
	Name                    string             `json:"name"`
	Description             string             `json:"description"`
	Instructions            *string            `json:"instructions"`
	InputSchema             json.RawMessage    `json:"input_schema"`
	OutputSchema            json.RawMessage    `json:"output_schema"`
	CredentialsInputSchema  json.RawMessage    `json:"credentials_input_schema"`
	HasExternalTrigger      bool               `json:"has_external_trigger"`
	HasHumanInTheLoop       bool               `json:"has_human_in_the_loop"`
	HasSensitiveAction      bool               `json:"has_sensitive_action"`
	TriggerSetupInfo        *graph.TriggerInfo `json:"trigger_setup_info"`
	NewOutput               bool               `json:"new_output"`
	ExecutionCount          int                `json:"execution_count"`
	SuccessRate             *float64           `json:"success_rate"`
	AvgCorrectnessScore     *float64           `json:"avg_correctness_score"`
	RecentExecutions        []RecentExecution  `json:"recent_executions"`
	CanAccessGraph          bool               `json:"can_access_graph"`
	IsLatestVersion         bool               `json:"is_latest_version"`
	IsFavorite              bool               `json:"is_favorite"`
	FolderID                *string            `json:"folder_id"`
	FolderName              *string            `json:"folder_name"`
	RecommendedScheduleCron *string            `json:"recommended_schedule_cron"`
	Settings                graph.Settings     `json:"settings"`
	MarketplaceListing      *Listing           `json:"marketplace_listing"`
}

// RecentExecution is one of the latest runs of an agent.
type RecentExecution struct {
	Status           string   `json:"status"`
	CorrectnessScore *float64 `json:"correctness_score"`
	ActivitySummary  *string  `json:"activity_summary"`
}

// Listing is where an agent stands in the marketplace.
type Listing struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Slug    string         `json:"slug"`
	Creator ListingCreator `json:"creator"`
}

// ListingCreator is whose listing it is.
type ListingCreator struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

// shelved is a row of a library with what lists show of its graph.
type shelved struct {
	Row                     row `gorm:"embedded"`
	Name                    string
	Description             string
	Instructions            *string
	RecommendedScheduleCron *string
	OwnerID                 string
	GraphCreatedAt          db.Time
}

// listed is the agent as lists show it: without what its nodes and runs tell.
func (r *shelved) listed() Agent {
	a := Agent{
		ID: r.Row.ID, GraphID: r.Row.GraphID, GraphVersion: r.Row.GraphVersion, CreatorName: unknownCreator, Status: Completed,
		CreatedAt: r.Row.CreatedAt, UpdatedAt: r.Row.UpdatedAt, Name: r.Name, Description: r.Description, Instructions: r.Instructions,
		InputSchema: noSchema, OutputSchema: noSchema, RecentExecutions: []RecentExecution{},
		CanAccessGraph: r.OwnerID == r.Row.UserID, IsLatestVersion: true,
		RecommendedScheduleCron: r.RecommendedScheduleCron, Settings: graph.DefaultSettings(),
	}
	// A version is written once, so it was updated when it was made.
	if r.GraphCreatedAt.After(a.UpdatedAt.Time) {
		a.UpdatedAt = r.GraphCreatedAt
	}
	if r.Row.Settings.V != nil {
		a.Settings = *r.Row.Settings.V
	}
	return a
}
