package execution

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/graph"
	"agentserver/core/jobs"
)

// Config bounds a worker.
type Config struct {
	// MaxRuns is how many runs this process drives at once; nested runs come
	// on top, since their parents wait for them.
	MaxRuns int
	// MaxNodesPerRun is how many nodes of a run execute at once.
	MaxNodesPerRun int
	// MaxRunsPerUserGraph is how many runs of one graph a user may have at
	// work; more wait in the queue.
	MaxRunsPerUserGraph int
	// MaxNodeRuns ends runs that loop without end.
	MaxNodeRuns int
	// HeartbeatTimeout is how long a worker may be silent before its runs are
	// given to others.
	HeartbeatTimeout time.Duration
	// Work is false for processes that only start runs.
	Work bool
}

const (
	// maxNested is how many nested runs are taken from the queue at once.
	maxNested = 1000
	// maxTakeovers ends runs whose owners are lost again and again: something
	// in the run may be what ends them.
	maxTakeovers = 20
	// retryJob is when a job that found no place is tried again.
	retryJob = 2 * time.Second
)

// CredentialSource gives the credentials that blocks run with.
type CredentialSource interface {
	Get(ctx context.Context, userID, id string) (core.Credential, error)
}

// Services are what blocks get from the platform.
type Services struct {
	// HTTP gives the client for the blocks of a provider.
	HTTP   func(provider string) core.Doer
	Dial   core.Dialer
	Store  core.KeyValueStore
	Models core.ModelClient
	Files  Files
	Review core.Reviewer
}

// Files are the files of blocks.
type Files interface {
	core.Files
	// Release removes what a node run has on disk.
	Release(run *core.Run) error
}

// files gives the service, or none.
func (s Services) files() core.Files {
	if s.Files == nil {
		return nil
	}
	return s.Files
}

// release removes what a node run has on disk.
func (s Services) release(run *core.Run) {
	if s.Files == nil {
		return
	}
	if err := s.Files.Release(run); err != nil {
		run.Log.Warn("temporary files stay until the next start", "error", err)
	}
}

// Worker drives runs.
type Worker struct {
	id          string
	config      Config
	db          *db.DB
	store       store
	journal     *journal
	queue       *jobs.Queue
	bus         bus.Bus
	registry    *core.Registry
	graphs      *graph.Service
	credentials CredentialSource
	services    Services
	log         *slog.Logger
	metrics     *metrics

	mu       sync.Mutex
	runs     map[string]*active
	perGraph map[userGraph]int
	orphans  []*runRow
	draining bool
	// strays are the runs that this worker owned and did not drive at its last
	// beat.
	strays map[string]bool
	// backlog: runs wait in the queue. waiting counts the jobs that were taken
	// and wait for a place. lined holds when a run of a user's graph last had to
	// wait for another one of it.
	backlog bool
	waiting int
	lined   map[userGraph]time.Time
	// freed is closed when a place becomes free, and made anew.
	freed   chan struct{}
	starter *Service

	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
	alive  *liveness
}

type userGraph struct{ user, graph string }

// active is a run at work in this process.
type active struct {
	row     *runRow
	cancel  context.CancelCauseFunc
	done    chan struct{}
	nested  bool
	stopped bool // before it was launched
}

