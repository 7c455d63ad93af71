package execution

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"agentserver/core"
	"agentserver/core/db"
)

// runRow is a stored run.
type runRow struct {
	ID               string `gorm:"primaryKey"`
	UserID           string
	GraphID          string
	GraphVersion     int
	Status           Status
	Inputs           db.JSON[core.Values]
	CredentialInputs db.JSON[map[string]core.CredentialRef]
	NodesInputMasks  db.JSON[map[string]core.Values]
	PresetID         *string
	ParentID         *string
	RootID           *string
	Depth            int
	IsDryRun         bool
	Context          db.JSON[runContext]
	Stats            db.JSON[*Stats]
	WorkerID         *string
	Fence            int64
	Takeovers        int
	CancelRequested  bool
	IsDeleted        bool
	IsShared         bool
	ShareToken       *string
	SharedAt         db.Time
	CreatedAt        db.Time
	StartedAt        db.Time
	EndedAt          db.Time
}

// TableName is graph_executions.
func (runRow) TableName() string { return "graph_executions" }

// nodeRow is a stored run of one node.
type nodeRow struct {
	ID          string `gorm:"primaryKey"`
	GraphExecID string
	NodeID      string
	BlockID     string
	Seq         int
	Status      Status
	Pins        db.JSON[[]pin]
	Input       db.JSON[core.Values]
	Emitted     int
	Routed      int
	Stats       db.JSON[*core.StatsData]
	AddedAt     db.Time
	QueuedAt    db.Time
	StartedAt   db.Time
	EndedAt     db.Time
}

// TableName is node_executions.
func (nodeRow) TableName() string { return "node_executions" }

// outputRow holds the outputs of one commit.
type outputRow struct {
	NodeExecID string `gorm:"primaryKey"`
	First      int    `gorm:"primaryKey"`
	Data       db.JSON[[]emission]
}

// TableName is node_outputs.
func (outputRow) TableName() string { return "node_outputs" }

// workerRow is a process that runs agents.
type workerRow struct {
	ID        string `gorm:"primaryKey"`
	Host      string
	PID       int `gorm:"column:pid"`
	Beat      int64
	StartedAt db.Time
}

// TableName is workers.
func (workerRow) TableName() string { return "workers" }

// Models are the row types of this room, for the schema test.
func Models() []any {
	return []any{&runRow{}, &nodeRow{}, &outputRow{}, &workerRow{}, &valueRow{}, &reviewRow{}}
}

// MarshalJSON writes a [name, value] pair.
func (e emission) MarshalJSON() ([]byte, error) { return core.JSON([]any{e.Name, e.Value}) }

// UnmarshalJSON reads a [name, value] pair.
func (e *emission) UnmarshalJSON(data []byte) error {
	v, err := core.DecodeJSON(data)
	if err != nil {
		return err
	}
	pair, ok := v.([]any)
	if !ok || len(pair) != 2 {
		return core.Errorf(core.Internal, "an output is not a pair")
	}
	e.Name, _ = pair[0].(string)
	e.Value = pair[1]
	return nil
}

// UnmarshalJSON keeps whole numbers whole.
func (p *pin) UnmarshalJSON(data []byte) error {
	var raw struct {
		Name  string          `json:"n"`
		Value json.RawMessage `json:"v"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	p.Name = raw.Name
	if len(raw.Value) == 0 {
		return nil
	}
	v, err := core.DecodeJSON(raw.Value)
	p.Value = v
	return err
}

func (r *runRow) meta() Meta {
	return Meta{
		ID: r.ID, UserID: r.UserID, GraphID: r.GraphID, GraphVersion: r.GraphVersion,
		Inputs: r.Inputs.V, CredentialInputs: r.CredentialInputs.V, NodesInputMasks: r.NodesInputMasks.V,
		PresetID: r.PresetID, Status: r.Status, StartedAt: timeOrNil(r.StartedAt), EndedAt: timeOrNil(r.EndedAt),
		IsShared: r.IsShared, ShareToken: r.ShareToken, IsDryRun: r.IsDryRun, Stats: r.Stats.V,
	}
}

func timeOrNil(t db.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}

// toNodeRow makes the row of a node's run.
func toNodeRow(runID string, r *nodeRun) nodeRow {
	row := nodeRow{
		ID: r.id, GraphExecID: runID, NodeID: r.plan.node.ID, BlockID: r.plan.node.BlockID, Seq: r.seq,
		Status: r.status, Emitted: r.emitted, Routed: r.routed, AddedAt: db.At(r.addedAt), QueuedAt: db.At(r.queuedAt),
		StartedAt: db.At(r.startedAt), EndedAt: db.At(r.endedAt),
	}
	if r.done {
		stats := r.stats
		row.Stats = db.AsJSON(&stats)
	}
	if r.dirty == dirtyInputs {
		row.Pins, row.Input = db.AsJSON(r.pins), db.AsJSON(r.input)
	}
	return row
}

// newID makes an id that sorts by the time it was made: rows that are written
// together stand together in the indexes.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}
