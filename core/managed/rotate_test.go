package managed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/bus"
)

func TestRotate(t *testing.T) {
	each(t, func(b *bed) {
		patient := quick
		patient.Grace = time.Hour
		p := b.start(patient, bus.NewLocal())
		p.Ensure(b.t.Context(), ada)
		first := b.stored(p, ada)
		listed, err := p.credentials.List(b.t.Context(), ada)
		require.NoError(b.t, err)
		r, err := p.Rotate(b.t.Context(), ada, "acme")
		require.NoError(b.t, err)
		require.Equal(b.t, listed[0].ID, r.CredentialID, "agents name the credential by its id")
		second := b.stored(p, ada)
		require.Equal(b.t, []string{first, second}, b.vendor.secrets(ada), "runs that have the first one go on")
		_, err = p.Rotate(b.t.Context(), ada, "acme")
		require.NoError(b.t, err)
		require.True(b.t, core.IsKind(p.Retry(b.t.Context(), ada, "acme"), core.Conflict), "nothing has failed")
		b.endLease() // and the grace
		b.one()      // looks for what is overdue at its start
		b.settles(p, ada)
		require.NotEqual(b.t, second, b.stored(p, ada))
	})
}

// A rotation that fails keeps the present secret and leaves no other.
func TestRotateFails(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		p.Ensure(b.t.Context(), ada)
		first := b.stored(p, ada)
		b.vendor.fault(b.vendor.after, "renew", failing)
		_, err := p.Rotate(b.t.Context(), ada, "acme")
		require.True(b.t, core.IsKind(err, core.Unavailable), "%v", err)
		require.Equal(b.t, first, b.stored(p, ada))
		b.settles(p, ada)
		require.Equal(b.t, first, b.stored(p, ada))
	})
}

func TestRotateRefuses(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		_, err := p.Rotate(b.t.Context(), ada, "acme")
		require.True(b.t, core.IsKind(err, core.NotFound), "%v", err)
		_, err = p.Rotate(b.t.Context(), ada, "other")
		require.True(b.t, core.IsKind(err, core.NotFound), "%v", err)
		p.Ensure(b.t.Context(), ada)
		b.vendor.fault(b.vendor.before, "deprovision", failing)
		require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"))
		_, err = p.Rotate(b.t.Context(), ada, "acme")
		require.True(b.t, core.IsKind(err, core.NotFound), "%v", err)
	})
}

// A revocation during a rotation wins.
func TestRevokeDuringRotation(t *testing.T) {
	each(t, func(b *bed) {
		p := b.one()
		p.Ensure(b.t.Context(), ada)
		entered, goOn := make(chan struct{}), make(chan struct{})
		b.vendor.fault(b.vendor.after, "renew", func(context.Context) error {
			close(entered)
			<-goOn
			return nil
		})
		failed := make(chan error, 1)
		go func() {
			_, err := p.Rotate(context.Background(), ada, "acme")
			failed <- err
		}()
		<-entered
		require.NoError(b.t, p.Revoke(b.t.Context(), ada, "acme"))
		close(goOn)
		require.True(b.t, core.IsKind(<-failed, core.Conflict))
		b.idle(p)
		require.Empty(b.t, b.vendor.secrets(ada))
		require.Empty(b.t, b.stored(p, ada))
	})
}
