package bus_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core/bus"
)

// patience bounds what must happen soon; passing tests do not wait for it.
const patience = 20 * time.Second

// each runs a test on every driver. here and there are two processes' views of
// one bus; unique starts the names that the test uses.
func each(t *testing.T, test func(t *testing.T, here, there bus.Bus, unique string)) {
	t.Run("local", func(t *testing.T) {
		b := bus.NewLocal()
		t.Cleanup(func() { require.NoError(t, b.Close()) })
		test(t, b, b, "")
	})
	t.Run("miniredis", func(t *testing.T) {
		url := "redis://" + miniredis.RunT(t).Addr()
		test(t, dial(t, url), dial(t, url), "")
	})
	t.Run("redis", func(t *testing.T) {
		url := os.Getenv("TEST_REDIS_URL")
		if url == "" {
			t.Skip("TEST_REDIS_URL is not set")
		}
		test(t, dial(t, url), dial(t, url), uuid.NewString()+":")
	})
}

func dial(t *testing.T, url string) bus.Bus {
	t.Helper()
	b, err := bus.NewRedis(url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func subscribe(t *testing.T, b bus.Bus, pattern string) bus.Subscription {
	t.Helper()
	s, err := b.Subscribe(t.Context(), pattern)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// next gives the next message as "topic=data".
func next(t *testing.T, s bus.Subscription) string {
	t.Helper()
	select {
	case m, ok := <-s.C():
		require.True(t, ok, "the subscription has ended")
		return m.Topic + "=" + string(m.Data)
	case <-time.After(patience):
		require.FailNow(t, "no message")
		return ""
	}
}

func TestPublish(t *testing.T) {
	cases := []struct {
		name, pattern   string
		matches, misses []string
	}{
		{"topic", "run:1", []string{"run:1"}, []string{"run:12", "run:", "x", "prefix:run:1"}},
		{"prefix", "run:*", []string{"run:1", "run:", "run:2:x"}, []string{"run", "x", "xrun:1"}},
		{"everything", "*", []string{"a", "run:1"}, nil},
		{"other marks mean themselves", `a?[b]\c*`, []string{`a?[b]\c`, `a?[b]\cd`}, []string{"axb", `ab`}},
		{"a star inside means itself", "a*b", []string{"a*b"}, []string{"axb", "ab"}},
		{"a star before the last", "a**", []string{"a*", "a*b"}, []string{"ab"}},
	}
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := subscribe(t, here, unique+c.pattern)
				twin := subscribe(t, there, unique+c.pattern)
				for _, topic := range append(c.misses, c.matches...) {
					require.NoError(t, there.Publish(t.Context(), unique+topic, []byte("for "+topic)))
				}
				for _, topic := range c.matches {
					want := unique + topic + "=for " + topic
					require.Equal(t, want, next(t, s))
					require.Equal(t, want, next(t, twin))
				}
			})
		}
	})
}

func TestOneMessagePerSubscription(t *testing.T) {
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		exact, prefix := subscribe(t, here, unique+"run:1"), subscribe(t, here, unique+"run:*")
		for _, data := range []string{"1", "2"} {
			require.NoError(t, there.Publish(t.Context(), unique+"run:1", []byte(data)))
		}
		for _, s := range []bus.Subscription{exact, prefix} {
			require.Equal(t, unique+"run:1=1", next(t, s))
			require.Equal(t, unique+"run:1=2", next(t, s))
		}
	})
}

func TestOverlappingPrefixes(t *testing.T) {
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		if strings.HasSuffix(t.Name(), "/miniredis") {
			t.Skip("miniredis delivers a message for one pattern of a connection only")
		}
		long, short := subscribe(t, here, unique+"run:*"), subscribe(t, here, unique+"ru*")
		for _, data := range []string{"1", "2"} {
			require.NoError(t, there.Publish(t.Context(), unique+"run:1", []byte(data)))
		}
		for _, s := range []bus.Subscription{long, short} {
			require.Equal(t, unique+"run:1=1", next(t, s))
			require.Equal(t, unique+"run:1=2", next(t, s))
		}
	})
}

