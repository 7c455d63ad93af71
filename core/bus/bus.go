// Package bus carries what the processes of one installation tell each other:
// messages, locks and counters.
//
// There are two drivers with the same behaviour: [NewLocal] for a single
// process, and [NewRedis] for many. Messages are delivered at most once, to
// those who listen at that moment; what must not be lost belongs in the
// database, and a message only says that it is there.
package bus

import (
	"context"
	"errors"
	"time"
)

// A Bus is safe for use by many goroutines.
type Bus interface {
	// Publish sends a message to every subscription whose pattern matches the
	// topic. It does not wait for them. The bus keeps msg, so it must not be
	// changed afterwards. A message that could not be handed over is an error.
	Publish(ctx context.Context, topic string, msg []byte) error
	// Subscribe listens to a topic or, when the pattern ends in "*", to every
	// topic that starts with what is before it. What is published after
	// Subscribe returns arrives. ctx bounds the call, not the subscription.
	Subscribe(ctx context.Context, pattern string) (Subscription, error)
	// Lock waits until nobody else holds the key, or until ctx ends, and takes
	// it. A lock is renewed while it is held; ttl is how long it outlives a
	// process that died, and must be at least [MinTTL].
	Lock(ctx context.Context, key string, ttl time.Duration) (Unlock, error)
	// Incr adds one to a counter and gives its new value. The first increment
	// starts the counter's ttl, after whose end it is zero again.
	Incr(ctx context.Context, key string, ttl time.Duration) (int64, error)
	// Ping reports whether the bus works.
	Ping(ctx context.Context) error
	// Close ends every subscription. Locks that are held stay so until they
	// are released or their ttl ends.
	Close() error
}

// A Subscription is a stream of messages.
type Subscription interface {
	// C gives the messages, in the order of each publisher. A reader that falls
	// more than [Backlog] behind loses the oldest ones. The channel is closed
	// by Close and by the bus's Close.
	C() <-chan Message
	// Close ends the subscription. It may be called more than once.
	Close()
}

// Message is what was published. Data must not be changed: others read it too.
type Message struct {
	Topic string
	Data  []byte
}

// Unlock releases a lock. It may be called more than once; only the first call
// does anything. It gives [ErrLockLost] when the lock was lost while it was
// held, so that somebody else may have held it too.
type Unlock func() error

const (
	// Backlog is how many messages wait for a slow reader.
	Backlog = 256
	// MinTTL is the shortest ttl of a lock.
	MinTTL = 10 * time.Millisecond
)

var (
	// ErrClosed is the answer of a bus after Close.
	ErrClosed = errors.New("the bus is closed")
	// ErrLockLost says that a lock ended before it was released.
	ErrLockLost = errors.New("the lock was lost while it was held")
)
