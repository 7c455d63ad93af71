package credential

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core"
)

// Managed gives the credential that the platform provisioned for a user at a
// provider, or nil. One that does not open is an error, never nil: a second one
// must not be provisioned.
func (s *Service) Managed(ctx context.Context, userID, provider string) (core.Credential, error) {
	r, err := findManaged(ctx, s.db.Write, userID, provider)
	if r == nil || err != nil {
		return nil, err
	}
	return r.open(s.ring)
}

// AddManaged stores what the platform provisioned for a user. It takes the place
// of an earlier managed credential of that provider, so the caller holds the
// lock of the user and the provider and has made sure that nothing is lost with
// that one. An empty id becomes a new one. The kind of the error is
// [core.Conflict] when another process stored one at the same time, or the id is
// taken.
func (s *Service) AddManaged(ctx context.Context, userID string, c core.Credential) (Meta, error) {
	c = withID(c)
	base := c.Base()
	if !base.Managed || base.Provider == "" {
		return Meta{}, errors.New("storing a managed credential: it is not marked as managed, or lacks its provider")
	}
	if _, reserved := s.system(base.ID); reserved {
		return Meta{}, fmt.Errorf("storing a managed credential: the id %s is reserved", base.ID)
	}
	r, err := newRow(s.ring, userID, textOrNil(base.Title), c)
	if err != nil {
		return Meta{}, err
	}
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("user_id = ? AND provider = ? AND is_managed", userID, base.Provider).Delete(&row{}).Error; err != nil {
			return err
		}
		return tx.Create(r).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return Meta{}, core.Errorf(core.Conflict, "Another managed credential was stored at the same time")
	}
	if err != nil {
		return Meta{}, fmt.Errorf("storing a managed credential: %w", err)
	}
	return r.meta(), nil
}
