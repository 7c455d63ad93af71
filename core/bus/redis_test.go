package bus_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"agentserver/core/bus"
)

func TestRedisURL(t *testing.T) {
	for _, url := range []string{"", "localhost:6379", "http://localhost", "redis://:s3cret@host:port"} {
		_, err := bus.NewRedis(url)
		require.EqualError(t, err, "the Redis URL must look like redis://host:6379/0", url)
	}
}

func TestRedisCounterEnds(t *testing.T) {
	server := miniredis.RunT(t)
	b := dial(t, "redis://"+server.Addr())
	incr := func() int64 {
		n, err := b.Incr(t.Context(), "n", time.Minute)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, int64(1), incr())
	server.FastForward(40 * time.Second)
	require.Equal(t, int64(2), incr())
	server.FastForward(21 * time.Second)
	require.Equal(t, int64(1), incr())
}

const lockKey = "agentserver:lock:k"

func TestRedisLockIsRenewed(t *testing.T) {
	server := miniredis.RunT(t)
	b := dial(t, "redis://"+server.Addr())
	const ttl = 300 * time.Millisecond
	unlock, err := b.Lock(t.Context(), "k", ttl)
	require.NoError(t, err)
	for range 3 {
		server.FastForward(ttl - time.Millisecond)
		require.Eventually(t, func() bool { return server.TTL(lockKey) == ttl }, patience, time.Millisecond)
	}
	require.NoError(t, unlock())
	require.False(t, server.Exists(lockKey))
}

func TestRedisLockOfADeadHolderEnds(t *testing.T) {
	server := miniredis.RunT(t)
	require.NoError(t, server.Set(lockKey, "someone else's token"))
	server.SetTTL(lockKey, time.Minute)
	b := dial(t, "redis://"+server.Addr())
	server.FastForward(time.Minute)
	unlock, err := b.Lock(t.Context(), "k", time.Minute)
	require.NoError(t, err)
	require.NoError(t, unlock())
}

func TestRedisLockIsLost(t *testing.T) {
	server := miniredis.RunT(t)
	b := dial(t, "redis://"+server.Addr())
	unlock, err := b.Lock(t.Context(), "k", time.Hour)
	require.NoError(t, err)
	require.NoError(t, server.Set(lockKey, "someone else's token"))
	require.ErrorIs(t, unlock(), bus.ErrLockLost)
	require.ErrorIs(t, unlock(), bus.ErrLockLost)
	require.True(t, server.Exists(lockKey), "another's lock is left alone")

	server.Del(lockKey)
	unlock, err = b.Lock(t.Context(), "k", 30*time.Millisecond)
	require.NoError(t, err)
	require.NoError(t, server.Set(lockKey, "someone else's token"))
	require.ErrorIs(t, unlock(), bus.ErrLockLost)
}

func TestRedisAway(t *testing.T) {
	server := miniredis.RunT(t)
	b := dial(t, "redis://"+server.Addr())
	s := subscribe(t, b, "a")
	server.Close()
	require.ErrorContains(t, b.Publish(t.Context(), "a", []byte("1")), "publishing to a: ")
	require.ErrorContains(t, b.Ping(t.Context()), "reaching Redis: ")
	_, err := b.Incr(t.Context(), "n", time.Hour)
	require.ErrorContains(t, err, "counting n: ")

	require.NoError(t, server.Restart())
	// The subscription comes back by itself; what is sent before that is lost.
	received := make(chan bus.Message, 1)
	go func() { received <- <-s.C() }()
	require.Eventually(t, func() bool {
		require.NoError(t, b.Publish(t.Context(), "a", []byte("2")))
		select {
		case m := <-received:
			return string(m.Data) == "2"
		default:
			return false
		}
	}, patience, 10*time.Millisecond)
}
