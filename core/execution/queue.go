package execution

import (
	"context"
	"database/sql"

	"agentserver/core/jobs"
)

// runLine is the line of the queue in which runs wait.
const runLine = "runs"

// runArgs is the job that runs one agent.
type runArgs struct {
	ExecutionID string `json:"execution_id"`
}

// Kind names the job.
func (runArgs) Kind() string { return "run_agent" }

// job is a run that waits for an owner. Nested runs go first: their parents
// hold places while they wait for them.
type job struct {
	runID  string
	nested bool
}

// enqueue adds jobs for runs, inside a transaction.
func enqueue(ctx context.Context, q *jobs.Queue, tx *sql.Tx, list []job) error {
	added := make([]jobs.Job, len(list))
	for i, j := range list {
		added[i] = jobs.Job{Args: runArgs{ExecutionID: j.runID}, Line: runLine, Priority: 2}
		if j.nested {
			added[i].Priority = 1
		}
	}
	return q.Insert(ctx, tx, added...)
}
