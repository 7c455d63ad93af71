package bus_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/bus"
)

func TestLocalCounterEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus.NewLocal()
		incr := func() int64 {
			n, err := b.Incr(t.Context(), "n", time.Minute)
			require.NoError(t, err)
			return n
		}
		require.Equal(t, int64(1), incr())
		time.Sleep(40 * time.Second)
		require.Equal(t, int64(2), incr())
		time.Sleep(19 * time.Second)
		require.Equal(t, int64(3), incr(), "a later increment does not prolong the counter")
		time.Sleep(2 * time.Second)
		require.Equal(t, int64(1), incr())
	})
}
