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
	if w.db.Engine == db.SQLite {
		return false, nil // this process is the only one
	}
	n, err := w.store.owned(ctx, row.UserID, row.GraphID)
	return n >= w.config.MaxRunsPerUserGraph, err
}

// awaitPlace admits the run of a job, and waits for a place if all are taken.
// Only a few jobs may wait like that, so that nested runs still get through;
// the others return after a moment, since jobs that return at once would be
// taken again at once.
func (w *Worker) awaitPlace(row *runRow, nested bool) bool {
	for {
		w.mu.Lock()
		freed := w.freed
		ok := w.admit(row, nested)
		hopeless := w.draining || w.runs[row.ID] != nil || w.perGraph[userGraph{row.UserID, row.GraphID}] >= w.config.MaxRunsPerUserGraph
		wait := !ok && !hopeless && w.waiting < extraJobs/2
		switch {
		case ok:
			w.backlog = w.waiting > 0
		case wait:
			w.waiting++
			w.backlog = true
		}
		w.mu.Unlock()
		if ok {
			return true
		}
		if !wait {
			select {
			case <-time.After(retryJob):
			case <-w.ctx.Done():
			}
			return false
		}
		select {
		case <-freed:
		case <-w.ctx.Done():
		}
		w.mu.Lock()
		w.waiting--
		w.mu.Unlock()
		if w.ctx.Err() != nil {
			return false
		}
	}
}

// direct reserves a place for a run that is about to be created, so that it
// need not pass through the queue. While jobs wait for places, new runs line up
// behind them.
func (w *Worker) direct(row *runRow) bool {
	if !w.config.Work {
		return false
	}
	nested := row.ParentID != nil
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.backlog && !nested {
		return false
	}
	if !w.admit(row, nested) {
		w.backlog = true
		return false
	}
	return true
}
