package credential

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

// UpdateTokens stores what a refresh gave: the tokens and their expiry times, of
// an oauth2 credential that exists, and gives the credential as stored. What
// vendors leave out of a refresh stays as it was: the refresh token, the
// username, and the scopes unless all of them are still there. Title, metadata
// and who manages it never change. The account counts as connected again. The
// kind of the error is [core.NotFound] for a credential that is gone, or is of
// another provider now.
func (s *Service) UpdateTokens(ctx context.Context, userID string, fresh core.OAuth2) (core.OAuth2, error) {
	var merged core.OAuth2
	err := s.db.Tx(ctx, func(tx *gorm.DB) error {
		r, err := lockRow(tx, userID, fresh.ID)
		if err != nil {
			return err
		}
		// Ids come from clients: it may have been deleted, and the id taken for an
		// account at another vendor, which must not get these tokens.
		if r == nil || fresh.Provider != "" && r.Provider != fresh.Provider {
			return errNotFound()
		}
		opened, err := r.open(s.ring)
		if err != nil {
			return err
		}
		stored, ok := opened.(core.OAuth2)
		if !ok {
			return fmt.Errorf("storing tokens: credential %s is of the type %s", r.ID, r.Type)
		}
		merged = merge(stored, fresh)
		before := r.Sealed
		if err := r.seal(s.ring, merged); err != nil {
			return err
		}
		return replaceSealed(tx, r, before, map[string]any{
			"public": db.AsJSON(publicOf(merged)), "updated_at": db.Now(), "reconnect_at": db.Time{},
		})
	})
	if err != nil {
		return core.OAuth2{}, err
	}
	return merged, nil
}

func merge(stored, fresh core.OAuth2) core.OAuth2 {
	stored.AccessToken, stored.AccessExpiresAt = fresh.AccessToken, fresh.AccessExpiresAt
	if fresh.RefreshToken != "" {
		stored.RefreshToken, stored.RefreshExpiresAt = fresh.RefreshToken, fresh.RefreshExpiresAt
	}
	if fresh.Username != "" {
		stored.Username = db.Clean(fresh.Username)
	}
	narrower := slices.ContainsFunc(stored.Scopes, func(scope string) bool { return !slices.Contains(fresh.Scopes, scope) })
	if !narrower && len(fresh.Scopes) > 0 {
		stored.Scopes = cleanAll(fresh.Scopes)
	}
	return stored
}
