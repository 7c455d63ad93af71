package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

const (
	// retireAttempts is how often a webhook is tried to be taken back at its
	// vendor, over about two days, before it is forgotten. Deliveries to it are
	// refused from the beginning.
	retireAttempts = 20
	retirePause    = time.Second
	longestPause   = 4 * time.Hour
	// doubtFor is how long a webhook whose registration was not answered is looked
	// for at its vendor.
	doubtFor   = 2 * time.Minute
	doubtPause = 20 * time.Second
	// dropLanes is how many webhooks of a user are taken back at a time.
	dropLanes = 8
	// deregisterTimeout bounds one attempt.
	deregisterTimeout = 10 * time.Second
)

// retireArgs is the job that takes a webhook back at its vendor.
type retireArgs struct {
	WebhookID string `json:"webhook_id"`
}

// Kind names the job.
func (retireArgs) Kind() string { return "retire_webhook" }

// Prune takes a webhook back at its vendor, in the background, unless a trigger
// is linked to it. It is part of the transaction that took the last one from it.
// It reports whether the webhook goes.
func (s *Service) Prune(ctx context.Context, tx *gorm.DB, id string) (bool, error) {
	r, err := lock(tx, id)
	if r == nil || err != nil || r.State == retired {
		return false, err
	}
	// Counted after the row is locked: whoever links a trigger holds the lock until
	// the link is committed.
	n, err := s.Triggers.CountLinked(tx, id)
	if err != nil || n > 0 {
		return false, err
	}
	return true, s.retireIn(ctx, tx, r, 0)
}

// lock locks a webhook's row until the transaction ends; it is nil when there is
// none.
func lock(tx *gorm.DB, id string) (*row, error) {
	if tx.Name() == "postgres" {
		tx = tx.Clauses(clause.Locking{Strength: "UPDATE"})
	}
	var rows []row
	if err := tx.Where("id = ?", id).Limit(1).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("locking webhook: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

// retireIn makes a webhook one that is to go, and adds the job that takes it back
// at its vendor, at once or after a pause.
func (s *Service) retireIn(ctx context.Context, tx *gorm.DB, r *row, pause time.Duration) error {
	now := db.Now()
	done := tx.Model(&row{}).Where("id = ? AND state <> ?", r.ID, retired).
		Updates(map[string]any{"state": retired, "attempts": 0, "retired_at": now, "updated_at": now})
	if done.Error != nil {
		return fmt.Errorf("retiring webhook: %w", done.Error)
	}
	if done.RowsAffected == 0 {
		return nil
	}
	job := jobs.Job{Args: retireArgs{r.ID}, Line: retireLine}
	if pause > 0 {
		job.At = now.Add(pause)
	}
	return s.enqueue(ctx, tx, job)
}

// retire is retireIn in a transaction of its own.
func (s *Service) retire(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		r, err := lock(tx, id)
		if r == nil || err != nil {
			return err
		}
		return s.retireIn(ctx, tx, r, 0)
	})
}

// workOnRetired takes a webhook back at its vendor, as often as it takes.
func (s *Service) workOnRetired(ctx context.Context, args retireArgs) error {
	var rows []row
	if err := s.DB.Write.WithContext(ctx).Where("id = ? AND state = ?", args.WebhookID, retired).Find(&rows).Error; err != nil {
		return jobs.Later(retirePause)
	}
	if len(rows) == 0 {
		return nil
	}
	r := &rows[0]
	err := s.deregister(ctx, r)
	if err == nil && !r.confirmed() && !r.manual() && time.Since(r.RetiredAt.Time) < doubtFor {
		// Its registration was not answered, and may have its effect yet.
		return jobs.Later(doubtPause)
	}
	if err == nil {
		s.Log.InfoContext(ctx, "webhook deregistered", "webhook", r.ID, "user", r.UserID, "provider", r.Provider)
		return laterUnless(s.drop(ctx, r))
	}
	if ctx.Err() != nil {
		return jobs.Later(retirePause)
	}
	r.Attempts++
	if r.Attempts >= retireAttempts {
		s.Log.ErrorContext(ctx, "a webhook stays behind at its vendor: it could not be deregistered",
			"webhook", r.ID, "user", r.UserID, "provider", r.Provider, "resource", r.Resource, "attempts", r.Attempts, "error", err)
		return laterUnless(s.drop(ctx, r))
	}
	pause := doubled(retirePause, r.Attempts, longestPause)
	s.Log.WarnContext(ctx, "a webhook could not be deregistered and is tried again",
		"webhook", r.ID, "user", r.UserID, "provider", r.Provider, "attempts", r.Attempts, "next_in", pause, "error", err)
	if err := s.change(ctx, r, map[string]any{"attempts": r.Attempts, "last_error": shownError(err)}); err != nil {
		return jobs.Later(retirePause)
	}
	return jobs.Later(pause)
}

