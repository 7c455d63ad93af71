package credential

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"agentserver/core"
)

// maxPerUser bounds what one user stores, because lists are not paged.
const maxPerUser = 1000

// Create stores a credential that a user entered. The kinds of its errors are
// [core.Unprocessable] for bad input, [core.Forbidden] for an id that is
// reserved, [core.Internal] for one that is taken, by the user or by a system
// credential, and [core.Invalid] for a user who has 1000.
func (s *Service) Create(ctx context.Context, userID, provider string, in Input) (Meta, error) {
	if isDefault(in.ID) {
		return Meta{}, core.PlainErrorf(core.Forbidden, "Cannot create credentials with a reserved ID")
	}
	c, title, err := in.credential(ProviderName(provider))
	if err != nil {
		return Meta{}, err
	}
	return s.insert(ctx, userID, title, c)
}

// Add stores a credential that the platform got for a user, such as the tokens
// of a finished sign-in at a vendor. An empty id becomes a new one. The kinds of
// its errors are those of [Service.Create]; a managed credential is refused.
func (s *Service) Add(ctx context.Context, userID string, c core.Credential) (Meta, error) {
	if c.Base().Managed {
		return Meta{}, errors.New("adding a credential: it is managed")
	}
	return s.insert(ctx, userID, textOrNil(c.Base().Title), withID(c))
}

func (s *Service) insert(ctx context.Context, userID string, title *string, c core.Credential) (Meta, error) {
	if _, reserved := s.system(c.Base().ID); reserved {
		return Meta{}, errNotStored()
	}
	r, err := newRow(s.ring, userID, title, c)
	if err != nil {
		return Meta{}, err
	}
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		var stored int64
		if err := tx.Model(&row{}).Where("user_id = ?", userID).Count(&stored).Error; err != nil {
			return err
		}
		if stored >= maxPerUser {
			return core.PlainErrorf(core.Invalid, "At most %d credentials can be stored", maxPerUser)
		}
		return tx.Create(r).Error
	})
	var known *core.Error
	switch {
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return Meta{}, errNotStored()
	case errors.As(err, &known):
		return Meta{}, known
	case err != nil:
		return Meta{}, fmt.Errorf("storing credential: %w", err)
	}
	return r.meta(), nil
}

// A Deletion tells what became of a request to delete a credential.
type Deletion struct {
	// NeedsConfirmation means that nothing was deleted, because something still
	// uses the credential.
	NeedsConfirmation bool
	// Revoked tells whether the vendor has revoked the tokens; it is nil for
	// what is not oauth2.
	Revoked *bool
}

// Delete removes a credential of a user's own, then revokes its tokens at the
// vendor, for ten seconds at most. One that is damaged can go too. The kind of
// the error is [core.NotFound] when there is none of that id at that provider,
// and [core.Forbidden] for the operator's credentials and for managed ones;
// force is for [Service.BeforeDelete].
func (s *Service) Delete(ctx context.Context, userID, provider, id string, force bool) (Deletion, error) {
	if isDefault(id) {
		return Deletion{}, errNotFound()
	}
	if _, reserved := s.system(id); reserved {
		return Deletion{}, core.PlainErrorf(core.Forbidden, "System-managed credentials cannot be deleted")
	}
	// Only the write handle is sure to see a row that is made managed meanwhile.
	r, err := find(ctx, s.db.Write, userID, id, shown)
	if err != nil {
		return Deletion{}, err
	}
	if err := deletable(r, provider); err != nil {
		return Deletion{}, err
	}
	ref := core.CredentialRef{ID: r.ID, Provider: r.Provider, Type: r.Type, Title: r.Title}
	for again := true; again; {
		if s.BeforeDelete != nil {
			confirm, err := s.BeforeDelete(ctx, userID, ref, force)
			if err != nil || confirm {
				return Deletion{NeedsConfirmation: confirm && err == nil}, err
			}
		}
		// The row is read again, because a refresh may have changed its tokens.
		if r, again, err = s.deleteUnused(ctx, userID, provider, id); err != nil {
			break
		}
	}
	var known *core.Error
	switch {
	case errors.As(err, &known):
		return Deletion{}, known
	case err != nil:
		return Deletion{}, fmt.Errorf("deleting credential: %w", err)
	case r.Type != core.TypeOAuth2:
		return Deletion{}, nil
	}
	// The credential is gone, so a client that leaves does not change the rest.
	revoked := s.revokeRow(context.WithoutCancel(ctx), r) == nil
	return Deletion{Revoked: &revoked}, nil
}

// deleteUnused removes a credential, unless something has begun to use it, which it
// reports. It gives what it has removed.
func (s *Service) deleteUnused(ctx context.Context, userID, provider, id string) (r *row, used bool, err error) {
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		if r, err = lockRow(tx, userID, id); err != nil {
			return err
		}
		if err := deletable(r, provider); err != nil {
			return err
		}
		used = false
		if s.InUse != nil {
			if used, err = s.InUse(tx, userID, id); err != nil || used {
				return err
			}
		}
		return tx.Where("user_id = ? AND id = ?", userID, id).Delete(&row{}).Error
	})
	return r, used, err
}

// Hold reports, inside a transaction, whether the user has a credential of that
// id. Until the transaction ends, it is not removed.
func (s *Service) Hold(tx *gorm.DB, userID, id string) (bool, error) {
	if _, ours := s.system(id); ours {
		return true, nil
	}
	r, err := lockRow(tx, userID, id)
	return r != nil, err
}

// deletable says why users cannot delete a row of theirs, or nil.
func deletable(r *row, provider string) error {
	switch {
	case r == nil || r.Provider != ProviderName(provider):
		return errNotFound()
	case r.IsManaged:
		return core.PlainErrorf(core.Forbidden, "AutoGPT-managed credentials cannot be deleted")
	default:
		return nil
	}
}

// withID gives the credential a new id unless it has one. New ids grow with
// time, so what is made in one millisecond is still listed in order.
func withID(c core.Credential) core.Credential {
	switch c := c.(type) {
	case core.APIKey:
		c.ID = idOr(c.ID)
		return c
	case core.OAuth2:
		c.ID = idOr(c.ID)
		return c
	case core.UserPassword:
		c.ID = idOr(c.ID)
		return c
	case core.HostScoped:
		c.ID = idOr(c.ID)
		return c
	default:
		return c
	}
}

func idOr(id string) string {
	if id != "" {
		return id
	}
	return uuid.Must(uuid.NewV7()).String()
}

func errNotFound() *core.Error { return core.PlainErrorf(core.NotFound, "Credentials not found") }

// errNotStored does not say whose id it is.
func errNotStored() *core.Error {
	return core.PlainErrorf(core.Internal, "Failed to store credentials")
}
