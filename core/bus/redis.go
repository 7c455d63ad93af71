package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"
)

// Names in Redis start with these, so that other programs can share it.
const (
	topicPrefix   = "agentserver:topic:"
	lockPrefix    = "agentserver:lock:"
	counterPrefix = "agentserver:counter:"
)

const (
	// subscribeTimeout bounds the wait for Redis to confirm a subscription.
	subscribeTimeout = 10 * time.Second
	// pingInterval is how long the subscriptions' connection may be silent
	// before it is tested, and replaced if it is dead.
	pingInterval = 5 * time.Second
	// unsubscribeTimeout bounds the farewell of a subscription.
	unsubscribeTimeout = 3 * time.Second
)

// NewRedis makes a bus on a Redis server: redis://[user:password@]host[:port][/db]
// or rediss:// for TLS. It does not connect yet; Ping tells whether the server
// can be reached. Lost connections are made anew; what is published meanwhile
// does not arrive. One connection serves all subscriptions.
func NewRedis(url string) (Bus, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("the Redis URL must look like redis://host:6379/0") // err may hold the password
	}
	quiet.Do(func() { redis.SetLogger(libraryLog{}) })
	client := redis.NewClient(o)
	r := &redisBus{
		client: client, locker: redislock.New(client), hub: newHub(),
		pubsub: client.Subscribe(context.Background()), names: map[string]*remoteName{}, done: make(chan struct{}),
	}
	go r.receive()
	return r, nil
}

// libraryLog passes what the Redis library has to say to the program's log.
type libraryLog struct{}

func (libraryLog) Printf(ctx context.Context, format string, args ...any) {
	slog.WarnContext(ctx, fmt.Sprintf(format, args...))
}

var quiet sync.Once

type redisBus struct {
	client *redis.Client
	locker *redislock.Client
	hub    *hub
	pubsub *redis.PubSub
	done   chan struct{} // closed when receive has ended

	mu    sync.Mutex
	names map[string]*remoteName // what this process listens to at the server
}

// remoteName is a channel or a pattern at the server and its local listeners.
type remoteName struct {
	listeners int
	confirmed chan struct{}
	once      sync.Once
}

func (r *redisBus) Publish(ctx context.Context, topic string, msg []byte) error {
	if err := r.client.Publish(ctx, topicPrefix+topic, msg).Err(); err != nil {
		return fmt.Errorf("publishing to %s: %w", topic, closedError(err))
	}
	return nil
}

func closedError(err error) error {
	if errors.Is(err, redis.ErrClosed) {
		return ErrClosed
	}
	return err
}

// receive takes what comes from the server until the bus is closed.
func (r *redisBus) receive() {
	defer close(r.done)
	for m := range r.pubsub.ChannelWithSubscriptions(redis.WithChannelSize(4*Backlog), redis.WithChannelHealthCheckInterval(pingInterval)) {
		switch m := m.(type) {
		case *redis.Subscription:
			if m.Kind == "subscribe" || m.Kind == "psubscribe" {
				r.confirm(m.Channel)
			}
		case *redis.Message:
			message := Message{strings.TrimPrefix(m.Channel, topicPrefix), []byte(m.Payload)}
			pattern := message.Topic
			if m.Pattern != "" {
				pattern = unglob(strings.TrimPrefix(m.Pattern, topicPrefix))
			}
			r.hub.publishTo(pattern, message)
		}
	}
}

// remote gives the server's name of a pattern and whether it is a glob.
func remote(pattern string) (name string, glob bool) {
	p, glob := strings.CutSuffix(pattern, "*")
	if !glob {
		return topicPrefix + pattern, false
	}
	return topicPrefix + globEscape.Replace(p) + "*", true
}

var globEscape = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

var globUnescape = strings.NewReplacer(`\\`, `\`, `\*`, `*`, `\?`, `?`, `\[`, `[`, `\]`, `]`)

// unglob gives the pattern that a glob was made from.
func unglob(glob string) string { return globUnescape.Replace(strings.TrimSuffix(glob, "*")) + "*" }

func (r *redisBus) Subscribe(ctx context.Context, pattern string) (Subscription, error) {
	s, err := r.hub.add(pattern, func() { r.leave(pattern) })
	if err != nil {
		return nil, err
	}
	confirmed, err := r.join(ctx, pattern)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("subscribing to %s: %w", pattern, closedError(err))
	}
	timeout := time.NewTimer(subscribeTimeout)
	defer timeout.Stop()
	select {
	case <-confirmed:
		return s, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-r.done:
		err = ErrClosed
	case <-timeout.C:
		err = errors.New("no answer from Redis")
	}
	s.Close()
	return nil, fmt.Errorf("subscribing to %s: %w", pattern, err)
}

// join asks the server for a pattern unless it sends it already.
func (r *redisBus) join(ctx context.Context, pattern string) (<-chan struct{}, error) {
	name, glob := remote(pattern)
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.names[name]
	if n != nil {
		n.listeners++
		return n.confirmed, nil
	}
	n = &remoteName{listeners: 1, confirmed: make(chan struct{})}
	r.names[name] = n
	subscribe := r.pubsub.Subscribe
	if glob {
		subscribe = r.pubsub.PSubscribe
	}
	return n.confirmed, subscribe(ctx, name)
}

func (r *redisBus) confirm(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.names[name]; n != nil {
		n.once.Do(func() { close(n.confirmed) })
	}
}

// leave tells the server that nobody here wants a pattern any more.
func (r *redisBus) leave(pattern string) {
	name, glob := remote(pattern)
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.names[name]
	if n == nil {
		return
	}
	if n.listeners--; n.listeners > 0 {
		return
	}
	delete(r.names, name)
	ctx, cancel := context.WithTimeout(context.Background(), unsubscribeTimeout)
	defer cancel()
	unsubscribe := r.pubsub.Unsubscribe
	if glob {
		unsubscribe = r.pubsub.PUnsubscribe
	}
	// A failure is harmless: messages without a listener are dropped, and a new
	// connection asks for the remaining names only.
	_ = unsubscribe(ctx, name)
}

// increment sets the end of a counter with its first value, in one step.
var increment = redis.NewScript(`
local n = redis.call("incr", KEYS[1])
if n == 1 then redis.call("pexpire", KEYS[1], ARGV[1]) end
return n`)

func (r *redisBus) Incr(ctx context.Context, key string, ttl time.Duration) (int64, error) {
	n, err := increment.Run(ctx, r.client, []string{counterPrefix + key}, max(1, ttl.Milliseconds())).Int64()
	if err != nil {
		return 0, fmt.Errorf("counting %s: %w", key, closedError(err))
	}
	return n, nil
}

func (r *redisBus) Ping(ctx context.Context) error {
	if err := r.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("reaching Redis: %w", closedError(err))
	}
	return nil
}

func (r *redisBus) Close() error {
	r.hub.close()
	err := errors.Join(r.pubsub.Close(), r.client.Close())
	<-r.done
	if errors.Is(err, redis.ErrClosed) {
		return nil
	}
	return err
}
