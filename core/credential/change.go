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

// Delete removes a credential of a user's own. It does not open it, so one that
// is damaged can go too. The kind of the error is [core.NotFound] when there is
// none of that id at that provider, and [core.Forbidden] for the operator's
// credentials and for managed ones.
func (s *Service) Delete(ctx context.Context, userID, provider, id string) error {
	if isDefault(id) {
		return errNotFound()
	}
	if _, reserved := s.system(id); reserved {
		return core.PlainErrorf(core.Forbidden, "System-managed credentials cannot be deleted")
	}
	// Only the write handle is sure to see a row that is made managed meanwhile.
	r, err := find(ctx, s.db.Write, userID, id, shown)
	switch {
	case err != nil:
		return err
	case r == nil || r.Provider != ProviderName(provider):
		return errNotFound()
	case r.IsManaged:
		return core.PlainErrorf(core.Forbidden, "AutoGPT-managed credentials cannot be deleted")
	}
	done := s.db.Write.WithContext(ctx).
		Where("user_id = ? AND id = ? AND provider = ? AND NOT is_managed", userID, id, r.Provider).Delete(&row{})
	if done.Error != nil {
		return fmt.Errorf("deleting credential: %w", done.Error)
	}
	if done.RowsAffected == 0 {
		return errNotFound()
	}
	return nil
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
