package credential

import (
	"context"
	"fmt"
	"slices"

	"agentserver/core"
	"agentserver/core/db"
)

// updateTries is how often UpdateTokens starts again when the row changed under
// it; each try needs another writer to have been faster.
const updateTries = 5

// UpdateTokens stores what a refresh gave: the tokens and their expiry times, of
// an oauth2 credential that exists, and gives the credential as stored. What
// vendors leave out of a refresh stays as it was: the refresh token, the
// username, and the scopes unless all of them are still there. Title, metadata
// and who manages it never change. The kind of the error is [core.NotFound] for
// a credential that is gone.
func (s *Service) UpdateTokens(ctx context.Context, userID string, fresh core.OAuth2) (core.OAuth2, error) {
	for range updateTries {
		r, err := find(ctx, s.db.Write, userID, fresh.ID, "*")
		if err != nil {
			return core.OAuth2{}, err
		}
		if r == nil {
			return core.OAuth2{}, errNotFound()
		}
		opened, err := r.open(s.ring)
		if err != nil {
			return core.OAuth2{}, err
		}
		stored, ok := opened.(core.OAuth2)
		if !ok {
			return core.OAuth2{}, fmt.Errorf("storing tokens: credential %s is of the type %s", r.ID, r.Type)
		}
		merged := merge(stored, fresh)
		before := r.Sealed
		if err := r.seal(s.ring, merged); err != nil {
			return core.OAuth2{}, err
		}
		done, err := replaceSealed(s.db.Write.WithContext(ctx), r, before, map[string]any{
			"public": db.AsJSON(publicOf(merged)), "updated_at": db.Now(),
		})
		if done || err != nil {
			return merged, err
		}
	}
	return core.OAuth2{}, fmt.Errorf("storing tokens: credential %s keeps changing", fresh.ID)
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
	if !narrower {
		stored.Scopes = cleanAll(fresh.Scopes)
	}
	return stored
}
