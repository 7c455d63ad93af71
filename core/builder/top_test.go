package builder_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/builder"
)

func TestSuggestions(t *testing.T) {
	b := newSQLiteBed(t)
	var order []string
	for _, info := range b.listed() {
		if info.UIType != "Input" && info.UIType != "Output" && info.UIType != "Agent" {
			order = append(order, info.ID)
		}
	}
	last := order[len(order)-1]
	for id, n := range map[string]int{last: 5, order[3]: 9, order[7]: 9, inputID: 100, outputID: 100, agentID: 100, goneID: 100, "unknown": 100} {
		b.used[id] = n
	}
	s, err := b.Suggestions(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, []string{order[3], order[7], last, order[0], order[1]}, ids(s.TopBlocks), "by use, then in the order of the blocks")
	require.Equal(t, []string{"twitter", "github", "notion", "google", "discord", "google_maps"}, s.Providers)
}

func TestSuggestionsOfNothing(t *testing.T) {
	b := newSQLiteBed(t)
	s, err := b.Suggestions(t.Context(), alice)
	require.NoError(t, err)
	require.Len(t, s.TopBlocks, 5)
}

// counter counts the use of a block, when it is let.
type counter struct {
	mu    sync.Mutex
	calls int
	since time.Time
	err   error
	takes time.Duration
}

func (c *counter) count(ctx context.Context, since time.Time) (map[string]int, error) {
	c.mu.Lock()
	c.calls++
	n, err := c.calls, c.err
	c.since = since
	c.mu.Unlock()
	select {
	case <-time.After(c.takes):
		return map[string]int{"block": n}, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *counter) called() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// inBubble runs fn with a clock of its own.
func inBubble(t *testing.T, c *counter, fn func(t *testing.T, latest func(context.Context) map[string]int)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		latest, stop := builder.NewUse(ctx, c.count)
		defer func() { cancel(); stop() }()
		fn(t, latest)
	})
}

func TestUseIsCountedHourly(t *testing.T) {
	c := &counter{takes: time.Second}
	inBubble(t, c, func(t *testing.T, latest func(context.Context) map[string]int) {
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { require.Equal(t, map[string]int{"block": 1}, latest(t.Context())) })
		}
		all.Wait()
		require.Equal(t, 1, c.called(), "once for all who ask")
		require.Equal(t, 14*24*time.Hour, time.Since(c.since)-time.Second)
		time.Sleep(59 * time.Minute)
		latest(t.Context())
		synctest.Wait()
		require.Equal(t, 1, c.called())
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, latest(t.Context())["block"], "nobody waits for the next count")
		time.Sleep(2 * time.Second)
		require.Equal(t, 2, latest(t.Context())["block"])
		require.Equal(t, 2, c.called())
	})
}

func TestNobodyWaitsLongForACount(t *testing.T) {
	c := &counter{takes: 30 * time.Second}
	inBubble(t, c, func(t *testing.T, latest func(context.Context) map[string]int) {
		begin := time.Now()
		require.Nil(t, latest(t.Context()))
		require.Equal(t, 2*time.Second, time.Since(begin))
		gone, leave := context.WithCancel(t.Context())
		leave()
		require.Nil(t, latest(gone))
		require.Equal(t, 2*time.Second, time.Since(begin))
		time.Sleep(time.Minute)
		require.Equal(t, 1, latest(t.Context())["block"], "it went on in the background")
		require.Equal(t, 1, c.called())
	})
}

func TestCountsThatFail(t *testing.T) {
	c := &counter{err: errors.New("no database")}
	inBubble(t, c, func(t *testing.T, latest func(context.Context) map[string]int) {
		require.Nil(t, latest(t.Context()))
		require.Nil(t, latest(t.Context()))
		require.Equal(t, 1, c.called(), "a failure is left alone for a while")
		time.Sleep(2 * time.Minute)
		c.err = nil
		require.Equal(t, 2, latest(t.Context())["block"])
		time.Sleep(2 * time.Hour)
		c.err = errors.New("no database again")
		latest(t.Context())
		synctest.Wait()
		require.Equal(t, 3, c.called())
		require.Equal(t, 2, latest(t.Context())["block"], "the count before stays")
	})
}

func TestCountsThatHang(t *testing.T) {
	c := &counter{takes: time.Hour}
	inBubble(t, c, func(t *testing.T, latest func(context.Context) map[string]int) {
		require.Nil(t, latest(t.Context()))
		time.Sleep(59*time.Second - 2*time.Second)
		require.Nil(t, latest(t.Context()))
		require.Equal(t, 1, c.called())
		time.Sleep(3 * time.Minute)
		require.Nil(t, latest(t.Context()))
		require.Equal(t, 2, c.called(), "the first was ended")
	})
}
