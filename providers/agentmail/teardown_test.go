package agentmail

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/providers/agentmail/agentmailtest"
)

// deletions gives the kinds of what was deleted, in order.
func (b *bed) deletions() []string {
	var out []string
	for _, r := range b.mail.Requests() {
		if path, ok := strings.CutPrefix(r, "DELETE /v0/pods/"); ok {
			parts := strings.Split(path, "/")
			kind := "pod"
			if len(parts) > 1 {
				kind = parts[1]
			}
			out = append(out, kind)
		}
	}
	return out
}

func TestDeprovision(t *testing.T) {
	for _, c := range []struct {
		name string
		fill func(t *testing.T, b *bed, key core.APIKey)
		want []string
	}{
		{"an unused pod", func(*testing.T, *bed, core.APIKey) {}, []string{"api-keys", "pod"}},
		{"an inbox", func(t *testing.T, b *bed, key core.APIKey) {
			_, err := b.as(key.Key).CreateInbox(t.Context(), nil, inboxParams{})
			require.NoError(t, err)
		}, []string{"inboxes", "api-keys", "pod"}},
		{"everything", func(t *testing.T, b *bed, key core.APIKey) {
			for range 2 {
				_, err := b.as(key.Key).CreateInbox(t.Context(), nil, inboxParams{})
				require.NoError(t, err)
			}
			pod := b.mail.PodOf("u-1")
			_, err := b.as(key.Key).CreatePodKey(t.Context(), pod, "made by the user")
			require.NoError(t, err)
			b.mail.AddPart(pod, "domain")
			b.mail.AddPart(pod, "webhook")
		}, []string{"inboxes", "inboxes", "api-keys", "api-keys", "domains", "webhooks", "pod"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			other := b.provision(t, "u-2")
			key := b.provision(t, "u-1")
			c.fill(t, b, key)
			require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", key))
			require.Equal(t, c.want, b.deletions())
			require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 1}, b.mail.Tally(), "only the other user's")
			require.False(t, b.mail.Works(key.Key.Reveal()))
			require.True(t, b.mail.Works(other.Key.Reveal()))
			require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", key), "already gone")
		})
	}
}

func TestDeprovisionOfManyInboxes(t *testing.T) {
	b := newBed(t)
	key := b.provision(t, "u-1")
	for range 230 {
		_, err := b.as(key.Key).CreateInbox(t.Context(), nil, inboxParams{})
		require.NoError(t, err)
	}
	require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", key))
	require.Equal(t, agentmailtest.Tally{}, b.mail.Tally())
}

// Without a credential, or with one that does not say the pod, the pod is found
// by its owner.
func TestDeprovisionWithoutThePod(t *testing.T) {
	for name, c := range map[string]core.Credential{"nil": nil, "no metadata": core.APIKey{}} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			for i := range 120 {
				_, err := b.as(orgKey).CreatePod(t.Context(), podParams{ClientID: "other-" + string(rune('a'+i%26)) + string(rune('a'+i/26))})
				require.NoError(t, err)
			}
			b.provision(t, "u-1")
			require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", c))
			require.Equal(t, agentmailtest.Tally{Pods: 120}, b.mail.Tally())
			require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", c), "already gone")
		})
	}
}

func TestDeprovisionRefusesForeignPods(t *testing.T) {
	b := newBed(t)
	theirs := b.provision(t, "u-2")
	nobodys, err := b.as(orgKey).CreatePod(t.Context(), podParams{})
	require.NoError(t, err)
	for name, pod := range map[string]any{
		"of another user": theirs.Metadata["pod_id"],
		"of nobody":       nobodys.text("pod_id"),
		"the default one": agentmailtest.OrganizationID,
	} {
		c := core.APIKey{CredentialBase: core.CredentialBase{Metadata: map[string]any{"pod_id": pod}}}
		err := b.managed.Deprovision(t.Context(), "u-1", c)
		require.True(t, core.IsKind(err, core.Forbidden), "%s: %v", name, err)
	}
	require.Empty(t, b.deletions())
	require.Equal(t, agentmailtest.Tally{Pods: 2, Keys: 1}, b.mail.Tally())
}

func TestDeprovisionAfterFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault agentmailtest.Fault
		tries int // how many calls it takes
	}{
		{"the answer of the deletion is lost", agentmailtest.Fault{Method: http.MethodDelete, Drop: true, After: true, Skip: 2}, 1},
		{"the deletion fails after its effect", agentmailtest.Fault{Method: http.MethodDelete, Status: 500, RetryAfter: "0", After: true, Skip: 2}, 1},
		{"a key's deletion fails for a moment", agentmailtest.Fault{Method: http.MethodDelete, Path: "/api-keys/", Status: 503, RetryAfter: "0", Times: 2}, 1},
		{"something is on its way out", agentmailtest.Fault{Method: http.MethodDelete, Status: 409, Code: "resource_deleting", Skip: 2, Times: 2}, 1},
		{"an inbox is on its way out", agentmailtest.Fault{Method: http.MethodDelete, Path: "/inboxes/", Status: 409, Code: "resource_deleting"}, 1},
		{"a list fails", agentmailtest.Fault{Method: http.MethodGet, Path: "/api-keys", Status: 500, RetryAfter: "0", Times: 3}, 2},
		{"the pod stays in use", agentmailtest.Fault{Method: http.MethodDelete, Status: 409, Code: "cannot_delete", Skip: 2, Times: 4}, 2},
		{"said to be gone and is not", agentmailtest.Fault{Method: http.MethodDelete, Status: 204, Skip: 2, Times: 4}, 2},
		{"said to be gone and is not, at first", agentmailtest.Fault{Method: http.MethodDelete, Status: 204, Skip: 2}, 1},
		{"a quota is used up", agentmailtest.Fault{Method: http.MethodDelete, Status: 429, RetryAfter: "3600"}, 2},
		{"the pod cannot be read", agentmailtest.Fault{Method: http.MethodGet, Status: 500, RetryAfter: "0", Times: 3}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			key := b.provision(t, "u-1")
			_, err := b.as(key.Key).CreateInbox(t.Context(), nil, inboxParams{})
			require.NoError(t, err)
			b.mail.Inject(c.fault)
			for range c.tries - 1 {
				require.Error(t, b.managed.Deprovision(t.Context(), "u-1", key))
				require.Equal(t, 1, b.mail.Tally().Pods)
			}
			require.NoError(t, b.managed.Deprovision(t.Context(), "u-1", key))
			require.Equal(t, agentmailtest.Tally{}, b.mail.Tally())
		})
	}
}
