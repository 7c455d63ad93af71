package execution

import (
	"time"

	"agentserver/core"
)

// Meta is a run in lists.
type Meta struct {
	ID               string                        `json:"id"`
	UserID           string                        `json:"user_id"`
	GraphID          string                        `json:"graph_id"`
	GraphVersion     int                           `json:"graph_version"`
	Inputs           core.Values                   `json:"inputs"`
	CredentialInputs map[string]core.CredentialRef `json:"credential_inputs"`
	NodesInputMasks  map[string]core.Values        `json:"nodes_input_masks"`
	PresetID         *string                       `json:"preset_id"`
	Status           Status                        `json:"status"`
	StartedAt        *time.Time                    `json:"started_at"`
	EndedAt          *time.Time                    `json:"ended_at"`
	IsShared         bool                          `json:"is_shared" default:"false"`
	ShareToken       *string                       `json:"share_token"`
	IsDryRun         bool                          `json:"is_dry_run" default:"false"`
	Stats            *Stats                        `json:"stats"`
}

// Execution is a run with its outputs: output name to values, in order.
type Execution struct {
	Meta
	Outputs map[string][]any `json:"outputs"`
}

// WithNodes is a run with the runs of its nodes, at most 1000.
type WithNodes struct {
	Execution
	NodeExecutions []NodeResult `json:"node_executions"`
}

// NodeResult is one run of one node.
type NodeResult struct {
	UserID       string           `json:"user_id"`
	GraphID      string           `json:"graph_id"`
	GraphVersion int              `json:"graph_version"`
	GraphExecID  string           `json:"graph_exec_id"`
	NodeExecID   string           `json:"node_exec_id"`
	NodeID       string           `json:"node_id"`
	BlockID      string           `json:"block_id"`
	Status       Status           `json:"status"`
	InputData    core.Values      `json:"input_data"`
	OutputData   map[string][]any `json:"output_data"`
	AddTime      time.Time        `json:"add_time"`
	QueueTime    *time.Time       `json:"queue_time"`
	StartTime    *time.Time       `json:"start_time"`
	EndTime      *time.Time       `json:"end_time"`
}

// Stats are the figures of a run. Times are in seconds, cost in credits.
type Stats struct {
	Cost                int      `json:"cost" default:"0"`
	Duration            float64  `json:"duration" default:"0"`
	DurationCPUOnly     float64  `json:"duration_cpu_only" default:"0"`
	NodeExecTime        float64  `json:"node_exec_time" default:"0"`
	NodeExecTimeCPUOnly float64  `json:"node_exec_time_cpu_only" default:"0"`
	NodeExecCount       int      `json:"node_exec_count" default:"0"`
	NodeErrorCount      int      `json:"node_error_count" default:"0"`
	Error               *string  `json:"error"`
	ActivityStatus      *string  `json:"activity_status"`
	CorrectnessScore    *float64 `json:"correctness_score"`
}

// Page is a page of runs.
type Page struct {
	Executions []Meta     `json:"executions"`
	Pagination Pagination `json:"pagination"`
}

// Pagination says where a page stands.
type Pagination struct {
	TotalItems  int `json:"total_items"`
	TotalPages  int `json:"total_pages"`
	CurrentPage int `json:"current_page"`
	PageSize    int `json:"page_size"`
}

// Shared is what anyone with the link sees of a shared run.
type Shared struct {
	ID               string           `json:"id"`
	GraphName        string           `json:"graph_name"`
	GraphDescription *string          `json:"graph_description"`
	Status           Status           `json:"status"`
	CreatedAt        time.Time        `json:"created_at"`
	Outputs          map[string][]any `json:"outputs"`
}

// ShareLink is the answer to sharing a run.
type ShareLink struct {
	ShareURL   string `json:"share_url"`
	ShareToken string `json:"share_token"`
}

// runContext is what a run keeps of the moment it was started.
type runContext struct {
	Timezone          string `json:"timezone"`
	ReviewSafeMode    bool   `json:"human_in_the_loop_safe_mode"`
	SensitiveSafeMode bool   `json:"sensitive_action_safe_mode"`
	// Call is the id of the node run that started this run, for nested ones.
	Call string `json:"call,omitempty"`
}
