package execution

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

var (
	// errFenced is given to the owner of a run that was taken over.
	errFenced = errors.New("the run has another owner")
	// errEnded is given to those who come after the journal's end.
	errEnded = core.Errorf(core.Unavailable, "the server is stopping")
)

// entry is what one commit writes for one run.
type entry struct {
	runID string
	fence int64
	// parent is the run that starts a nested one: the run is created only while
	// the parent still has its owner.
	parent      string
	parentFence int64
	nested      bool
	// create, when set, inserts the run; enqueue adds a job for it.
	create  *runRow
	enqueue bool
	nodes   []nodeRow // inputs included
	states  []nodeRow // without inputs
	outputs []outputRow
	// update, when set, changes the run's own row.
	update *runUpdate
	// committed is called once, from the journal's goroutine; it must not
	// block.
	committed func(error)

	tries int       // that failed
	next  time.Time // of the next try
}

// guard gives the run whose fence must hold for the entry to be written, ""
// when there is none.
func (e *entry) guard() (runID string, fence int64) {
	if e.create != nil {
		return e.parent, e.parentFence
	}
	return e.runID, e.fence
}

// runUpdate changes a run's row.
type runUpdate struct {
	status    Status
	stats     *Stats
	startedAt time.Time
	endedAt   time.Time
	// release gives the run back to the queue; leave only takes its owner away,
	// because it waits for people.
	release, leave bool
}

// Bounds of the journal.
const (
	// maxBatch entries go into one transaction.
	maxBatch = 256
	// maxPending entries wait before submitters are held back.
	maxPending = 4096
	// maxTries is how often an entry is tried, with growing pauses of some
	// three seconds in all.
	maxTries = 6
)

// journal is the one writer of a process: it commits the entries of many runs
// in one transaction.
type journal struct {
	db      *db.DB
	queue   *jobs.Queue
	log     *slog.Logger
	metrics *metrics
	in      chan *entry
	// delayed entries failed and are tried again, each alone, so that they do
	// not hold up the others.
	delayed []*entry

	mu    sync.RWMutex
	ended bool
}

func newJournal(d *db.DB, q *jobs.Queue, log *slog.Logger, m *metrics) *journal {
	return &journal{db: d, queue: q, log: log, in: make(chan *entry, maxPending), metrics: m}
}

// submit hands an entry over. After the journal's end, the entry is told so.
func (j *journal) submit(e *entry) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.ended {
		e.committed(errEnded)
		return
	}
	j.in <- e
}

// run writes until ctx ends. What was handed over before is still tried, once.
func (j *journal) run(ctx context.Context) {
	for {
		var retry <-chan time.Time
		if len(j.delayed) > 0 {
			retry = time.After(time.Until(j.delayed[0].next))
		}
		select {
		case e := <-j.in:
			j.write(j.collect(e))
		case <-retry:
			e := j.delayed[0]
			j.delayed = j.delayed[1:]
			j.write([]*entry{e})
		case <-ctx.Done():
			j.end()
			return
		}
	}
}

// end writes what is left.
func (j *journal) end() {
	done := make(chan struct{})
	go func() { // submitters that wait for room hold the lock
		j.mu.Lock()
		j.ended = true
		j.mu.Unlock()
		close(done)
	}()
	last := func(batch []*entry) {
		for _, e := range batch {
			e.tries = maxTries - 1
		}
		j.write(batch)
	}
	for waiting := true; waiting; {
		select {
		case e := <-j.in:
			last(j.collect(e))
		case <-done:
			waiting = false
		}
	}
	for len(j.in) > 0 {
		last(j.collect(<-j.in))
	}
	for _, e := range j.delayed {
		last([]*entry{e})
	}
}

// collect takes what else is waiting, up to the bound of a transaction.
func (j *journal) collect(first *entry) []*entry {
	batch := []*entry{first}
	for len(batch) < maxBatch {
		select {
		case e := <-j.in:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// write commits a batch. When it fails, each entry is tried alone, so that one
// bad entry does not fail the others.
func (j *journal) write(batch []*entry) {
	start := time.Now()
	fenced, err := j.commit(context.Background(), batch)
	switch {
	case err == nil:
		j.metrics.batch(len(batch), time.Since(start))
		for _, e := range batch {
			if fenced[e] {
				e.committed(errFenced)
			} else {
				e.committed(nil)
			}
		}
	case len(batch) == 1:
		j.failed(batch[0], err)
	default:
		j.log.Warn("a batch of steps was not written and is tried one by one", "steps", len(batch), "error", err)
		for _, e := range batch {
			j.write([]*entry{e})
		}
	}
}

// failed puts an entry off, or gives it up after the last try.
func (j *journal) failed(e *entry, err error) {
	if e.tries++; e.tries < maxTries {
		e.next = time.Now().Add(time.Duration(e.tries*e.tries) * 50 * time.Millisecond)
		j.delayed = append(j.delayed, e)
		slices.SortStableFunc(j.delayed, func(a, b *entry) int { return a.next.Compare(b.next) })
		return
	}
	j.log.Error("a step was not written", "execution", e.runID, "error", err)
	e.committed(err)
}

// commit writes a batch in one transaction. Entries whose run has another
// owner are left out and returned.
func (j *journal) commit(ctx context.Context, batch []*entry) (fenced map[*entry]bool, err error) {
	err = j.db.Tx(ctx, func(tx *gorm.DB) error {
		sqlTx, err := db.SQLTx(tx)
		if err != nil {
			return err
		}
		w := &writer{ctx: ctx, tx: sqlTx, engine: j.db.Engine}
		if fenced, err = w.fencedEntries(batch); err != nil {
			return err
		}
		var waiting []job
		for _, e := range batch {
			if fenced[e] {
				continue
			}
			if e.enqueue || e.update != nil && e.update.release {
				waiting = append(waiting, job{e.runID, e.nested})
			}
		}
		if err := w.write(batch, fenced); err != nil {
			return err
		}
		return enqueue(ctx, j.queue, sqlTx, waiting)
	})
	return fenced, err
}
