package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"agentserver/core/db"
)

// Args are the arguments of a kind of job; they travel as JSON.
type Args = river.JobArgs

// Job is a piece of work to add.
type Job struct {
	Args Args
	// Line is the line in which the job waits; each has limits of its own.
	Line string
	// At is when it may be done; zero means at once.
	At time.Time
}

// client is the running side of the queue, whatever the type of its
// transactions.
type client interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// Queue adds jobs and, once started, does them. It is safe for concurrent use.
type Queue struct {
	db       *db.DB
	log      *slog.Logger
	insert   func(ctx context.Context, tx *sql.Tx, params []river.InsertManyParams) error
	executor riverdriver.Executor
	workers  *river.Workers
	lines    map[string]int
	client   client
}

// New makes a queue that adds jobs. Start makes it do them too.
func New(d *db.DB, log *slog.Logger) (*Queue, error) {
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
	return &Queue{
		db: d, log: log, insert: insert, executor: driver.GetExecutor(), workers: river.NewWorkers(), lines: map[string]int{},
	}, nil
}

// quiet keeps the library's own chatter out of the log.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{log.Handler(), slog.LevelWarn})
}

// Insert adds jobs inside a transaction: they exist if it commits.
func (q *Queue) Insert(ctx context.Context, tx *sql.Tx, list ...Job) error {
	if len(list) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(list))
	for i, j := range list {
		params[i] = river.InsertManyParams{Args: j.Args, InsertOpts: &river.InsertOpts{Queue: j.Line, ScheduledAt: j.At}}
	}
	if err := q.insert(ctx, tx, params); err != nil {
		return fmt.Errorf("adding to the queue: %w", err)
	}
	return nil
}

// Handle declares how a kind of job is done. An error puts the job off, longer
// each time; [Later] puts it off without counting as a failure.
func Handle[T Args](q *Queue, do func(ctx context.Context, args T) error) {
	river.AddWorker(q.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error {
		return do(ctx, job.Args)
	}))
}

// Line declares a line, and how many of its jobs one process does at once. It
// is called before Start.
func (q *Queue) Line(name string, limit int) { q.lines[name] = limit }

// Later puts a job off.
func Later(d time.Duration) error { return river.JobSnooze(d) }

// Start begins to do jobs as the worker of that id: of each line as many at
// once as its limit says.
func (q *Queue) Start(ctx context.Context, workerID string) error {
	config := &river.Config{
		ID:                workerID,
		Logger:            quiet(q.log),
		Queues:            map[string]river.QueueConfig{},
		Workers:           q.workers,
		JobTimeout:        -1,
		FetchCooldown:     10 * time.Millisecond,
		FetchPollInterval: 500 * time.Millisecond,
		// Lost jobs are found by the beat of their worker, long before this.
		RescueStuckJobsAfter:        24 * time.Hour,
		CompletedJobRetentionPeriod: time.Hour,
	}
	for line, limit := range q.lines {
		config.Queues[line] = river.QueueConfig{MaxWorkers: limit}
	}
	var err error
	if q.db.Engine == db.Postgres {
		q.client, err = river.NewClient(riverpgxv5.New(q.db.Pool), config)
	} else {
		// The file has no way to tell of new jobs, so each line looks for itself. To
		// look takes most of a millisecond: more often, an idle server would be busy.
		config.FetchPollInterval = 200 * time.Millisecond
		q.client, err = river.NewClient(riversqlite.New(q.db.SQL()), config)
	}
	if err != nil {
		return fmt.Errorf("opening queue: %w", err)
	}
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("starting queue: %w", err)
	}
	return nil
}

// Stop ends the taking of jobs and waits for those at work until ctx ends.
func (q *Queue) Stop(ctx context.Context) {
	if q.client == nil {
		return
	}
	if err := q.client.Stop(ctx); err != nil {
		_ = q.client.StopAndCancel(context.WithoutCancel(ctx)) // it is stopped already
	}
}

// IsLater reports whether an error is one of [Later].
func IsLater(err error) bool {
	var later *river.JobSnoozeError
	return errors.As(err, &later)
}
