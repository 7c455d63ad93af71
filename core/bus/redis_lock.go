package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/bsm/redislock"
)

// Those who wait for a lock ask again after a random time between these.
const (
	minLockWait = 10 * time.Millisecond
	maxLockWait = 100 * time.Millisecond
)

func (r *redisBus) Lock(ctx context.Context, key string, ttl time.Duration) (Unlock, error) {
	if err := checkTTL(key, ttl); err != nil {
		return nil, err
	}
	lock, err := r.obtain(ctx, lockPrefix+key, ttl)
	if err != nil {
		return nil, fmt.Errorf("waiting for the lock %s: %w", key, closedError(err))
	}
	stop, renewed := make(chan struct{}), make(chan bool, 1)
	go func() { renewed <- renew(lock, ttl, stop) }()
	var once sync.Once
	var result error
	return func() error {
		once.Do(func() {
			close(stop)
			if !<-renewed {
				result = ErrLockLost
				return
			}
			result = release(lock, ttl)
		})
		return result
	}, nil
}

// obtain asks for the lock until it is free or ctx ends.
func (r *redisBus) obtain(ctx context.Context, key string, ttl time.Duration) (*redislock.Lock, error) {
	for {
		lock, err := r.locker.Obtain(ctx, key, ttl, nil)
		if !errors.Is(err, redislock.ErrNotObtained) {
			return lock, err
		}
		wait := time.NewTimer(minLockWait + rand.N(maxLockWait-minLockWait)) // #nosec G404 -- spreads the load only
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// renew keeps the lock until stop. It reports false when the lock was lost:
// somebody else has it, or the server could not be reached for a whole ttl.
func renew(lock *redislock.Lock, ttl time.Duration, stop <-chan struct{}) bool {
	interval := ttl / 3
	tick := time.NewTicker(interval)
	defer tick.Stop()
	end := time.Now().Add(ttl)
	for {
		select {
		case <-stop:
			return true
		case <-tick.C:
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), max(interval, time.Second))
		err := lock.Refresh(ctx, ttl, nil)
		cancel()
		switch {
		case err == nil:
			end = start.Add(ttl)
		case errors.Is(err, redislock.ErrNotObtained), time.Now().After(end):
			return false
		}
	}
}

// release frees the lock if it is still ours.
func release(lock *redislock.Lock, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), max(ttl, time.Second))
	defer cancel()
	err := lock.Release(ctx)
	if errors.Is(err, redislock.ErrLockNotHeld) {
		return ErrLockLost
	}
	if err != nil {
		return fmt.Errorf("releasing a lock, which ends by itself within %v: %w", ttl, closedError(err))
	}
	return nil
}
