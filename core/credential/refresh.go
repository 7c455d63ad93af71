package credential

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"agentserver/core"
)

const (
	// refreshAhead is how long before its end an access token is renewed.
	refreshAhead = 300 * time.Second
	// patience is how long one waits for a new token while the old one lasts.
	patience = 5 * time.Second
	// storeTimeout bounds the storing of a new token.
	storeTimeout = 30 * time.Second
	// refreshWait bounds the waiting for another process that refreshes.
	refreshWait = vendorTimeout + storeTimeout
	// refreshLockTTL is how long a process that died keeps others waiting.
	refreshLockTTL = 5 * time.Second
)

// refreshes are those under way in this process. They belong to the service and
// not to who asked first, so that a caller who leaves does not take the new
// token away from the others, or for ever from the user.
type refreshes struct {
	// life ends when the service is closed: from then on none begins.
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// start counts a refresh in, unless the service is closed.
func (r *refreshes) start() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.running.Add(1)
	return true
}

// Close waits until no refresh is under way: what a vendor gives out must be
// stored. That takes as long as a vendor takes to answer, 30 seconds at most.
// Credentials are kept after it, but not refreshed.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.running.Wait()
}

// usable makes a credential that was opened fit for a block.
func (s *Service) usable(ctx context.Context, userID string, r *row, c core.Credential) (core.Credential, error) {
	token, ok := c.(core.OAuth2)
	if !ok {
		return c, nil
	}
	if !r.ReconnectAt.IsZero() {
		return nil, s.errReconnect(token.Provider)
	}
	if !s.due(token) {
		return token, nil
	}
	fresh, err := s.renew(ctx, userID, token)
	switch {
	case err == nil:
		return fresh, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case s.valid(token) && !errors.Is(err, errDead) && !core.IsKind(err, core.NotFound):
		return token, nil
	default:
		return nil, err
	}
}

// renewShown is usable for those who look at a credential. It reports whether it
// tried, so that they look again.
func (s *Service) renewShown(ctx context.Context, userID, id string) bool {
	r, err := find(ctx, s.db.Read, userID, id, "*")
	if r == nil || err != nil || !r.ReconnectAt.IsZero() {
		return false
	}
	c, err := r.open(s.ring)
	if err != nil {
		return false
	}
	token, ok := c.(core.OAuth2)
	if !ok || !s.due(token) {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = s.renew(limited, userID, token)
	return err == nil || errors.Is(err, errDead)
}

// due and valid compare whole seconds, as they are stored.
func (s *Service) due(c core.OAuth2) bool {
	return !c.AccessExpiresAt.IsZero() && c.AccessExpiresAt.Unix() < s.now().Add(refreshAhead).Unix()
}

func (s *Service) valid(c core.OAuth2) bool {
	return c.AccessExpiresAt.IsZero() || c.AccessExpiresAt.Unix() > s.now().Unix()
}

// renew gives a new token for one that is due. All callers in this process share
// one refresh; each waits as long as its own context lasts.
func (s *Service) renew(ctx context.Context, userID string, seen core.OAuth2) (core.OAuth2, error) {
	v, err := s.vendor(seen.Provider)
	if err != nil {
		return core.OAuth2{}, s.errNoRefresh(seen.Provider, err)
	}
	if seen.RefreshToken == "" {
		return core.OAuth2{}, v.errNoRefreshToken()
	}
	waiting := ctx
	if s.valid(seen) {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	flight := s.flights.DoChan(refreshKey(userID, seen.ID), func() (any, error) {
		if !s.start() {
			return nil, core.Errorf(core.Unavailable, "The server is stopping")
		}
		defer s.running.Done()
		return s.refresh(v, userID, seen)
	})
	select {
	case done := <-flight:
		if done.Err != nil {
			return core.OAuth2{}, done.Err
		}
		return clone(done.Val.(core.OAuth2)), nil
	case <-waiting.Done():
		if ctx.Err() != nil {
			return core.OAuth2{}, context.Cause(ctx)
		}
		return core.OAuth2{}, v.errExpired(v.title + " takes long to answer")
	}
}

// refreshKey names the lock of a credential. Quoting keeps ids apart that hold
// the separator.
func refreshKey(userID, id string) string { return fmt.Sprintf("credential-refresh:%q:%q", userID, id) }
