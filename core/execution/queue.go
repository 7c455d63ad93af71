package execution

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"agentserver/core/db"
)

// runArgs is the job that runs one agent.
type runArgs struct {
	ExecutionID string `json:"execution_id"`
}

// Kind names the job.
func (runArgs) Kind() string { return "run_agent" }

// queueClient is the running side of the queue, whatever the type of its transactions.
type queueClient interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// queue is the durable list of runs that have no owner. Jobs are inserted in
// the transactions of the journal and taken by workers.
type queue struct {
	insertTx func(ctx context.Context, tx *sql.Tx, params []river.InsertManyParams) error
	executor riverdriver.Executor
	database *db.DB
	client   queueClient
}

// newQueue makes a queue that only inserts.
func newQueue(d *db.DB, log *slog.Logger) (*queue, error) {
	var driver riverdriver.Driver[*sql.Tx]
	if d.Engine == db.Postgres {
		driver = riverdatabasesql.New(d.SQL())
	} else {
		driver = riversqlite.New(d.SQL())
	}
	inserter, err := river.NewClient(driver, &river.Config{Logger: quiet(log)})
	if err != nil {
		return nil, fmt.Errorf("opening queue: %w", err)
	}
	insert := func(ctx context.Context, tx *sql.Tx, params []river.InsertManyParams) error {
		_, err := inserter.InsertManyFastTx(ctx, tx, params)
		return err
	}
	return &queue{insertTx: insert, executor: driver.GetExecutor(), database: d}, nil
}

// quiet keeps the queue's own chatter out of the log.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{log.Handler(), slog.LevelWarn})
}

// job is a run that waits for an owner. Nested runs go first: their parents
// hold places while they wait for them.
type job struct {
	runID  string
	nested bool
}

// insert adds jobs, inside a transaction.
func (q *queue) insert(ctx context.Context, tx *sql.Tx, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		opts := &river.InsertOpts{Priority: 2}
		if j.nested {
			opts.Priority = 1
		}
		params[i] = river.InsertManyParams{Args: runArgs{ExecutionID: j.runID}, InsertOpts: opts}
	}
	if err := q.insertTx(ctx, tx, params); err != nil {
		return fmt.Errorf("adding to the queue: %w", err)
	}
	return nil
}

// work starts taking jobs, at most `limit` at a time, as the worker of that id.
func (q *queue) work(ctx context.Context, workerID string, limit int, log *slog.Logger, run func(ctx context.Context, id string) error) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[runArgs]) error {
		return run(ctx, job.Args.ExecutionID)
	}))
	config := &river.Config{
		ID:                workerID,
		Logger:            quiet(log),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: limit}},
		Workers:           workers,
		JobTimeout:        -1,
		FetchCooldown:     10 * time.Millisecond,
		FetchPollInterval: 500 * time.Millisecond,
		// Lost jobs are found by the beat of their worker, long before this.
		RescueStuckJobsAfter:        24 * time.Hour,
		CompletedJobRetentionPeriod: time.Hour,
	}
	var err error
	if q.database.Engine == db.Postgres {
		q.client, err = river.NewClient(riverpgxv5.New(q.database.Pool), config)
	} else {
		// The file has no way to tell of new jobs: look often.
		config.FetchPollInterval = 50 * time.Millisecond
		q.client, err = river.NewClient(riversqlite.New(q.database.SQL()), config)
	}
	if err != nil {
		return fmt.Errorf("opening queue: %w", err)
	}
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("starting queue: %w", err)
	}
	return nil
}

// stop ends taking jobs and waits for those at work until ctx ends.
func (q *queue) stop(ctx context.Context) {
	if q.client == nil {
		return
	}
	if err := q.client.Stop(ctx); err != nil {
		_ = q.client.StopAndCancel(context.WithoutCancel(ctx))
	}
}

// rescue makes jobs available again that workers took and that are not alive.
func (q *queue) rescue(ctx context.Context, alive func(workerID string) bool, before time.Time) (int, error) {
	const page = 1000
	rescued, after := 0, int64(0)
	for {
		stuck, err := q.executor.JobGetStuck(ctx, &riverdriver.JobGetStuckParams{AfterID: after, Max: page, StuckHorizon: before})
		if err != nil {
			return rescued, fmt.Errorf("finding lost jobs: %w", err)
		}
		params := &riverdriver.JobRescueManyParams{StuckHorizon: before}
		for _, job := range stuck {
			after = job.ID
			if n := len(job.AttemptedBy); n == 0 || alive(job.AttemptedBy[n-1]) {
				continue
			}
			params.ID = append(params.ID, job.ID)
			params.Error = append(params.Error, []byte(`{"error":"the worker was lost","at":"`+time.Now().UTC().Format(time.RFC3339Nano)+`","attempt":1,"trace":""}`))
			params.FinalizedAt = append(params.FinalizedAt, nil)
			params.ScheduledAt = append(params.ScheduledAt, time.Now().UTC())
			params.State = append(params.State, string(rivertype.JobStateAvailable))
		}
		if len(params.ID) > 0 {
			if _, err := q.executor.JobRescueMany(ctx, params); err != nil {
				return rescued, fmt.Errorf("rescuing lost jobs: %w", err)
			}
			rescued += len(params.ID)
		}
		if len(stuck) < page {
			return rescued, nil
		}
	}
}

// later puts a job off.
func later(d time.Duration) error { return river.JobSnooze(d) }
