package execution

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"agentserver/core/db"
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
	queue   *queue
	log     *slog.Logger
	in      chan *entry
	metrics *metrics
}

func newJournal(d *db.DB, q *queue, log *slog.Logger, m *metrics) *journal {
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
		var jobs []job
		for _, e := range batch {
			if fenced[e] {
				continue
			}
			if e.enqueue || e.update != nil && e.update.release {
				jobs = append(jobs, job{e.runID, e.nested})
			}
		}
		if err := w.write(batch, fenced); err != nil {
			return err
		}
		return j.queue.insert(ctx, sqlTx, jobs)
	})
	return fenced, err
}

// writer writes one transaction with a few statements of many rows.
type writer struct {
	ctx    context.Context
	tx     *sql.Tx
	engine db.Engine
}

// fencedEntries finds the entries whose run is not theirs any more, and locks
// the rows of the others.
func (w *writer) fencedEntries(batch []*entry) (map[*entry]bool, error) {
	fences := map[string]int64{}
	var ids []any
	for _, e := range batch {
		if e.create == nil {
			if _, seen := fences[e.runID]; !seen {
				fences[e.runID] = -1
				ids = append(ids, e.runID)
			}
		}
	}
	if len(ids) > 0 {
		b := newStatement(w.engine)
		b.text("SELECT id, fence FROM graph_executions WHERE id IN (").list(ids...).text(") ORDER BY id")
		if w.engine == db.Postgres {
			b.text(" FOR UPDATE")
		}
		rows, err := w.tx.QueryContext(w.ctx, b.sql(), b.args...)
		if err != nil {
			return nil, fmt.Errorf("checking fences: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var fence int64
			if err := rows.Scan(&id, &fence); err != nil {
				return nil, fmt.Errorf("checking fences: %w", err)
			}
			fences[id] = fence
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("checking fences: %w", err)
		}
	}
	fenced := map[*entry]bool{}
	for _, e := range batch {
		if e.create == nil && fences[e.runID] != e.fence {
			fenced[e] = true
		}
	}
	return fenced, nil
}

func (w *writer) write(batch []*entry, skip map[*entry]bool) error {
	var runs []*runRow
	var nodes, states []nodeRow
	var outputs []outputRow
	for _, e := range batch {
		if skip[e] {
			continue
		}
		if e.create != nil {
			runs = append(runs, e.create)
		}
		nodes = append(nodes, e.nodes...)
		states = append(states, e.states...)
		outputs = append(outputs, e.outputs...)
	}
	if err := w.insertRuns(runs); err != nil {
		return fmt.Errorf("writing runs: %w", err)
	}
	if err := w.upsertNodes(lastOfEach(nodes), true); err != nil {
		return fmt.Errorf("writing node runs: %w", err)
	}
	if err := w.upsertNodes(lastOfEach(states), false); err != nil {
		return fmt.Errorf("writing node states: %w", err)
	}
	if err := w.insertOutputs(outputs); err != nil {
		return fmt.Errorf("writing outputs: %w", err)
	}
	for _, e := range batch {
		if !skip[e] && e.update != nil {
			if err := w.updateRun(e.runID, e.update); err != nil {
				return fmt.Errorf("writing run state: %w", err)
			}
		}
	}
	return nil
}

// lastOfEach keeps the last row of each id: one statement may not touch a row
// twice.
func lastOfEach(rows []nodeRow) []nodeRow {
	at := make(map[string]int, len(rows))
	for i := range rows {
		at[rows[i].ID] = i
	}
	if len(at) == len(rows) {
		return rows
	}
	out := make([]nodeRow, 0, len(at))
	for i := range rows {
		if at[rows[i].ID] == i {
			out = append(out, rows[i])
		}
	}
	return out
}

// chunk is the number of rows of one statement, within the limits of both
// engines on parameters.
const chunk = 250

func (w *writer) exec(b *statement) error {
	_, err := w.tx.ExecContext(w.ctx, b.sql(), b.args...)
	return err
}

func (w *writer) insertRuns(rows []*runRow) error {
	for len(rows) > 0 {
		n := min(chunk, len(rows))
		b := newStatement(w.engine)
		b.text(`INSERT INTO graph_executions (id, user_id, graph_id, graph_version, status, inputs, credential_inputs,
			nodes_input_masks, preset_id, parent_id, root_id, depth, is_dry_run, context, stats, worker_id, fence,
			cancel_requested, is_deleted, is_shared, created_at, started_at, ended_at) VALUES `)
		for i, r := range rows[:n] {
			b.row(i, r.ID, r.UserID, r.GraphID, r.GraphVersion, string(r.Status), r.Inputs, r.CredentialInputs,
				r.NodesInputMasks, r.PresetID, r.ParentID, r.RootID, r.Depth, r.IsDryRun, r.Context, r.Stats, r.WorkerID,
				r.Fence, r.CancelRequested, r.IsDeleted, r.IsShared, r.CreatedAt, r.StartedAt, r.EndedAt)
		}
		if err := w.exec(b); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (w *writer) upsertNodes(rows []nodeRow, inputs bool) error {
	for len(rows) > 0 {
		n := min(chunk, len(rows))
		b := newStatement(w.engine)
		b.text(`INSERT INTO node_executions (id, graph_exec_id, node_id, block_id, seq, status, pins, input, routed, stats,
			added_at, queued_at, started_at, ended_at) VALUES `)
		for i, r := range rows[:n] {
			b.row(i, r.ID, r.GraphExecID, r.NodeID, r.BlockID, r.Seq, string(r.Status), r.Pins, r.Input, r.Routed, r.Stats,
				r.AddedAt, r.QueuedAt, r.StartedAt, r.EndedAt)
		}
		b.text(` ON CONFLICT (id) DO UPDATE SET status = excluded.status, routed = excluded.routed, stats = excluded.stats,
			queued_at = excluded.queued_at, started_at = excluded.started_at, ended_at = excluded.ended_at`)
		if inputs {
			b.text(", pins = excluded.pins, input = excluded.input")
		}
		if err := w.exec(b); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (w *writer) insertOutputs(rows []outputRow) error {
	for len(rows) > 0 {
		n := min(chunk, len(rows))
		b := newStatement(w.engine)
		b.text("INSERT INTO node_outputs (node_exec_id, first, data) VALUES ")
		for i, r := range rows[:n] {
			b.row(i, r.NodeExecID, r.First, r.Data)
		}
		if err := w.exec(b); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// updateRun changes a run's row. Final states never change again, which the
// condition holds even if a caller errs.
func (w *writer) updateRun(id string, u *runUpdate) error {
	b := newStatement(w.engine)
	b.text("UPDATE graph_executions SET status = ").arg(string(u.status))
	if u.stats != nil {
		b.text(", stats = ").arg(db.AsJSON(u.stats))
	}
	if !u.startedAt.IsZero() {
		b.text(", started_at = ").arg(db.At(u.startedAt))
	}
	if !u.endedAt.IsZero() {
		b.text(", ended_at = ").arg(db.At(u.endedAt))
	}
	if u.release || u.status.Final() {
		b.text(", worker_id = NULL, fence = fence + 1")
	}
	b.text(" WHERE id = ").arg(id).text(" AND status IN ('INCOMPLETE', 'QUEUED', 'RUNNING', 'REVIEW')")
	return w.exec(b)
}
