package execution

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"agentserver/core/db"
	"agentserver/core/jobs"
)

// errFenced is given to the owner of a run that was taken over.
var errFenced = errors.New("the run has another owner")

// entry is what one commit writes for one run.
type entry struct {
	runID  string
	fence  int64
	nested bool
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
}

// runUpdate changes a run's row.
type runUpdate struct {
	status    Status
	stats     *Stats
	startedAt time.Time
	endedAt   time.Time
	// release gives the run back to the queue.
	release bool
}

// Bounds of one transaction.
const (
	maxBatch = 256
	// maxPending entries wait before submitters are held back.
	maxPending = 4096
)

// journal is the one writer of a process: it commits the entries of many runs
// in one transaction.
type journal struct {
	db      *db.DB
	queue   *jobs.Queue
	log     *slog.Logger
	in      chan *entry
	metrics *metrics
}

func newJournal(d *db.DB, q *jobs.Queue, log *slog.Logger, m *metrics) *journal {
	return &journal{db: d, queue: q, log: log, in: make(chan *entry, maxPending), metrics: m}
}

// submit hands an entry over. It fails when the journal has ended.
func (j *journal) submit(ctx context.Context, e *entry) {
	select {
	case j.in <- e:
	case <-ctx.Done():
		e.committed(ctx.Err())
	}
}

// run writes until ctx ends; what was handed over before is still written.
func (j *journal) run(ctx context.Context) {
	for {
		select {
		case e := <-j.in:
			j.write(j.collect(e))
		case <-ctx.Done():
			for {
				select {
				case e := <-j.in:
					j.write(j.collect(e))
				default:
					return
				}
			}
		}
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
// bad entry does not fail the others; when the database does not answer, it is
// tried again for a while.
func (j *journal) write(batch []*entry) {
	const tries = 6
	ctx := context.Background()
	for try := 1; ; try++ {
		start := time.Now()
		fenced, err := j.commit(ctx, batch)
		if err == nil {
			j.metrics.batch(len(batch), time.Since(start))
			for _, e := range batch {
				if fenced[e] {
					e.committed(errFenced)
				} else {
					e.committed(nil)
				}
			}
			return
		}
		if len(batch) > 1 {
			j.log.Warn("a batch of steps was not written and is tried one by one", "steps", len(batch), "error", err)
			for _, e := range batch {
				j.write([]*entry{e})
			}
			return
		}
		if try == tries {
			j.log.Error("a step was not written", "execution", batch[0].runID, "error", err)
			batch[0].committed(err)
			return
		}
		time.Sleep(time.Duration(try*try) * 50 * time.Millisecond)
	}
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
