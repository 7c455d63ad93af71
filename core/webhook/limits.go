package webhook

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"agentserver/core"
)

const (
	// limitedWebhooks is of how many webhooks the rate is remembered.
	limitedWebhooks = 10_000
	// burstSeconds is how long the rate may be doubled at once.
	burstSeconds = 5
	// backlogAge is how long the size of the backlog is taken as known.
	backlogAge = 2 * time.Second
	// busyPause is when senders may come back that find no room.
	busyPause = 5 * time.Second
)

// Refusal is an answer to senders who shall come back.
type Refusal struct {
	// Err is of kind [core.TooMany] or [core.Unavailable].
	Err *core.Error
	// After is the pause that the sender is asked for.
	After time.Duration
	// Reason is a short word for metrics.
	Reason string
}

// Error is the message.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the error that names the kind.
func (r *Refusal) Unwrap() error { return r.Err }

func busy(reason, message string) *Refusal {
	return &Refusal{Err: core.PlainErrorf(core.Unavailable, "%s", message), After: busyPause, Reason: reason}
}

// limits bound what deliveries may cost this process.
type limits struct {
	config   Config
	inFlight *semaphore.Weighted

	mu    sync.Mutex
	rates *lru.Cache[string, *rate.Limiter]

	backlog   func(ctx context.Context) (int, error)
	backlogMu sync.Mutex
	counted   time.Time
	full      bool
}

func newLimits(c Config, backlog func(context.Context) (int, error)) *limits {
	rates, _ := lru.New[string, *rate.Limiter](limitedWebhooks) // its size is a constant
	return &limits{config: c, inFlight: semaphore.NewWeighted(c.MaxInFlight), rates: rates, backlog: backlog}
}

// allow counts a delivery to a webhook, whether it exists or not.
func (l *limits) allow(webhookID string) *Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.rates.Get(webhookID)
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(l.config.Rate), burstSeconds*l.config.Rate)
		l.rates.Add(webhookID, limiter)
	}
	r := limiter.Reserve()
	wait := r.Delay()
	if wait == 0 {
		return nil
	}
	r.Cancel()
	return &Refusal{
		Err:   core.PlainErrorf(core.TooMany, "Too many deliveries to this webhook; send it again later"),
		After: max(wait, time.Second), Reason: "limited",
	}
}

// readChunk is how much of a body is read at a time.
const readChunk = 64 << 10

// read reads a body of at most the limit, and one byte more of one that is larger.
// Memory is reserved as it arrives, so that who sends nothing takes none. leave
// gives it back, and must be called.
func (l *limits) read(r io.Reader) (body []byte, leave func(), err error) {
	taken := int64(0)
	leave = func() { l.inFlight.Release(taken) }
	chunk := make([]byte, readChunk)
	for int64(len(body)) <= l.config.MaxBody {
		n, err := r.Read(chunk[:min(readChunk, l.config.MaxBody+1-int64(len(body)))])
		if !l.inFlight.TryAcquire(int64(n)) {
			return nil, leave, busy("busy", "Too many deliveries arrive at once; send it again")
		}
		taken += int64(n)
		body = append(body, chunk[:n]...)
		if errors.Is(err, io.EOF) {
			return body, leave, nil
		}
		if err != nil {
			return nil, leave, core.PlainErrorf(core.Invalid, "The body of the delivery did not arrive")
		}
	}
	return body, leave, nil
}

// room refuses deliveries while too many wait for their runs.
func (l *limits) room(ctx context.Context) *Refusal {
	l.backlogMu.Lock()
	defer l.backlogMu.Unlock()
	if time.Since(l.counted) > backlogAge || time.Since(l.counted) < 0 {
		n, err := l.backlog(ctx)
		if err != nil {
			return busy("unavailable", "Deliveries cannot be stored now; send it again")
		}
		l.counted, l.full = time.Now(), n >= l.config.MaxBacklog
	}
	if l.full {
		return busy("backlog", "Too many deliveries wait to be worked on; send it again")
	}
	return nil
}
