package bus

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// NewLocal makes a bus for a single process.
func NewLocal() Bus {
	return &local{hub: newHub(), locks: map[string]*localLock{}, counters: map[string]*counter{}}
}

type local struct {
	hub *hub

	mu       sync.Mutex
	locks    map[string]*localLock
	counters map[string]*counter
	swept    time.Time
}

func (l *local) Publish(ctx context.Context, topic string, msg []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publishing to %s: %w", topic, err)
	}
	return l.hub.publish(Message{topic, msg})
}

func (l *local) Subscribe(_ context.Context, pattern string) (Subscription, error) {
	s, err := l.hub.add(pattern, nil)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// localLock is a lock with those who hold it or wait for it. It needs no ttl:
// it dies with the process.
type localLock struct {
	free    chan struct{} // holds one value while the lock is free
	waiting int
}

func (l *local) Lock(ctx context.Context, key string, ttl time.Duration) (Unlock, error) {
	if err := checkTTL(key, ttl); err != nil {
		return nil, err
	}
	lock := l.join(key)
	select {
	case <-lock.free:
	case <-ctx.Done():
		l.leave(key, lock)
		return nil, fmt.Errorf("waiting for the lock %s: %w", key, context.Cause(ctx))
	}
	var once sync.Once
	return func() error {
		once.Do(func() {
			lock.free <- struct{}{}
			l.leave(key, lock)
		})
		return nil
	}, nil
}

func (l *local) join(key string) *localLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	lock := l.locks[key]
	if lock == nil {
		lock = &localLock{free: make(chan struct{}, 1)}
		lock.free <- struct{}{}
		l.locks[key] = lock
	}
	lock.waiting++
	return lock
}

func (l *local) leave(key string, lock *localLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lock.waiting--; lock.waiting == 0 {
		delete(l.locks, key)
	}
}

func checkTTL(key string, ttl time.Duration) error {
	if ttl < MinTTL {
		return fmt.Errorf("taking the lock %s: a ttl of %v is shorter than %v", key, ttl, MinTTL)
	}
	return nil
}

type counter struct {
	n   int64
	end time.Time
}

// sweepEvery is how often counters that ended are forgotten.
const sweepEvery = time.Minute

func (l *local) Incr(_ context.Context, key string, ttl time.Duration) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.swept) > sweepEvery {
		l.swept = now
		for k, c := range l.counters {
			if !now.Before(c.end) {
				delete(l.counters, k)
			}
		}
	}
	c := l.counters[key]
	if c == nil || !now.Before(c.end) {
		c = &counter{end: now.Add(ttl)}
		l.counters[key] = c
	}
	c.n++
	return c.n, nil
}

func (l *local) Ping(context.Context) error {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if l.hub.closed {
		return ErrClosed
	}
	return nil
}

func (l *local) Close() error {
	l.hub.close()
	return nil
}