func newWorker(config Config, d *db.DB, b bus.Bus, registry *core.Registry, graphs *graph.Service,
	credentials CredentialSource, services Services, q *jobs.Queue, j *journal, log *slog.Logger, m *metrics,
) *Worker {
	w := &Worker{
		id: uuid.NewString(), config: config, db: d, store: store{d}, bus: b, registry: registry, graphs: graphs,
		credentials: credentials, services: services, queue: q, journal: j, log: log, metrics: m,
		runs: map[string]*active{}, perGraph: map[userGraph]int{}, freed: make(chan struct{}),
		lined: map[userGraph]time.Time{},
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.alive = newLiveness(config.HeartbeatTimeout)
	return w
}

// start registers the worker, takes over what a lost process of the same data
// folder left, and begins to take jobs.
func (w *Worker) start(ctx context.Context) error {
	if !w.config.Work {
		return nil
	}
	if err := w.register(ctx); err != nil {
		return err
	}
	if err := w.sweep(ctx); err != nil {
		return err
	}
	w.wg.Go(w.beat)
	w.wg.Go(w.listenForStops)
	w.wg.Go(w.watchStops)
	return w.queue.Start(w.ctx, w.id)
}

func (w *Worker) register(ctx context.Context) error {
	host, _ := os.Hostname()
	row := workerRow{ID: w.id, Host: host, PID: os.Getpid(), Beat: 1, StartedAt: db.Now()}
	if w.db.Engine == db.SQLite {
		// The data folder belongs to this process alone: every other worker
		// in it is gone.
		if err := w.db.Write.WithContext(ctx).Where("1 = 1").Delete(&workerRow{}).Error; err != nil {
			return fmt.Errorf("registering worker: %w", err)
		}
	}
	if err := w.db.Write.WithContext(ctx).Create(&row).Error; err != nil {
		return fmt.Errorf("registering worker: %w", err)
	}
	return nil
}

// fromQueue drives the run of a job. Jobs whose run has an owner, or is at its
// end, are done.
func (w *Worker) fromQueue(_ context.Context, args runArgs) error {
	if err := w.takeUp(args.ExecutionID); err != nil && w.ctx.Err() == nil {
		if jobs.IsLater(err) {
			return err
		}
		w.log.Warn("a run cannot be taken up and is tried again", "execution", args.ExecutionID, "error", err)
		return jobs.Later(retryJob)
	}
	return nil
}

func (w *Worker) takeUp(id string) error {
	row, err := w.store.run(w.ctx, id)
	if err != nil || row == nil || row.Status.Final() || row.Status == Review || row.WorkerID != nil {
		return err
	}
	if over, err := w.endIfOver(row); over || err != nil {
		return err
	}
	nested := row.ParentID != nil
	if !w.awaitPlace(row, nested) {
		return jobs.Later(pause())
	}
	full, err := w.overLimit(w.ctx, row)
	if err != nil || full {
		w.leave(row)
		if err == nil {
			err = jobs.Later(pause())
		}
		return err
	}
	claimed, err := w.store.claim(w.ctx, row, w.id)
	if err != nil || !claimed {
		w.leave(row)
		return err
	}
	a := w.launch(row, func(r *runner) error { return r.restore(w.ctx) })
	if !nested {
		// Holding the job keeps the queue from taking more than there is room
		// for. It is not what the run's life hangs on: that is the owner.
		<-a.done
	}
	return nil
}

// endIfOver ends a run that is not to go on: it was to be stopped, what it
// belongs to has ended, or it has been taken up too often.
func (w *Worker) endIfOver(row *runRow) (bool, error) {
	over := row.CancelRequested
	text := stoppedText
	if row.ParentID != nil && !over {
		parent, err := w.store.run(w.ctx, *row.ParentID)
		if err != nil {
			return false, err
		}
		over = parent == nil || parent.Status.Final()
	}
	status := Terminated
	if !over && row.Takeovers >= maxTakeovers {
		over, status = true, Failed
		text = fmt.Sprintf("The run was given up: it was interrupted %d times", row.Takeovers)
	}
	if !over {
		return false, nil
	}
	w.endChildren(row.ID)
	_, err := w.starter.endUnowned(w.ctx, row, status, text)
	return true, err
}

// endChildren stops what a run started that has ended early.
func (w *Worker) endChildren(runID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), stopWait)
	defer cancel()
	if err := w.starter.stopChildren(ctx, runID); err != nil {
		w.log.Warn("nested runs were not stopped", "execution", runID, "error", err)
	}
}

// pause is how long a job without a place is put off; it differs so that jobs
// do not return together.
func pause() time.Duration { return retryJob + rand.N(retryJob/2) } //nolint:gosec // spreads retries, keeps no secret

// launch drives an owned run that has a place.
func (w *Worker) launch(row *runRow, prepare func(*runner) error) *active {
	ctx, cancel := context.WithCancelCause(w.ctx)
	w.mu.Lock()
	a := w.runs[row.ID]
	a.cancel = cancel
	if a.stopped {
		cancel(errStopped)
	}
	if w.draining {
		cancel(errHandover)
	}
	w.mu.Unlock()
	w.wg.Go(func() {
		defer cancel(nil)
		defer w.leave(row)
		r := &runner{
			worker: w, row: row, log: w.log, timezone: location(row.Context.V.Timezone),
			events: make(chan nodeEvent, 64), committed: make(chan error, 1),
		}
		start := time.Now()
		r.drive(ctx, prepare)
		w.metrics.run(time.Since(start))
		if r.final == Failed || r.final == Terminated {
			w.endChildren(row.ID)
		}
	})
	return a
}

// locations keeps time zones, which are read from files.
var locations sync.Map

// location gives a time zone by name, UTC for what is not one.
func location(name string) *time.Location {
	if loc, ok := locations.Load(name); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	locations.Store(name, loc)
	return loc
}

// stopRun cancels a run if it is at work here.
func (w *Worker) stopRun(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.runs[id]
	switch {
	case a == nil:
	case a.cancel == nil:
		a.stopped = true
	default:
		a.cancel(errStopped)
	}
}

// abandon keeps a run that could not be written, to give it back to the queue
// when the database answers again.
func (w *Worker) abandon(row *runRow) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.orphans = append(w.orphans, row)
}

// stop lets runs end until ctx ends, then hands the rest over.
func (w *Worker) stop(ctx context.Context) {
	w.mu.Lock()
	w.draining = true
	w.mu.Unlock()
	if !w.config.Work {
		w.cancel()
		return
	}
	// The queue's own jobs end with the runs they started.
	quiet, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go w.queue.Stop(quiet)
	w.waitForRuns(ctx)
	w.mu.Lock()
	left := len(w.runs)
	for _, a := range w.runs {
		if a.cancel != nil {
			a.cancel(errHandover)
		}
	}
	w.mu.Unlock()
	if left > 0 {
		w.log.Info("unfinished runs are handed over", "runs", left)
	}
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancelLast()
	w.waitForRuns(last)
	w.queue.Stop(last)
	if err := w.db.Write.WithContext(last).Where("id = ?", w.id).Delete(&workerRow{}).Error; err != nil {
		w.log.Warn("the worker did not sign off; its beat will run out", "error", err)
	}
	w.cancel()
	quit := make(chan struct{})
	go func() {
		w.wg.Wait()
		close(quit)
	}()
	select {
	case <-quit:
	case <-last.Done():
		w.log.Warn("some work did not end in time and is left to the next process")
	}
}

func (w *Worker) waitForRuns(ctx context.Context) {
	for {
		w.mu.Lock()
		n := len(w.runs)
		w.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
