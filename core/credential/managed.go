package credential

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

// The functions here are for the room of managed credentials, which decides
// when one is made and taken back. Those that take a transaction are part of its
// steps.

// ManagedProviders names the providers at which a user has a managed credential
// that is in use.
func (s *Service) ManagedProviders(ctx context.Context, userID string) ([]string, error) {
	var names []string
	err := s.db.Read.WithContext(ctx).Model(&row{}).
		Where("user_id = ? AND is_managed AND revoked_at IS NULL", userID).Pluck("provider", &names).Error
	if err != nil {
		return nil, fmt.Errorf("listing managed credentials: %w", err)
	}
	return names, nil
}

// Managed gives the credential that the platform provisioned for a user at a
// provider, or nil. One that is being revoked is given only if revoked is set.
// One that does not open is an error, never nil: a second one must not be
// provisioned.
func (s *Service) Managed(ctx context.Context, userID, provider string, revoked bool) (core.Credential, error) {
	r, err := findManaged(ctx, s.db.Write, userID, provider)
	if r == nil || err != nil || !r.RevokedAt.IsZero() && !revoked {
		return nil, err
	}
	return r.open(s.ring)
}

// InsertManaged stores what the platform provisioned for a user. The kind of
// the error is [core.Conflict] when there is one of that provider already, or
// the id is taken; the transaction is void then.
func (s *Service) InsertManaged(tx *gorm.DB, userID string, c core.Credential) error {
	c = withID(c)
	base := c.Base()
	if !base.Managed || base.Provider == "" {
		return errors.New("storing a managed credential: it is not marked as managed, or lacks its provider")
	}
	if _, reserved := s.system(base.ID); reserved {
		return fmt.Errorf("storing a managed credential: the id %s is reserved", base.ID)
	}
	r, err := newRow(s.ring, userID, textOrNil(base.Title), c)
	if err != nil {
		return err
	}
	err = tx.Create(r).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return core.Errorf(core.Conflict, "Another managed credential was stored at the same time")
	}
	if err != nil {
		return fmt.Errorf("storing a managed credential: %w", err)
	}
	return nil
}

// ReplaceManaged puts a new secret into the managed credential of a user, whose
// id and title stay, because agents name it; it gives that id. The kind of the
// error is [core.NotFound] when there is none that is in use.
func (s *Service) ReplaceManaged(tx *gorm.DB, userID string, c core.Credential) (id string, err error) {
	r, err := take(forUpdate(tx).Where("user_id = ? AND provider = ? AND is_managed AND revoked_at IS NULL", userID, c.Base().Provider))
	if err != nil {
		return "", err
	}
	if r == nil {
		return "", errNotFound()
	}
	if c.Type() != r.Type || !c.Base().Managed {
		return "", errors.New("replacing a managed credential: the new one is of another kind")
	}
	before := r.Sealed
	if err := r.seal(s.ring, c); err != nil {
		return "", err
	}
	return r.ID, replaceSealed(tx, r, before, map[string]any{"public": db.AsJSON(publicOf(c)), "updated_at": db.Now()})
}

// RevokeManaged makes the managed credential of a user unusable at once, while
// its row stays for the one who takes it back at the vendor.
func (s *Service) RevokeManaged(tx *gorm.DB, userID, provider string) error {
	err := tx.Model(&row{}).Where("user_id = ? AND provider = ? AND is_managed AND revoked_at IS NULL", userID, provider).
		UpdateColumn("revoked_at", db.Now()).Error
	if err != nil {
		return fmt.Errorf("revoking a managed credential: %w", err)
	}
	return nil
}

// DropManaged removes the managed credential of a user after the vendor has
// confirmed that it is gone.
func (s *Service) DropManaged(tx *gorm.DB, userID, provider string) error {
	if err := tx.Where("user_id = ? AND provider = ? AND is_managed", userID, provider).Delete(&row{}).Error; err != nil {
		return fmt.Errorf("removing a managed credential: %w", err)
	}
	return nil
}
