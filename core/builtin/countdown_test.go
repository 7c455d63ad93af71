package builtin

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestCountdownEndsWithItsRun(t *testing.T) {
	_, registry := registered(t)
	b, _ := registry.BlockByName("CountdownTimerBlock")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- core.Execute(ctx, b, &core.Run{}, core.Values{"days": 20}, ignore) }()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)

	// One that does not wait at all stops between two messages.
	ctx, cancel = context.WithCancel(t.Context())
	emitted := 0
	err := core.Execute(ctx, b, &core.Run{}, core.Values{"repeat": 100}, func(string, any) error {
		emitted++
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, emitted)
}
