package managed

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core/db"
)

// overdue is how late a task must be before a visit of its user adds another
// job for it.
const overdue = 5 * time.Second

// flight is one look after a user, shared by all who ask at the same time.
type flight struct{ done chan struct{} }

// Ensure begins to provision what a user does not have yet, and waits for a
// first credential at most as long as the configuration says, so that the list
// that follows shows it. It cannot fail: what goes wrong is logged and tried
// again. A provider that has failed before is not waited for.
func (s *Service) Ensure(ctx context.Context, userID string) {
	names := s.available()
	if len(names) == 0 || s.complete.Contains(userID) {
		return
	}
	f := s.board(userID, names)
	limit := time.NewTimer(s.config.Wait)
	defer limit.Stop()
	select {
	case <-f.done:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// board joins the flight of a user, or starts one. It goes on when those who
// wait for it leave.
func (s *Service) board(userID string, names []string) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.flights[userID]; f != nil {
		return f
	}
	f := &flight{done: make(chan struct{})}
	s.flights[userID] = f
	go func() {
		defer func() {
			s.mu.Lock()
			delete(s.flights, userID)
			s.mu.Unlock()
			close(f.done)
		}()
		s.look(userID, names)
	}()
	return f
}

// look finds what is missing, asks for it and waits for what may come soon.
func (s *Service) look(userID string, names []string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Wait+10*time.Second)
	defer cancel()
	events, leave := s.listen(userID)
	defer leave()
	missing, err := s.missing(ctx, userID, names)
	if err == nil && len(missing) > 0 {
		var soon map[string]bool
		var until time.Time
		if soon, until, err = s.request(ctx, userID, missing); err == nil {
			await(events, soon, until)
		}
	}
	if err != nil {
		s.Log.Warn("what the platform provisions for a user cannot be looked after; the next visit tries again", "user", userID, "error", err)
	}
}

// missing names the providers at which the user has no credential. A user who
// lacks nothing is remembered.
func (s *Service) missing(ctx context.Context, userID string, names []string) ([]string, error) {
	before := s.revocationsHeard()
	have, err := s.Credentials.ManagedProviders(ctx, userID)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range names {
		if !slices.Contains(have, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		s.remember(userID, before)
	}
	return missing, nil
}

// request makes sure that there is a task for each of the providers, and says
// which are worth waiting for and until when.
func (s *Service) request(ctx context.Context, userID string, missing []string) (soon map[string]bool, until time.Time, err error) {
	tasks, err := tasksOf(ctx, s.DB.Read, userID)
	if err != nil {
		return nil, until, err
	}
	now := time.Now()
	soon, until = map[string]bool{}, now
	for _, name := range missing {
		t := tasks[name]
		switch {
		case t == nil:
			var added bool
			if added, err = s.add(ctx, userID, name); err != nil {
				return nil, until, err
			}
			if added {
				soon[name], until = true, now.Add(s.config.Wait)
			}
		case t.NextAt.IsZero() && t.UpdatedAt.Before(now.Add(-rest)):
			err = s.again(ctx, t)
		case t.due(now.Add(-overdue), s.longest()):
			err = s.poke(ctx, t)
		case t.Attempts <= 1 && t.LastError == "" && t.Action == Provision:
			soon[name] = true
			if limit := t.CreatedAt.Add(s.config.Wait); limit.After(until) {
				until = limit
			}
		}
		if err != nil {
			return nil, until, err
		}
	}
	return soon, until, nil
}

// add makes the task of provisioning, unless there is one or the account is on
// its way out, and reports whether there is one now.
func (s *Service) add(ctx context.Context, userID, provider string) (added bool, err error) {
	now := db.Now()
	t := task{UserID: userID, Provider: provider, Action: Provision, Fence: 1, NextAt: now, CreatedAt: now, UpdatedAt: now}
	err = s.DB.Tx(ctx, func(tx *gorm.DB) error {
		added = false
		if alive, err := s.Alive(ctx, tx, userID); err != nil || !alive {
			return err
		}
		added = true
		done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&t)
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		return s.enqueue(ctx, tx, userID, provider, time.Time{})
	})
	return added, err
}

// again begins anew with a task that was given up.
func (s *Service) again(ctx context.Context, t *task) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		changed, err := t.change(tx, map[string]any{"attempts": 0, "next_at": db.Now()})
		if err != nil || !changed {
			return err
		}
		return s.enqueue(ctx, tx, t.UserID, t.Provider, time.Time{})
	})
}

// lostJob is how long a job may wait in its line before it counts as lost.
const lostJob = 15 * time.Minute

// poke adds a job for a task that is due and that nobody works on, as happens
// when the process that had its job died.
func (s *Service) poke(ctx context.Context, t *task) error {
	if t.Queued && t.UpdatedAt.After(time.Now().Add(-lostJob)) {
		return nil
	}
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		// Others who see the same do nothing more for a while.
		done := of(tx.Model(&task{}), t.UserID, t.Provider).Where("fence = ? AND next_at = ?", t.Fence, t.NextAt).
			Updates(map[string]any{"next_at": db.Now(), "updated_at": db.Now(), "queued": false})
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		return s.enqueue(ctx, tx, t.UserID, t.Provider, time.Time{})
	})
}

// listen hears the events of a user until leave is called.
func (s *Service) listen(userID string) (events chan event, leave func()) {
	events = make(chan event, 16)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[userID] = append(s.waiting[userID], events)
	return events, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		rest := slices.DeleteFunc(s.waiting[userID], func(c chan event) bool { return c == events })
		if s.waiting[userID] = rest; len(rest) == 0 {
			delete(s.waiting, userID)
		}
	}
}

// await returns when each of the providers has had an outcome, or in the end.
func await(events <-chan event, soon map[string]bool, until time.Time) {
	limit := time.NewTimer(time.Until(until))
	defer limit.Stop()
	for len(soon) > 0 {
		select {
		case e := <-events:
			delete(soon, e.Provider)
		case <-limit.C:
			return
		}
	}
}

// revocationsHeard counts revocations, so that a look that began before one is
// not remembered after it.
func (s *Service) revocationsHeard() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revocations
}

func (s *Service) remember(userID string, before int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revocations == before {
		s.complete.Add(userID, struct{}{})
	}
}
