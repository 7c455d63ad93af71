package managed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/credential"
)

// provision makes the credential and stores it, unless there is one.
func (s *Service) provision(ctx context.Context, t *task, p core.ManagedCredentialProvider) error {
	have, err := s.Credentials.Managed(ctx, t.UserID, t.Provider, false)
	if err != nil {
		return err
	}
	var fresh core.Credential
	if have == nil {
		if fresh, err = p.Provision(ctx, t.UserID); err != nil {
			return err
		}
		if base := fresh.Base(); !base.Managed || base.Provider != t.Provider {
			return fmt.Errorf("the provider %s gave a credential that is not a managed one of its own", t.Provider)
		}
	}
	return s.end(ctx, t, func(tx *gorm.DB) error {
		if fresh != nil {
			if err := s.Credentials.InsertManaged(tx, t.UserID, fresh); err != nil {
				return err
			}
		}
		if t.Attempts == 1 || !canRotate(p) {
			return nil
		}
		// What an earlier attempt asked for may still come to be at the vendor.
		return s.retireAt(ctx, tx, t, time.Now().Add(s.config.Grace))
	})
}

func canRotate(p core.ManagedCredentialProvider) bool {
	_, can := p.(core.ManagedCredentialRotator)
	return can
}

// revoke takes the credential back at the vendor and forgets it.
func (s *Service) revoke(ctx context.Context, t *task, p core.ManagedCredentialProvider) error {
	c, err := s.Credentials.Managed(ctx, t.UserID, t.Provider, true)
	if errors.Is(err, credential.ErrDamaged) {
		s.Log.Error("a managed credential does not open; it is looked for at the vendor", "user", t.UserID, "provider", t.Provider, "error", err)
		c, err = nil, nil
	}
	if err != nil {
		return err
	}
	if err := p.Deprovision(ctx, t.UserID, c); err != nil {
		return err
	}
	return s.end(ctx, t, func(tx *gorm.DB) error {
		if err := s.Credentials.DropManaged(tx, t.UserID, t.Provider); err != nil {
			return err
		}
		if t.AgainAt.IsZero() || !t.AgainAt.After(time.Now()) {
			return nil
		}
		// No longer than one time is meant, whatever the clock was then.
		at := time.Now().Add(min(time.Until(t.AgainAt.Time), s.config.Late))
		if err := put(tx, t.UserID, t.Provider, Revoke, at, time.Time{}); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, t.UserID, t.Provider, at)
	})
}

// revokeAgain is the time of the second revocation, for one that takes the place
// of a task in which something was asked for whose outcome is not known.
func (s *Service) revokeAgain(before *task) time.Time {
	if before == nil || before.Action == Provision && before.Attempts == 0 {
		return time.Time{}
	}
	return time.Now().Add(s.config.Late)
}

// retire revokes what the vendor has beside the stored credential.
func (s *Service) retire(ctx context.Context, t *task, p core.ManagedCredentialProvider) error {
	c, err := s.Credentials.Managed(ctx, t.UserID, t.Provider, false)
	if err != nil {
		return err
	}
	if c == nil {
		// Nothing is stored, so nothing is to be at the vendor.
		if err := p.Deprovision(ctx, t.UserID, nil); err != nil {
			return err
		}
		return s.end(ctx, t, nil)
	}
	r, can := p.(core.ManagedCredentialRotator)
	if !can {
		return s.end(ctx, t, nil)
	}
	err = r.Retire(ctx, t.UserID, c)
	if core.IsKind(err, core.NotFound) {
		return s.mend(ctx, t, r, c)
	}
	if err != nil {
		return err
	}
	return s.end(ctx, t, nil)
}

// mend replaces a stored credential that the vendor does not know any more: an
// attempt that had lost its lock removed it.
func (s *Service) mend(ctx context.Context, t *task, r core.ManagedCredentialRotator, dead core.Credential) error {
	s.Log.Warn("the vendor does not know a stored managed credential; another one is made", "user", t.UserID, "provider", t.Provider)
	fresh, err := r.Renew(ctx, t.UserID, dead)
	if err != nil {
		return err
	}
	return s.end(ctx, t, func(tx *gorm.DB) error {
		if _, err := s.Credentials.ReplaceManaged(tx, t.UserID, fresh); err != nil {
			return err
		}
		return s.retireAt(ctx, tx, t, time.Now())
	})
}

// end stores the outcome of an attempt and ends the task, or gives errMoved when
// the attempt does not count any more. store may be nil, or put another task in
// place of this one.
func (s *Service) end(ctx context.Context, t *task, store func(tx *gorm.DB) error) error {
	// The outcome is not lost because the time for its requests is over.
	ctx = context.WithoutCancel(ctx)
	err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
		now, err := lockTask(tx, t.UserID, t.Provider)
		if err != nil {
			return err
		}
		if now == nil || now.Fence != t.Fence {
			return errMoved
		}
		if _, err := t.remove(tx); err != nil || store == nil {
			return err
		}
		return store(tx)
	})
	if core.IsKind(err, core.Conflict) {
		return errMoved // another attempt has stored one
	}
	return err
}

// cleanUp sees to what an attempt that does not count may have left at the
// vendor.
func (s *Service) cleanUp(ctx context.Context, t *task) error {
	if t.Action != Provision {
		return nil
	}
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		now, err := lockTask(tx, t.UserID, t.Provider)
		if err != nil || now != nil {
			return err // another task is there, which leaves nothing behind
		}
		return s.retireAt(ctx, tx, t, time.Now())
	})
}

// retireAt makes it the next task to revoke what is left over.
func (s *Service) retireAt(ctx context.Context, tx *gorm.DB, t *task, at time.Time) error {
	if err := put(tx, t.UserID, t.Provider, Retire, at, time.Time{}); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, t.UserID, t.Provider, at)
}
