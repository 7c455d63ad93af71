package managed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
	"unicode/utf8"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

// errMoved means that somebody else changed the task while an attempt was under
// way, so its outcome does not count.
var errMoved = errors.New("the task was changed meanwhile")

// lockWait is how long a job waits for others who work for the same user.
const lockWait = 200 * time.Millisecond

// work is the job of a task: one attempt, or more while the task changes under
// it. It never counts as failed: the pauses are those of the task. A job that
// finds nothing to do ends, because the one that does the task comes back to it.
func (s *Service) work(ctx context.Context, a args) error {
	begun := of(s.DB.Write.WithContext(ctx).Model(&task{}), a.UserID, a.Provider).Where("queued").Update("queued", false)
	if begun.Error != nil {
		return jobs.Later(s.pause(1, maxProvisionPause))
	}
	unlock, err := s.lock(ctx, a.UserID, a.Provider, lockWait)
	if err != nil {
		return s.leaveToOthers(ctx, a)
	}
	defer unlock()
	for ctx.Err() == nil {
		next, err := s.attempt(ctx, a)
		switch {
		case errors.Is(err, errMoved):
			continue
		case err != nil:
			s.Log.Warn("a managed credential cannot be worked on; it is tried again", "user", a.UserID, "provider", a.Provider, "error", err)
			return jobs.Later(s.pause(1, maxProvisionPause))
		case next.IsZero():
			return nil
		default:
			return jobs.Later(max(time.Until(next), 10*time.Millisecond))
		}
	}
	return ctx.Err()
}

// leaveToOthers puts off a job that did not get the lock, and ends it when there
// is nothing left to do. Whoever has the lock may have died.
func (s *Service) leaveToOthers(ctx context.Context, a args) error {
	t, err := findTask(s.DB.Write.WithContext(ctx), a.UserID, a.Provider)
	if err == nil && t == nil {
		return nil
	}
	return jobs.Later(2*time.Second + rand.N(2*time.Second)) //nolint:gosec // spreads the load, keeps no secret
}

// lock makes the caller the only one who works for a user at a provider.
func (s *Service) lock(ctx context.Context, userID, provider string, wait time.Duration) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	release, err := s.Bus.Lock(ctx, fmt.Sprintf("managed:%s:%s", provider, userID), lockTTL)
	if err != nil {
		return nil, err
	}
	return func() {
		// That a lock was lost is no harm: the fence decides.
		if err := release(); err != nil {
			s.Log.Debug("a lock was not released", "user", userID, "provider", provider, "error", err)
		}
	}, nil
}

// attempt does what the task says, if it is due, and says when it is due next;
// zero means never. errMoved asks for another look at once; other errors are of
// the database.
func (s *Service) attempt(ctx context.Context, a args) (next time.Time, err error) {
	t, err := findTask(s.DB.Write.WithContext(ctx), a.UserID, a.Provider)
	if t == nil || err != nil {
		return next, err
	}
	// A claim that stands although the lock was free is of a process that died.
	if !t.Claimed && !t.due(time.Now(), s.longest()) {
		if time.Until(t.NextAt.Time) > soon {
			return next, nil // another job comes back for it
		}
		return t.NextAt.Time, nil
	}
	if err := s.claim(ctx, t); err != nil {
		return next, err
	}
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	outcome, err := s.perform(limited, t)
	if errors.Is(err, errMoved) {
		s.Log.Info("an attempt at a managed credential does not count", "user", t.UserID, "provider", t.Provider, "action", t.Action)
		if err := s.cleanUp(ctx, t); err != nil {
			return next, err
		}
		return next, errMoved
	}
	if err != nil && ctx.Err() != nil {
		return next, ctx.Err() // the process stops; the claim stands, and the next one goes on
	}
	took := time.Since(start)
	if err != nil {
		s.metrics.attempt(t.Provider, string(t.Action), "failed", took)
		return s.failed(ctx, t, err)
	}
	s.metrics.attempt(t.Provider, string(t.Action), outcome, took)
	s.Log.Info("managed credential "+outcome, "user", t.UserID, "provider", t.Provider, "attempt", t.Attempts, "took", took.Round(time.Millisecond))
	s.tell(t.UserID, t.Provider, outcome)
	return next, nil
}

// claim marks the task as under way.
func (s *Service) claim(ctx context.Context, t *task) error {
	next := db.At(time.Now().Add(lease))
	changed, err := t.change(s.DB.Write.WithContext(ctx), map[string]any{
		"fence": t.Fence + 1, "claimed": true, "attempts": t.Attempts + 1, "next_at": next,
	})
	if err == nil && !changed {
		err = errMoved
	}
	t.Fence, t.Claimed, t.Attempts, t.NextAt = t.Fence+1, true, t.Attempts+1, next
	return err
}

// perform does the action of a claimed task and stores its outcome.
func (s *Service) perform(ctx context.Context, t *task) (outcome string, err error) {
	p, known := s.providers[t.Provider]
	if !known || !p.Available() {
		return "", core.Errorf(core.Unavailable, "the provider %s is turned off here or not configured", t.Provider)
	}
	// A provider that panics fails this attempt, not the process.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the provider %s crashed: %v", t.Provider, r)
		}
	}()
	switch t.Action {
	case Provision:
		return "provisioned", s.provision(ctx, t, p)
	case Revoke:
		return "deprovisioned", s.revoke(ctx, t, p)
	case Retire:
		return "retired", s.retire(ctx, t, p)
	default:
		return "", fmt.Errorf("this version does not know the action %q", t.Action)
	}
}

// failed notes why an attempt failed and when the next one is due.
func (s *Service) failed(ctx context.Context, t *task, cause error) (next time.Time, err error) {
	limit := maxProvisionPause
	if t.Action != Provision {
		limit = maxRevokePause
	}
	pause := s.pause(t.Attempts, limit)
	next = time.Now().Add(pause)
	if givenUp := t.Action == Provision && t.Attempts >= maxAttempts; givenUp {
		next = time.Time{}
		s.Log.Error("a managed credential cannot be provisioned; it is tried again when the user comes back", "user", t.UserID,
			"provider", t.Provider, "attempts", t.Attempts, "error", cause)
	} else {
		s.Log.Warn("an attempt at a managed credential failed", "user", t.UserID, "provider", t.Provider, "action", t.Action,
			"attempt", t.Attempts, "next_in", pause.Round(time.Millisecond), "error", cause)
	}
	changed, err := t.change(s.DB.Write.WithContext(ctx), map[string]any{
		"claimed": false, "last_error": shorten(cause.Error()), "next_at": db.At(next),
	})
	if err == nil && !changed {
		err = errMoved
	}
	s.tell(t.UserID, t.Provider, "failed")
	return next, err
}

// shorten keeps a reason to a size that fits a list.
func shorten(text string) string {
	const limit = 500
	text = db.Clean(text)
	if len(text) <= limit {
		return text
	}
	cut := limit
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// sweep adds jobs for tasks that are long due: their jobs are lost.
func (s *Service) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("overdue managed credentials cannot be looked for", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) sweepOnce(ctx context.Context) error {
	var late []*task
	now := time.Now()
	err := s.DB.Read.WithContext(ctx).Where("next_at < ? OR next_at > ?", db.At(now.Add(-sweepEvery)), db.At(now.Add(s.longest()))).
		Order("next_at").Limit(500).Find(&late).Error
	for _, t := range late {
		if err = s.poke(ctx, t); err != nil {
			break
		}
	}
	return err
}
