package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"agentserver/core"
)

// rescuePage bounds the jobs that are looked at in one query.
const rescuePage = 1000

// Rescue makes jobs available again that were taken by a worker which is not
// alive, and says how many.
func (q *Queue) Rescue(ctx context.Context, alive func(workerID string) bool) (int, error) {
	now := time.Now().UTC()
	// Whoever took a job may have a clock that is ahead; who is alive decides,
	// not the time.
	before := now.AddDate(100, 0, 0)
	rescued, after := 0, int64(0)
	for {
		stuck, err := q.executor.JobGetStuck(ctx, &riverdriver.JobGetStuckParams{AfterID: after, Max: rescuePage, StuckHorizon: before})
		if err != nil {
			return rescued, fmt.Errorf("finding lost jobs: %w", err)
		}
		params := &riverdriver.JobRescueManyParams{StuckHorizon: before}
		for _, job := range stuck {
			after = job.ID
			if n := len(job.AttemptedBy); n == 0 || alive(job.AttemptedBy[n-1]) {
				continue
			}
			trouble, err := core.JSON(rivertype.AttemptError{At: now, Attempt: job.Attempt, Error: "the worker was lost"})
			if err != nil {
				return rescued, err
			}
			params.ID = append(params.ID, job.ID)
			params.Error = append(params.Error, trouble)
			params.FinalizedAt = append(params.FinalizedAt, nil)
			params.ScheduledAt = append(params.ScheduledAt, now)
			params.State = append(params.State, string(rivertype.JobStateAvailable))
		}
		if len(params.ID) > 0 {
			if _, err := q.executor.JobRescueMany(ctx, params); err != nil {
				return rescued, fmt.Errorf("rescuing lost jobs: %w", err)
			}
			rescued += len(params.ID)
		}
		if len(stuck) < rescuePage {
			return rescued, nil
		}
	}
}
