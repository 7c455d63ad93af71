package builder

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"agentserver/core"
)

const (
	// topBlocks is how many blocks are suggested.
	topBlocks = 5
	// usePeriod is how far back the use of blocks counts.
	usePeriod = 14 * 24 * time.Hour
	// keepUse is how long a count is good, and retryUse how long a failed one is
	// left alone.
	keepUse  = time.Hour
	retryUse = time.Minute
	// maxCount is how long a count may take, and patience how long a request waits
	// for the first one.
	maxCount = time.Minute
	patience = 2 * time.Second
)

// use knows how often blocks were used lately. It counts when it is asked and its
// count is old, in the background and once for all who ask.
type use struct {
	count func(ctx context.Context, since time.Time) (map[string]int, error)
	ctx   context.Context // ends with the platform
	log   *slog.Logger

	flight singleflight.Group
	mu     sync.Mutex
	counts map[string]int // nil before the first count
	until  time.Time      // when to count again
}

// latest gives the latest count, which may be an old one. Before there is any, it
// waits a moment, and then gives none.
func (u *use) latest(ctx context.Context) map[string]int {
	counts, old := u.known()
	if !old {
		return counts
	}
	done := u.flight.DoChan("count", u.recount)
	if counts != nil {
		return counts
	}
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	case <-ctx.Done():
	}
	counts, _ = u.known()
	return counts
}

func (u *use) known() (counts map[string]int, old bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.counts, !time.Now().Before(u.until)
}

func (u *use) recount() (any, error) {
	if _, old := u.known(); !old {
		return nil, nil // by a flight that has just landed
	}
	ctx, cancel := context.WithTimeout(u.ctx, maxCount)
	defer cancel()
	counts, err := u.count(ctx, time.Now().Add(-usePeriod))
	u.mu.Lock()
	defer u.mu.Unlock()
	if err != nil {
		if u.ctx.Err() == nil {
			u.log.Warn("the blocks that are used most are not known", "error", err)
		}
		u.until = time.Now().Add(retryUse)
		return nil, nil
	}
	u.counts, u.until = counts, time.Now().Add(keepUse)
	return nil, nil
}

// stop waits for a count under way. The context that it runs with must have
// ended.
func (u *use) stop() {
	<-u.flight.DoChan("count", func() (any, error) { return nil, nil })
}

// top gives the listed blocks that are used most, except for those that every
// agent has. Blocks that are used equally keep their order.
func (x *index) top(counts map[string]int) []*Block {
	var blocks []*Block
	for _, b := range x.listed {
		if b.ui != core.UIInput && b.ui != core.UIOutput && b.ui != core.UIAgent {
			blocks = append(blocks, b)
		}
	}
	slices.SortStableFunc(blocks, func(a, b *Block) int { return counts[b.ID] - counts[a.ID] })
	return append([]*Block{}, blocks[:min(len(blocks), topBlocks)]...)
}
