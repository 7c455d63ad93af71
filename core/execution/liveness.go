package execution

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"agentserver/core/db"
)

// stopTopic carries the ids of runs that are to be stopped.
const stopTopic = "execution.stop"

// liveness judges other workers by their beats. It measures with the clock of
// this process alone, so that clocks that differ or jump kill nobody.
type liveness struct {
	timeout time.Duration
	seen    map[string]sighting
}

type sighting struct {
	beat int64
	at   time.Time // monotonic
}

func newLiveness(timeout time.Duration) *liveness {
	return &liveness{timeout: timeout, seen: map[string]sighting{}}
}

// judge takes the beats of all workers and names those that are lost.
func (l *liveness) judge(rows []workerRow, self string) []workerRow {
	now := time.Now()
	known := map[string]bool{}
	var lost []workerRow
	for _, r := range rows {
		known[r.ID] = true
		last, ok := l.seen[r.ID]
		if !ok || last.beat != r.Beat {
			l.seen[r.ID] = sighting{r.Beat, now}
			continue
		}
		if r.ID != self && now.Sub(last.at) > l.timeout {
			lost = append(lost, r)
		}
	}
	for id := range l.seen {
		if !known[id] {
			delete(l.seen, id)
		}
	}
	return lost
}

// beat shows that this worker lives, and looks after the others.
func (w *Worker) beat() {
	tick := time.NewTicker(max(w.config.HeartbeatTimeout/5, 50*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.beatOnce(w.ctx); err != nil && w.ctx.Err() == nil {
			w.log.Error("the worker cannot show that it is alive", "error", err)
		}
	}
}

func (w *Worker) beatOnce(ctx context.Context) error {
	res := w.db.Write.WithContext(ctx).Model(&workerRow{}).Where("id = ?", w.id).
		Update("beat", gorm.Expr("beat + 1"))
	if res.Error != nil {
		return fmt.Errorf("beating: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		// Others took this worker for dead and its runs with it. Whatever is
		// still at work here is refused by its fence; start again.
		w.log.Warn("this worker was taken for dead and starts anew")
		host := workerRow{ID: w.id, Beat: 1, StartedAt: db.Now()}
		if err := w.db.Write.WithContext(ctx).Create(&host).Error; err != nil {
			return fmt.Errorf("beating: %w", err)
		}
	}
	if err := w.findStrays(ctx); err != nil {
		return err
	}
	w.returnOrphans(ctx)
	return w.sweep(ctx)
}

// findStrays finds runs that this worker owns and does not drive, as a lost
// answer of the database leaves behind: seen on two beats, they go back to the
// queue.
func (w *Worker) findStrays(ctx context.Context) error {
	owned, err := w.store.ofWorker(ctx, w.id)
	if err != nil {
		return fmt.Errorf("reading own runs: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]bool{}
	for i := range owned {
		row := &owned[i]
		if w.runs[row.ID] != nil || slices.ContainsFunc(w.orphans, func(o *runRow) bool { return o.ID == row.ID }) {
			continue
		}
		if seen[row.ID] = true; w.strays[row.ID] {
			w.log.Warn("a run that nobody drives is given back to the queue", "execution", row.ID)
			w.orphans = append(w.orphans, row)
		}
	}
	w.strays = seen
	return nil
}

// returnOrphans gives runs that could not be written back to the queue.
func (w *Worker) returnOrphans(ctx context.Context) {
	w.mu.Lock()
	orphans := w.orphans
	w.orphans = nil
	w.mu.Unlock()
	for _, row := range orphans {
		done := make(chan error, 1)
		w.journal.submit(&entry{
			runID: row.ID, fence: row.Fence, nested: row.ParentID != nil, update: &runUpdate{status: Queued, release: true},
			committed: func(err error) { done <- err },
		})
		if err := <-done; err != nil && !errors.Is(err, errFenced) {
			w.abandon(row)
		}
	}
}

// sweep gives the runs and jobs of lost workers back to the queue.
func (w *Worker) sweep(ctx context.Context) error {
	var rows []workerRow
	if err := w.db.Write.WithContext(ctx).Find(&rows).Error; err != nil {
		return fmt.Errorf("reading workers: %w", err)
	}
	for _, lost := range w.alive.judge(rows, w.id) {
		res := w.db.Write.WithContext(ctx).Where("id = ? AND beat = ?", lost.ID, lost.Beat).Delete(&workerRow{})
		if res.Error != nil {
			return fmt.Errorf("removing worker: %w", res.Error)
		}
		if res.RowsAffected > 0 {
			w.log.Warn("a worker was lost", "worker", lost.ID, "host", lost.Host, "pid", lost.PID)
		}
	}
	n, err := w.releaseLostRuns(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		w.metrics.recovered(n)
		w.log.Info("runs of lost workers are back in the queue", "runs", n)
	}
	return w.rescueJobs(ctx)
}

// releaseLostRuns returns runs whose owner is not registered any more. The
// owner is registered before it owns anything and is removed by its end or by
// a sweep.
func (w *Worker) releaseLostRuns(ctx context.Context) (int, error) {
	var lost []runRow
	err := w.db.Write.WithContext(ctx).Select("id, parent_id").
		Where("worker_id IS NOT NULL AND worker_id NOT IN (SELECT id FROM workers)").
		Limit(1000).Find(&lost).Error
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	released := 0
	err = w.db.Tx(ctx, func(tx *gorm.DB) error {
		var freed []job
		for _, r := range lost {
			res := tx.Model(&runRow{}).
				Where("id = ? AND worker_id IS NOT NULL AND worker_id NOT IN (SELECT id FROM workers) AND status IN ?", r.ID, open).
				Updates(map[string]any{"worker_id": nil, "fence": gorm.Expr("fence + 1")})
			if res.Error != nil {
				return res.Error
			}
			if res.RowsAffected > 0 {
				freed = append(freed, job{r.ID, r.ParentID != nil})
			}
		}
		released = len(freed)
		sqlTx, err := db.SQLTx(tx)
		if err != nil {
			return err
		}
		return enqueue(ctx, w.queue, sqlTx, freed)
	})
	if err != nil {
		return 0, fmt.Errorf("releasing runs of lost workers: %w", err)
	}
	return released, nil
}

// rescueJobs makes jobs available again that a lost worker had taken and not
// yet turned into a run of its own.
func (w *Worker) rescueJobs(ctx context.Context) error {
	var ids []string
	if err := w.db.Write.WithContext(ctx).Model(&workerRow{}).Pluck("id", &ids).Error; err != nil {
		return fmt.Errorf("reading workers: %w", err)
	}
	living := map[string]bool{}
	for _, id := range ids {
		living[id] = true
	}
	n, err := w.queue.Rescue(ctx, func(id string) bool { return living[id] })
	if err == nil && n > 0 {
		w.log.Info("jobs of lost workers are back in the queue", "jobs", n)
	}
	return err
}

// listenForStops cancels runs when another process asks for it.
func (w *Worker) listenForStops() {
	for failures := 0; w.ctx.Err() == nil; {
		sub, err := w.bus.Subscribe(w.ctx, stopTopic)
		if err != nil {
			if failures++; failures == 1 {
				w.log.Warn("the bus does not answer; stops asked of other processes take a few seconds longer", "error", err)
			}
			select {
			case <-w.ctx.Done():
			case <-time.After(min(time.Duration(failures)*time.Second, 30*time.Second)):
			}
			continue
		}
		if failures > 0 {
			w.log.Info("the bus answers again")
			failures = 0
		}
		w.takeStops(sub.C())
		sub.Close()
	}
}

// watchStops looks for stops whose message was lost, or never sent where
// processes share no bus.
func (w *Worker) watchStops() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.pollStops(w.ctx); err != nil && w.ctx.Err() == nil {
			w.log.Warn("stops cannot be looked for", "error", err)
		}
	}
}

func (w *Worker) pollStops(ctx context.Context) error {
	var ids []string
	err := w.db.Read.WithContext(ctx).Model(&runRow{}).
		Where("worker_id = ? AND cancel_requested = ?", w.id, true).Pluck("id", &ids).Error
	if err != nil {
		return fmt.Errorf("looking for stops: %w", err)
	}
	for _, id := range ids {
		w.stopRun(id)
	}
	return nil
}
