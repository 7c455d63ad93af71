package managed

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db"
)

// Rotation is a replacement that was made.
type Rotation struct {
	UserID       string `json:"user_id"`
	Provider     string `json:"provider"`
	CredentialID string `json:"credential_id"`
	// RetiresAt is when the earlier secret stops to work; until then runs that
	// have it go on.
	RetiresAt db.Time `json:"retires_at"`
}

// rotateWait is how long a rotation waits for other work on the same user.
const rotateWait = 10 * time.Second

// Rotate replaces the secret of a user's managed credential. The new one is
// stored under the same id; the earlier one works on for the grace of the
// configuration. It also mends a credential that does not open. The kind of the
// error is [core.NotFound] when there is none, [core.Conflict] while it is being
// provisioned, revoked or rotated, [core.Invalid] for a provider that cannot, and
// [core.Unavailable] when the vendor does not do it: the present secret stays
// then.
func (s *Service) Rotate(ctx context.Context, userID, provider string) (Rotation, error) {
	p, known := s.providers[provider]
	if !known {
		return Rotation{}, core.PlainErrorf(core.NotFound, "The provider '%s' provisions no credentials here", provider)
	}
	r, can := p.(core.ManagedCredentialRotator)
	if !can {
		return Rotation{}, core.PlainErrorf(core.Invalid, "Credentials of the provider '%s' cannot be rotated", provider)
	}
	if !p.Available() {
		return Rotation{}, core.PlainErrorf(core.Unavailable, "The provider '%s' is not configured", provider)
	}
	unlock, err := s.lock(ctx, userID, provider, rotateWait)
	if err != nil {
		return Rotation{}, s.whyLocked(ctx, err)
	}
	defer unlock()
	start := time.Now()
	rotation, err := s.rotate(ctx, userID, provider, r)
	took := time.Since(start)
	if err != nil {
		if core.IsKind(err, core.NotFound) || core.IsKind(err, core.Conflict) {
			return Rotation{}, err // nothing was asked for
		}
		s.metrics.attempt(provider, "rotate", "failed", took)
		s.Log.Warn("a managed credential was not rotated", "user", userID, "provider", provider, "error", err)
		return Rotation{}, err
	}
	s.metrics.attempt(provider, "rotate", "rotated", took)
	s.Log.Info("managed credential rotated", "user", userID, "provider", provider, "retires_at", rotation.RetiresAt)
	s.tell(userID, provider, "rotated")
	return rotation, nil
}

// whyLocked tells a lock that others hold from a bus that does not answer.
func (s *Service) whyLocked(ctx context.Context, err error) error {
	limited, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if s.Bus.Ping(limited) != nil {
		return core.WithCause(core.Unavailable, err, "The locks that processes share do not answer; try again")
	}
	return core.PlainErrorf(core.Conflict, "The credential is being worked on; try again")
}

func (s *Service) rotate(ctx context.Context, userID, provider string, r core.ManagedCredentialRotator) (Rotation, error) {
	present, err := s.Credentials.Managed(ctx, userID, provider, false)
	if err != nil && !errors.Is(err, credential.ErrDamaged) {
		return Rotation{}, err
	}
	if err == nil && present == nil {
		return Rotation{}, core.PlainErrorf(core.NotFound, "The user has no managed credential of the provider '%s'", provider)
	}
	// The task is there first: if this process dies now, it removes what was
	// made and not stored.
	retiresAt := time.Now().Add(s.config.Grace)
	fence, err := s.beginRotation(ctx, userID, provider, retiresAt)
	if err != nil {
		return Rotation{}, err
	}
	limited, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	fresh, err := r.Renew(limited, userID, present)
	if err != nil {
		return Rotation{}, core.WithCause(core.Unavailable, err, "The vendor did not give a new credential: "+shorten(err.Error()))
	}
	rotation := Rotation{UserID: userID, Provider: provider, RetiresAt: db.At(retiresAt)}
	err = s.DB.Tx(context.WithoutCancel(ctx), func(tx *gorm.DB) error {
		now, err := lockTask(tx, userID, provider)
		if err != nil {
			return err
		}
		if now == nil || now.Fence != fence {
			return core.PlainErrorf(core.Conflict, "The credential was changed meanwhile; try again")
		}
		rotation.CredentialID, err = s.Credentials.ReplaceManaged(tx, userID, fresh)
		return err
	})
	return rotation, err
}

// beginRotation makes the task that removes the earlier secret later.
func (s *Service) beginRotation(ctx context.Context, userID, provider string, retiresAt time.Time) (fence int64, err error) {
	err = s.DB.Tx(ctx, func(tx *gorm.DB) error {
		now, err := lockTask(tx, userID, provider)
		if err != nil {
			return err
		}
		if now != nil && now.Action != Retire {
			return core.PlainErrorf(core.Conflict, "The credential is being worked on; try again later")
		}
		if err := put(tx, userID, provider, Retire, retiresAt, time.Time{}); err != nil {
			return err
		}
		if now, err = lockTask(tx, userID, provider); err != nil {
			return err
		}
		fence = now.Fence
		return s.enqueue(ctx, tx, userID, provider, retiresAt)
	})
	return fence, err
}
