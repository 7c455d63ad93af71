package credential

import (
	"context"
	"maps"
	"slices"
	"time"

	"agentserver/core"
)

// refresh renews a token under a lock, so that of all processes one calls the
// vendor, and stores what it gives before it lets the lock go. No connection of
// the database is held while the vendor works.
func (s *Service) refresh(v *vendor, userID string, seen core.OAuth2) (core.OAuth2, error) {
	waiting, cancel := context.WithTimeout(s.life, refreshWait)
	defer cancel()
	unlock, err := s.bus.Lock(waiting, refreshKey(userID, seen.ID), refreshLockTTL)
	if err != nil {
		s.log.Warn("waiting to refresh an access token failed", "provider", v.name, "credential", seen.ID, "error", err)
		return core.OAuth2{}, v.errExpired("another refresh did not end in time")
	}
	defer func() {
		// Who else held it then has read what was stored.
		if err := unlock(); err != nil {
			s.log.Warn("the lock of a refresh was lost", "provider", v.name, "credential", seen.ID, "error", err)
		}
	}()
	// Only the write handle is sure to see what the one before has stored.
	r, err := find(waiting, s.db.Write, userID, seen.ID, "*")
	if err != nil {
		return core.OAuth2{}, err
	}
	if r == nil {
		return core.OAuth2{}, errNotFound()
	}
	stored, err := s.openToken(r)
	switch {
	case err != nil:
		return core.OAuth2{}, err
	case !r.ReconnectAt.IsZero():
		return core.OAuth2{}, s.errReconnect(v.name)
	case stored.RefreshToken == "":
		return core.OAuth2{}, v.errNoRefreshToken()
	case !s.due(stored), stored.AccessToken != seen.AccessToken && s.valid(stored):
		return stored, nil
	}
	// What the vendor gives out is stored, even when the service is closed.
	working, cancel := context.WithTimeout(context.WithoutCancel(waiting), refreshWait)
	defer cancel()
	return s.call(working, v, userID, stored)
}

// call asks the vendor and stores what it says.
func (s *Service) call(ctx context.Context, v *vendor, userID string, stored core.OAuth2) (core.OAuth2, error) {
	limited, cancel := context.WithTimeout(ctx, vendorTimeout)
	defer cancel()
	answer, err := v.refresh(limited, stored.RefreshToken)
	if err == nil {
		fresh := v.credential(answer, nil, s.now())
		fresh.ID, fresh.Provider = stored.ID, stored.Provider
		if fresh.RefreshToken == stored.RefreshToken && fresh.RefreshExpiresAt.IsZero() {
			fresh.RefreshToken = "" // the old one stays, and so does its end
		}
		return s.keep(ctx, v, userID, fresh)
	}
	problem := v.explain(err, stored.AccessToken, stored.RefreshToken)
	if problem.dead {
		return s.giveUp(ctx, v, userID, stored)
	}
	s.log.Warn("an access token could not be refreshed", "provider", v.name, "credential", stored.ID, "reason", problem.text)
	return core.OAuth2{}, v.errExpired(problem.text)
}

// storeTries is how often a fresh token is stored before it is given up; from
// the first to the last they take about six seconds.
const storeTries = 7

// keep stores a fresh token. It tries again when the database fails, because the
// vendor may not take the old one any more.
func (s *Service) keep(ctx context.Context, v *vendor, userID string, fresh core.OAuth2) (core.OAuth2, error) {
	for try := 1; ; try++ {
		merged, err := s.UpdateTokens(ctx, userID, fresh)
		switch {
		case err == nil:
			return merged, nil
		case core.IsKind(err, core.NotFound):
			// Deleted meanwhile: then this token is not wanted either. What went
			// wrong with that is in the log.
			_ = s.revokeToken(ctx, v, fresh)
			return core.OAuth2{}, err
		case try == storeTries:
			s.log.Error("a fresh access token could not be stored, so the account may have to be connected again",
				"provider", v.name, "credential", fresh.ID, "error", err)
			return core.OAuth2{}, v.errExpired("the new token could not be stored")
		}
		s.log.Warn("storing a fresh access token failed and is tried again", "provider", v.name, "credential", fresh.ID, "error", err)
		time.Sleep(100 * time.Millisecond << (try - 1))
	}
}

// openToken opens a row that must hold tokens.
func (s *Service) openToken(r *row) (core.OAuth2, error) {
	c, err := r.open(s.ring)
	if err != nil {
		return core.OAuth2{}, err
	}
	token, ok := c.(core.OAuth2)
	if !ok {
		return core.OAuth2{}, core.PlainErrorf(core.NotFound, "Credentials not found")
	}
	return token, nil
}

// clone gives each of those who share a refresh what is its own to change.
func clone(c core.OAuth2) core.OAuth2 {
	c.Scopes, c.Metadata = slices.Clone(c.Scopes), maps.Clone(c.Metadata)
	return c
}
