package execution

import (
	"context"
	"database/sql"

	"agentserver/core/jobs"
)

// Lines of the queue. Nested runs have one of their own: their parents hold
// places while they wait for them, so they must not wait behind others.
const (
	runLine    = "runs"
	nestedLine = "nested"
)

// runArgs is the job that runs one agent.
type runArgs struct {
	ExecutionID string `json:"execution_id"`
}

// Kind names the job.
func (runArgs) Kind() string { return "run_agent" }

// job is a run that waits for an owner.
type job struct {
	runID  string
	nested bool
}

// enqueue adds jobs for runs, inside a transaction.
func enqueue(ctx context.Context, q *jobs.Queue, tx *sql.Tx, list []job) error {
	added := make([]jobs.Job, len(list))
	for i, j := range list {
		added[i] = jobs.Job{Args: runArgs{ExecutionID: j.runID}, Line: runLine}
		if j.nested {
			added[i].Line = nestedLine
		}
	}
	return q.Insert(ctx, tx, added...)
}
