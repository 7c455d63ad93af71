package agentmail

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/providers/agentmail/agentmailtest"
)

func TestRenewAndRetire(t *testing.T) {
	b := newBed(t)
	first := b.provision(t, "u-1")
	c, err := b.managed.Renew(t.Context(), "u-1", first)
	require.NoError(t, err)
	second := c.(core.APIKey)
	require.Equal(t, first.Metadata["pod_id"], second.Metadata["pod_id"])
	require.True(t, b.mail.Works(first.Key.Reveal()), "the first one goes on to work")
	require.True(t, b.mail.Works(second.Key.Reveal()))
	byHand, err := b.as(orgKey).CreatePodKey(t.Context(), b.mail.PodOf("u-1"), "made by hand")
	require.NoError(t, err)

	require.NoError(t, b.managed.Retire(t.Context(), "u-1", second))
	require.False(t, b.mail.Works(first.Key.Reveal()))
	require.True(t, b.mail.Works(second.Key.Reveal()))
	require.True(t, b.mail.Works(byHand.Secret.Reveal()))
	require.NoError(t, b.managed.Retire(t.Context(), "u-1", second), "again does no harm")
	require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 2}, b.mail.Tally())
}

// Credentials that were made elsewhere do not say which key they hold.
func TestRetireWithoutMetadata(t *testing.T) {
	b := newBed(t)
	first := b.provision(t, "u-1")
	c, err := b.managed.Renew(t.Context(), "u-1", first)
	require.NoError(t, err)
	second := c.(core.APIKey)
	second.Metadata = nil
	require.NoError(t, b.managed.Retire(t.Context(), "u-1", second))
	require.False(t, b.mail.Works(first.Key.Reveal()))
	require.True(t, b.mail.Works(second.Key.Reveal()))
}

// A key that the vendor does not know is no reason to delete the others.
func TestRetireWhatIsGone(t *testing.T) {
	b := newBed(t)
	dead := b.provision(t, "u-1")
	live := b.provision(t, "u-1")
	err := b.managed.Retire(t.Context(), "u-1", dead)
	require.True(t, core.IsKind(err, core.NotFound), "%v", err)
	require.True(t, b.mail.Works(live.Key.Reveal()))
	c, err := b.managed.Renew(t.Context(), "u-1", nil)
	require.NoError(t, err)
	require.True(t, b.mail.Works(c.(core.APIKey).Key.Reveal()))
}

// The key of one user never decides over the keys of another.
func TestRetireRefusesForeignKeys(t *testing.T) {
	b := newBed(t)
	other := b.provision(t, "u-2")
	b.provision(t, "u-1")
	err := b.managed.Retire(t.Context(), "u-1", other)
	require.True(t, core.IsKind(err, core.Forbidden), "%v", err)
	require.Equal(t, agentmailtest.Tally{Pods: 2, Keys: 2}, b.mail.Tally())
	require.Error(t, b.managed.Retire(t.Context(), "u-1", core.APIKey{Key: orgKey}), "nor does the organisation's")
}

func TestRetireWhileTheVendorFails(t *testing.T) {
	b := newBed(t)
	c := b.provision(t, "u-1")
	for _, path := range []string{"/auth/me", "/v0/pods", "/api-keys"} {
		b.mail.Inject(agentmailtest.Fault{Path: path, Status: http.StatusServiceUnavailable, RetryAfter: "0", Times: -1})
		err := b.managed.Retire(t.Context(), "u-1", c)
		require.Error(t, err)
		require.False(t, core.IsKind(err, core.NotFound), "%v", err)
		require.NotContains(t, err.Error(), c.Key.Reveal())
		b.mail.ClearFaults()
	}
	require.True(t, b.mail.Works(c.Key.Reveal()))
}

// A renewal whose result was lost made another pod in place of one that had gone
// at the vendor.
func TestDeprovisionAfterALostRenewal(t *testing.T) {
	b := newBed(t)
	stored := b.provision(t, "u-1")
	require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", nil))
	_, err := b.managed.Renew(t.Context(), "u-1", stored)
	require.NoError(t, err)
	require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 1}, b.mail.Tally())
	require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", stored))
	require.Equal(t, agentmailtest.Tally{}, b.mail.Tally())
}
