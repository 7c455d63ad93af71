package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	return true, s.retireIn(ctx, tx, r)
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

func (s *Service) retireIn(ctx context.Context, tx *gorm.DB, r *row) error {
	done := tx.Model(&row{}).Where("id = ?", r.ID).
		Updates(map[string]any{"state": retired, "attempts": 0, "updated_at": db.Now()})
	if done.Error != nil {
		return fmt.Errorf("retiring webhook: %w", done.Error)
	}
	return s.enqueue(ctx, tx, jobs.Job{Args: retireArgs{r.ID}, Line: retireLine})
}

// retire is retireIn in a transaction of its own.
func (s *Service) retire(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		r, err := lock(tx, id)
		if r == nil || err != nil {
			return err
		}
		return s.retireIn(ctx, tx, r)
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
// is not possible any more, because the credential or the provider is gone.
func (s *Service) deregister(ctx context.Context, r *row) error {
	manager, _ := s.manager(r.Provider)
	registrar, ok := manager.(core.WebhookRegistrar)
	if !ok || r.manual() {
		return nil
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
	return registrar.Deregister(limited, s.HTTP(r.Provider), s.contract(r), c)
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
		err := tx.Where("user_id = ? AND credentials_id = ? AND credentials_id <> ''", userID, c.ID).Order("id").Find(&rows).Error
		if err != nil {
			return err
		}
		for i := range rows {
			r, err := lock(tx, rows[i].ID)
			if r == nil || err != nil {
				return err
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
			if r.State != retired {
				// No job: it would come too late, without the credential.
				err := tx.Model(&row{}).Where("id = ?", r.ID).Updates(map[string]any{"state": retired, "updated_at": db.Now()}).Error
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil || confirm {
		return confirm, err
	}
	failed, err := s.dropAll(ctx, rows)
	for _, r := range failed {
		s.Log.WarnContext(ctx, "a webhook stays behind at its vendor: its credential is deleted and it could not be deregistered",
			"webhook", r.ID, "user", userID, "provider", r.Provider, "resource", r.Resource, "error", r.LastError)
		err = errors.Join(err, s.drop(ctx, &r))
	}
	return false, err
}

// dropAll takes webhooks back at their vendors and forgets them, but for those
// that it gives back, with the error.
func (s *Service) dropAll(ctx context.Context, rows []row) (failed []row, err error) {
	limited, cancel := context.WithTimeout(ctx, vendorTimeout)
	defer cancel()
	for i := range rows {
		if err := s.deregister(limited, &rows[i]); err != nil {
			rows[i].LastError = shownError(err)
			failed = append(failed, rows[i])
			continue
		}
		if err := s.drop(ctx, &rows[i]); err != nil {
			return failed, err
		}
	}
	return failed, nil
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
