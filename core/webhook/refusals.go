package webhook

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// refusalsEvery is the pause between two lines of the log about refusals: there
// may be thousands a second.
const refusalsEvery = 10 * time.Second

// refusals counts the deliveries that were asked to come back, by reason.
type refusals struct {
	mu     sync.Mutex
	counts map[string]int
	told   time.Time
}

// note counts a refusal, and tells of all since the last time.
func (r *refusals) note(ctx context.Context, log *slog.Logger, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[string]int{}
	}
	r.counts[reason]++
	if now := time.Now(); now.Sub(r.told) > refusalsEvery || now.Before(r.told) {
		log.WarnContext(ctx, "deliveries are asked to come back later", "reasons", r.counts)
		r.counts, r.told = nil, now
	}
}
