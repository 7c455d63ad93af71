package account

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

const (
	// firstPause and longestPause bound the time between two tries.
	firstPause   = time.Second
	longestPause = 5 * time.Minute
	// lostPause is when a process looks again after a deletion that another one
	// has taken up.
	lostPause = 30 * time.Second
	// bestEffortLimit bounds steps that get one try.
	bestEffortLimit = time.Minute
)

func (s *Service) enqueueDeletion(ctx context.Context, tx *gorm.DB, id string) error {
	sqlTx, err := db.SQLTx(tx)
	if err != nil {
		return err
	}
	return s.deletion.Queue.Insert(ctx, sqlTx, jobs.Job{Args: deletionArgs{id}, Line: deletionLine})
}

// workOnDeletion does what can be done now. The job ends when the deletion is
// finished, and never before: it is put off as often as it takes.
func (s *Service) workOnDeletion(ctx context.Context, args deletionArgs) error {
	wait, err := s.advanceDeletion(ctx, args.DeletionID)
	switch {
	case errors.Is(err, errLostDeletion):
		// The job stays, because it may be the very one at which the other process
		// is: an end of it here would be an end of it there.
		return jobs.Later(lostPause)
	case err != nil:
		if ctx.Err() == nil {
			s.deletion.Log.WarnContext(ctx, "an account deletion is put off", "deletion", args.DeletionID, "error", err)
		}
		return jobs.Later(firstPause)
	case wait > 0:
		return jobs.Later(wait)
	}
	return nil
}

// advanceDeletion takes a deletion up. It gives after which time there is more
// to do, 0 when the deletion is finished.
func (s *Service) advanceDeletion(ctx context.Context, id string) (time.Duration, error) {
	r, err := s.takeUpDeletion(ctx, id)
	if r == nil || err != nil {
		return 0, err
	}
	work := &deletionWork{Service: s, row: r, ctx: db.WithFence(ctx, r.fence)}
	for i, step := range s.deletionSteps() {
		if r.Steps.V[i].over() {
			continue
		}
		if wait, err := work.settle(step.Name); wait > 0 || err != nil {
			return wait, err
		}
		if wait, err := work.do(step, &r.Steps.V[i]); wait > 0 || err != nil {
			return wait, err
		}
	}
	left, err := s.remaining(ctx, r.UserID)
	if err != nil {
		return 0, fmt.Errorf("counting revocations: %w", err)
	}
	if left > 0 {
		return spread(min(max(time.Since(r.RequestedAt.Time)/10, firstPause), longestPause)), nil
	}
	return 0, work.finish()
}

// takeUpDeletion makes this process the one that does a deletion; it is nil when
// there is nothing to do any more.
func (s *Service) takeUpDeletion(ctx context.Context, id string) (r *deletionRow, err error) {
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		r = nil
		done := tx.Model(&deletionRow{}).Where("id = ? AND state = ?", id, DeletionPending).
			Update("attempts", gorm.Expr("attempts + 1"))
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		r, err = takeDeletion(tx.Where("id = ?", id))
		return err
	})
	if r == nil || err != nil {
		return nil, err
	}
	r.Steps.V = s.stepRecords(r.Steps.V)
	return r, nil
}

// deletionSteps are the steps that were given, and the room's own.
func (s *Service) deletionSteps() []DeletionStep {
	steps := append(slices.Clip(s.deletion.Steps), DeletionStep{Name: accountStep, Do: s.eraseUser})
	return append(steps, DeletionStep{Name: sweepStep})
}

// stepRecords gives the records of the steps of today, known ones as they are.
func (s *Service) stepRecords(known []stepRecord) []stepRecord {
	var records []stepRecord
	for _, step := range s.deletionSteps() {
		i := slices.IndexFunc(known, func(r stepRecord) bool { return r.Name == step.Name })
		if i >= 0 {
			records = append(records, known[i])
		} else {
			records = append(records, stepRecord{Name: step.Name, State: StepPending})
		}
	}
	return records
}

// eraseUser removes the user's own row.
func (s *Service) eraseUser(ctx context.Context, userID string) (int, error) {
	n, err := s.db.Erase(ctx, func(tx *gorm.DB) (int, bool, error) {
		done := tx.Where("id = ?", userID).Delete(&row{})
		return int(done.RowsAffected), false, done.Error
	})
	s.forgetEverywhere(ctx, userID)
	return n, err
}

// deletionWork is one process at work on a deletion.
type deletionWork struct {
	*Service
	row *deletionRow
	ctx context.Context
}