func TestSubscriptionEnds(t *testing.T) {
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		first, second := subscribe(t, here, unique+"a"), subscribe(t, here, unique+"a")
		first.Close()
		first.Close()
		_, open := <-first.C()
		require.False(t, open)
		require.NoError(t, there.Publish(t.Context(), unique+"a", []byte("1")))
		require.Equal(t, unique+"a=1", next(t, second))
		second.Close()

		again := subscribe(t, here, unique+"a")
		require.NoError(t, there.Publish(t.Context(), unique+"a", []byte("2")))
		require.Equal(t, unique+"a=2", next(t, again))
	})
}

func TestSlowReaderLosesTheOldest(t *testing.T) {
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		slow, fast := subscribe(t, here, unique+"a"), subscribe(t, here, unique+"a")
		const extra = 50
		for i := range bus.Backlog + extra {
			require.NoError(t, there.Publish(t.Context(), unique+"a", []byte(fmt.Sprint(i))))
			require.Equal(t, fmt.Sprintf("%sa=%d", unique, i), next(t, fast))
		}
		for i := range bus.Backlog {
			require.Equal(t, fmt.Sprintf("%sa=%d", unique, i+extra), next(t, slow))
		}
	})
}

func TestLockExcludes(t *testing.T) {
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		const workers, rounds = 4, 10
		inside, total := 0, 0 // guarded by the lock alone
		var wg sync.WaitGroup
		errs := make(chan error, workers*rounds)
		for w := range workers {
			b := []bus.Bus{here, there}[w%2]
			wg.Go(func() {
				for range rounds {
					unlock, err := b.Lock(t.Context(), unique+"k", time.Minute)
					if err != nil {
						errs <- err
						return
					}
					inside++
					if inside != 1 {
						errs <- fmt.Errorf("%d hold the lock", inside)
					}
					total++
					inside--
					if err := unlock(); err != nil {
						errs <- err
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, workers*rounds, total)
	})
}

func TestLockWaits(t *testing.T) {
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		unlock, err := here.Lock(t.Context(), unique+"k", time.Minute)
		require.NoError(t, err)
		other, err := there.Lock(t.Context(), unique+"other", time.Minute)
		require.NoError(t, err, "another key is free")
		require.NoError(t, other())

		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = there.Lock(ctx, unique+"k", time.Minute)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		require.NoError(t, unlock())
		require.NoError(t, unlock(), "a second call does nothing")
		unlock, err = there.Lock(t.Context(), unique+"k", time.Minute)
		require.NoError(t, err)
		require.NoError(t, unlock())

		_, err = here.Lock(t.Context(), unique+"k", time.Microsecond)
		require.ErrorContains(t, err, "shorter than")
	})
}

func TestIncr(t *testing.T) {
	each(t, func(t *testing.T, here, there bus.Bus, unique string) {
		for want := int64(1); want <= 4; want++ {
			n, err := []bus.Bus{here, there}[want%2].Incr(t.Context(), unique+"n", time.Hour)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		n, err := here.Incr(t.Context(), unique+"other", time.Hour)
		require.NoError(t, err)
		require.Equal(t, int64(1), n)
	})
}

func TestClose(t *testing.T) {
	each(t, func(t *testing.T, here, _ bus.Bus, unique string) {
		require.NoError(t, here.Ping(t.Context()))
		exact, prefix := subscribe(t, here, unique+"a"), subscribe(t, here, unique+"*")
		require.NoError(t, here.Close())
		for _, s := range []bus.Subscription{exact, prefix} {
			_, open := <-s.C()
			require.False(t, open)
			s.Close()
		}
		require.ErrorIs(t, here.Publish(t.Context(), unique+"a", nil), bus.ErrClosed)
		require.ErrorIs(t, here.Ping(t.Context()), bus.ErrClosed)
		_, err := here.Subscribe(t.Context(), unique+"a")
		require.ErrorIs(t, err, bus.ErrClosed)
		require.NoError(t, here.Close())
	})
}
