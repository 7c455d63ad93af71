package bus

import (
	"context"
	"time"
)

type Message struct {
	Topic string
	Data  []byte
}
type Subscription interface {
	C() <-chan Message
	Close() error
}
type Bus interface {
	Publish(ctx context.Context, topic string, msg []byte) error
	Subscribe(ctx context.Context, pattern string) (Subscription, error)
	Incr(ctx context.Context, key string, ttl time.Duration) (int64, error)
	Ping(ctx context.Context) error
	Close() error
}