// settle gives how long a step must wait for other processes to forget the user.
func (w *deletionWork) settle(step string) (time.Duration, error) {
	if step != sweepStep {
		return 0, nil
	}
	for i := range w.row.Steps.V {
		r := &w.row.Steps.V[i]
		if r.Name != accountStep {
			continue
		}
		if r.At.After(time.Now()) {
			// The clock was ahead then: count from now.
			r.At = db.Now()
			if err := w.row.change(w.ctx, w.db.Write, map[string]any{"steps": w.row.Steps}); err != nil {
				return 0, err
			}
		}
		return time.Until(r.At.Add(w.deletion.Settle)), nil
	}
	return 0, nil
}

// do does a step and records what came of it. It gives when to try again.
func (w *deletionWork) do(step DeletionStep, record *stepRecord) (time.Duration, error) {
	log := w.deletion.Log.With("deletion", w.row.ID, "user", w.row.UserID, "step", step.Name)
	count, err := w.try(step)
	if errors.Is(err, errLostDeletion) || err != nil && w.ctx.Err() != nil {
		return 0, err // nothing is known about the step
	}
	record.Count += count
	record.Tries++
	record.At = db.Now()
	record.State, record.Error = StepDone, ""
	var wait time.Duration
	switch {
	case err == nil:
		log.InfoContext(w.ctx, "a step of an account deletion is done", "count", count)
	case step.BestEffort:
		record.State, record.Error = StepFailed, shown(err)
		log.WarnContext(w.ctx, "a step of an account deletion failed and is left out", "error", err)
	default:
		record.State, record.Error = StepFailing, shown(err)
		wait = pause(record.Tries)
		log.WarnContext(w.ctx, "a step of an account deletion failed and is tried again", "tries", record.Tries, "error", err)
	}
	return wait, w.row.change(w.ctx, w.db.Write, map[string]any{"steps": w.row.Steps})
}

// try does a step, whose panic is a failure like others.
func (w *deletionWork) try(step DeletionStep) (count int, err error) {
	defer func() {
		if r := recover(); r != nil {
			w.deletion.Log.ErrorContext(w.ctx, "a step of an account deletion crashed", "deletion", w.row.ID, "step", step.Name,
				"panic", r, "stack", string(debug.Stack()))
			err = errors.New("the step crashed")
		}
	}()
	if step.Name == sweepStep {
		return w.sweep()
	}
	ctx := w.ctx
	// Not everything that a step does is inside a transaction with the fence.
	if err := w.db.Tx(ctx, w.row.fence); err != nil {
		return 0, err
	}
	if step.BestEffort {
		limited, cancel := context.WithTimeout(ctx, bestEffortLimit)
		defer cancel()
		ctx = limited
	}
	return step.Do(ctx, w.row.UserID)
}

// sweep does all other steps once more.
func (w *deletionWork) sweep() (int, error) {
	total := 0
	for _, step := range w.deletionSteps() {
		if step.Name == sweepStep {
			continue
		}
		count, err := w.try(step)
		total += count
		switch {
		case err == nil:
		case step.BestEffort:
			w.deletion.Log.WarnContext(w.ctx, "a step of an account deletion failed in the final sweep and is left out",
				"deletion", w.row.ID, "user", w.row.UserID, "step", step.Name, "error", err)
		default:
			return total, fmt.Errorf("%s: %w", step.Name, err)
		}
	}
	return total, nil
}

// finish closes the record. It keeps nothing that says who the user was.
func (w *deletionWork) finish() error {
	err := w.row.change(w.ctx, w.db.Write, map[string]any{"state": DeletionFinished, "email": "", "finished_at": db.Now()})
	if err != nil {
		return err
	}
	w.forgetEverywhere(w.ctx, w.row.UserID)
	w.deletion.Log.InfoContext(w.ctx, "an account is deleted", "deletion", w.row.ID, "user", w.row.UserID)
	return nil
}

// shown words an error for the record. Only what was meant for people is
// repeated.
func shown(err error) string {
	var known *core.Error
	switch {
	case errors.As(err, &known) && known.Kind != core.Internal:
		return known.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "It did not end in time"
	default:
		return "It failed; the log of the server says why"
	}
}

// pause is how long to wait after so many tries.
func pause(tries int) time.Duration {
	wait := firstPause
	for i := 1; i < tries && wait < longestPause; i++ {
		wait *= 2
	}
	return spread(min(wait, longestPause))
}

// spread makes a time shorter, by up to a half, so that not everything comes
// back at once.
func spread(d time.Duration) time.Duration { return d - rand.N(d/2) } //nolint:gosec // spreads retries, keeps no secret