func laterUnless(err error) error {
	if err != nil {
		return jobs.Later(retirePause)
	}
	return nil
}

// deregister takes a webhook back at its vendor. It gives nil as well when that
// is not possible any more, because the credential is gone.
func (s *Service) deregister(ctx context.Context, r *row) error {
	if r.manual() {
		return nil
	}
	manager, _ := s.manager(r.Provider)
	registrar, ok := manager.(core.WebhookRegistrar)
	if !ok {
		return core.Errorf(core.Unavailable, "the provider %s is turned off here", r.Provider)
	}
	if err := s.Available(); err != nil && !r.confirmed() {
		return err // its address tells it apart there
	}
	c, err := s.Credentials.Get(ctx, r.UserID, r.CredentialsID)
	if err != nil {
		return err
	}
	if c == nil {
		s.Log.WarnContext(ctx, "a webhook stays behind at its vendor: its credential is gone",
			"webhook", r.ID, "user", r.UserID, "provider", r.Provider, "resource", r.Resource)
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, deregisterTimeout)
	defer cancel()
	hook := s.contract(r)
	if url := r.registeredURL(); url != "" {
		hook.IngressURL = url // public_url may have changed since
	}
	return registrar.Deregister(limited, s.HTTP(r.Provider), hook, c)
}

// drop forgets a webhook.
func (s *Service) drop(ctx context.Context, r *row) error {
	err := s.DB.Write.WithContext(ctx).Where("id = ?", r.ID).Delete(&row{}).Error
	if err != nil {
		return fmt.Errorf("removing webhook: %w", err)
	}
	return nil
}

// CredentialGoes lets go of a credential that a user wants to delete: its
// webhooks lose their triggers and are taken back at the vendor. It reports true,
// and does nothing, when triggers would be lost and the user has not said so by
// force. What the vendor does not take back within some seconds stays there, and
// its deliveries are refused.
func (s *Service) CredentialGoes(ctx context.Context, userID string, c core.CredentialRef, force bool) (confirm bool, err error) {
	var rows []row
	err = s.DB.Tx(ctx, func(tx *gorm.DB) error {
		confirm, rows = false, nil
		var ids []string
		err := tx.Model(&row{}).Where("user_id = ? AND credentials_id = ? AND credentials_id <> ''", userID, c.ID).Order("id").Pluck("id", &ids).Error
		if err != nil {
			return err
		}
		for _, id := range ids {
			r, err := lock(tx, id)
			if err != nil {
				return err
			}
			if r == nil {
				continue // it has just gone
			}
			n, err := s.Triggers.CountLinked(tx, r.ID)
			if err != nil {
				return err
			}
			if n > 0 && !force {
				confirm = true
				return nil
			}
			if err := s.Triggers.Unlink(tx, r.ID); err != nil {
				return err
			}
			// The job is for the case that this process dies, or the credential stays.
			if err := s.retireIn(ctx, tx, r, time.Minute); err != nil {
				return err
			}
			rows = append(rows, *r)
		}
		return nil
	})
	if err != nil || confirm {
		return confirm, err
	}
	ctx = context.WithoutCancel(ctx)
	failed, err := s.dropAll(ctx, rows)
	for _, r := range failed {
		s.Log.WarnContext(ctx, "a webhook stays behind at its vendor: its credential is deleted and it could not be deregistered",
			"webhook", r.ID, "user", userID, "provider", r.Provider, "resource", r.Resource, "error", r.LastError)
		err = errors.Join(err, s.drop(ctx, &r))
	}
	return false, err
}

// LiveOf reports, inside a transaction, whether webhooks of a credential are in
// use or being set up.
func (s *Service) LiveOf(tx *gorm.DB, userID, credentialID string) (bool, error) {
	var n int64
	err := tx.Model(&row{}).Where("user_id = ? AND credentials_id = ? AND state <> ?", userID, credentialID, retired).Count(&n).Error
	if err != nil {
		return false, fmt.Errorf("counting webhooks of a credential: %w", err)
	}
	return n > 0, nil
}

// dropAll takes webhooks back at their vendors, some at a time so that one that
// hangs does not hold up the others, and forgets them, but for those that it gives
// back with the vendor's error.
func (s *Service) dropAll(ctx context.Context, rows []row) (failed []row, err error) {
	var mu sync.Mutex
	var lanes errgroup.Group
	lanes.SetLimit(dropLanes)
	for i := range rows {
		r := &rows[i]
		lanes.Go(func() error {
			err := s.deregister(ctx, r)
			if err == nil {
				return s.drop(ctx, r)
			}
			r.LastError = shownError(err)
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, *r)
			return nil
		})
	}
	err = lanes.Wait()
	return failed, err
}

// shownError words an error for people; what was not meant for them is left out.
func shownError(err error) string {
	var known *core.Error
	switch {
	case errors.As(err, &known) && known.Kind != core.Internal:
		return known.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "It did not end in time"
	}
	return "It failed; the log of the server says why"
}
