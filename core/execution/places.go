package execution

import (
	"context"
	"time"

	"agentserver/core/db"
)

// admit reserves a place for a run in this process. The caller holds the lock.
func (w *Worker) admit(row *runRow, nested bool) bool {
	key := userGraph{row.UserID, row.GraphID}
	if w.draining || w.runs[row.ID] != nil {
		return false
	}
	if !nested && (w.busy() >= w.config.MaxRuns || w.perGraph[key] >= w.config.MaxRunsPerUserGraph) {
		return false
	}
	w.runs[row.ID] = &active{row: row, done: make(chan struct{}), nested: nested}
	if !nested {
		w.perGraph[key]++
	}
	w.metrics.active(len(w.runs))
	return true
}

// busy counts the runs that take a place. The caller holds the lock.
func (w *Worker) busy() int {
	n := 0
	for _, count := range w.perGraph {
		n += count
	}
	return n
}

// leave gives the place of a run back.
func (w *Worker) leave(row *runRow) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.runs[row.ID]
	if a == nil {
		return
	}
	delete(w.runs, row.ID)
	if !a.nested {
		key := userGraph{row.UserID, row.GraphID}
		if w.perGraph[key]--; w.perGraph[key] == 0 {
			delete(w.perGraph, key)
		}
	}
	w.metrics.active(len(w.runs))
	close(a.done)
	close(w.freed)
	w.freed = make(chan struct{})
}

// overLimit asks the database whether other processes already run as many runs
// of the graph as the user may have.
func (w *Worker) overLimit(ctx context.Context, row *runRow) (bool, error) {
	if w.db.Engine == db.SQLite || row.ParentID != nil {
		return false, nil // this process is the only one, or has admitted the parent
	}
	n, err := w.store.owned(ctx, row.UserID, row.GraphID)
	return n >= w.config.MaxRunsPerUserGraph, err
}

// awaitPlace admits the run of a job, and waits for a place if all are taken.
// It reports false when the user has too many runs of the graph at work: other
// users' jobs must not wait for that.
func (w *Worker) awaitPlace(row *runRow, nested bool) bool {
	key := userGraph{row.UserID, row.GraphID}
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if w.admit(row, nested) {
			w.backlog = w.waiting > 0
			delete(w.lined, key)
			return true
		}
		if w.draining || w.ctx.Err() != nil || w.runs[row.ID] != nil {
			return false
		}
		if w.perGraph[key] >= w.config.MaxRunsPerUserGraph {
			w.lined[key] = time.Now()
			return false
		}
		w.waiting++
		w.backlog = true
		freed := w.freed
		w.mu.Unlock()
		select {
		case <-freed:
		case <-w.ctx.Done():
		}
		w.mu.Lock()
		w.waiting--
	}
}

// direct reserves a place for a run that is about to be created, so that it
// need not pass through the queue. While jobs wait for places, new runs line up
// behind them.
func (w *Worker) direct(ctx context.Context, row *runRow) bool {
	if !w.config.Work {
		return false
	}
	if full, err := w.overLimit(ctx, row); full || err != nil {
		return false
	}
	nested := row.ParentID != nil
	w.mu.Lock()
	defer w.mu.Unlock()
	// Runs of the graph that had to wait go first.
	waited := time.Since(w.lined[userGraph{row.UserID, row.GraphID}]) < 2*retryJob
	if (w.backlog || waited) && !nested {
		return false
	}
	if !w.admit(row, nested) {
		w.backlog = true
		return false
	}
	return true
}
