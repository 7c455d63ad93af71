package agentmail

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
	"agentserver/providers/agentmail/agentmailtest"
)

const orgKey = "am_org_secret"

// bed is a managed provider in front of a server of its own.
type bed struct {
	mail    *agentmailtest.Server
	url     string
	managed *managed
}

func newBed(t *testing.T) *bed {
	t.Helper()
	mail := agentmailtest.New(orgKey)
	srv := httptest.NewServer(mail)
	t.Cleanup(srv.Close)
	return &bed{mail: mail, url: srv.URL, managed: &managed{
		settings: &settings{APIKey: orgKey, BaseURL: srv.URL}, http: rest.NewClient(rest.Options{Trusted: []string{srv.URL}}), pause: time.Millisecond,
	}}
}

// as gives the API as a key sees it.
func (b *bed) as(key core.Secret) *client {
	return &client{http: b.managed.http, root: b.managed.settings.root(), key: key}
}

func (b *bed) provision(t *testing.T, userID string) core.APIKey {
	t.Helper()
	c, err := b.managed.Provision(t.Context(), userID)
	require.NoError(t, err)
	return c.(core.APIKey)
}

func TestProvision(t *testing.T) {
	b := newBed(t)
	require.True(t, b.managed.Available())
	c := b.provision(t, "u-1")

	require.Len(t, c.ID, 36)
	require.Equal(t, "agent_mail", c.Provider)
	require.Equal(t, "AgentMail (managed by AutoGPT)", c.Title)
	require.True(t, c.Managed)
	require.Zero(t, c.ExpiresAt)
	require.Equal(t, b.mail.PodOf("u-1"), c.Metadata["pod_id"])
	require.True(t, b.mail.Works(c.Key.Reveal()))
	require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 1}, b.mail.Tally())

	keys, err := b.as(orgKey).ListPodKeys(t.Context(), b.mail.PodOf("u-1"), listQuery{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, "u-1-agpt-managed", keys.Items[0].text("name"))
	require.Equal(t, keys.Items[0].text("api_key_id"), c.Metadata["api_key_id"])
	pod, err := b.as(orgKey).GetPod(t.Context(), b.mail.PodOf("u-1"))
	require.NoError(t, err)
	require.Equal(t, "u-1-pod", pod.text("name"))
}

// The key of one user reaches nothing of another, nor the organisation.
func TestProvisionedKeysAreApart(t *testing.T) {
	b := newBed(t)
	one, two := b.as(b.provision(t, "u-1").Key), b.as(b.provision(t, "u-2").Key)
	inbox, err := one.CreateInbox(t.Context(), nil, inboxParams{Username: "one"})
	require.NoError(t, err)
	require.Equal(t, b.mail.PodOf("u-1"), inbox.text("pod_id"))

	_, err = two.GetInbox(t.Context(), "one@agentmail.to")
	require.True(t, isStatus(err, http.StatusNotFound), "%v", err)
	seen, err := two.ListInboxes(t.Context(), nil, listQuery{})
	require.NoError(t, err)
	require.Empty(t, seen.Items)
	_, err = two.GetPod(t.Context(), b.mail.PodOf("u-1"))
	require.True(t, isStatus(err, http.StatusNotFound), "%v", err)
	_, err = two.ListPods(t.Context(), listQuery{})
	require.True(t, isStatus(err, http.StatusForbidden), "%v", err)
}

// When a result was lost, the next call replaces what the lost one made.
func TestProvisionAgain(t *testing.T) {
	b := newBed(t)
	first := b.provision(t, "u-1")
	second := b.provision(t, "u-1")
	require.Equal(t, first.Metadata["pod_id"], second.Metadata["pod_id"])
	require.False(t, b.mail.Works(first.Key.Reveal()))
	require.True(t, b.mail.Works(second.Key.Reveal()))
	require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 1}, b.mail.Tally())
}

func TestProvisionAfterFailures(t *testing.T) {
	drop := agentmailtest.Fault{Drop: true}
	lost := agentmailtest.Fault{Drop: true, After: true}
	failing := agentmailtest.Fault{Status: http.StatusServiceUnavailable, RetryAfter: "0", Times: 3}
	limited := agentmailtest.Fault{Status: http.StatusTooManyRequests, RetryAfter: "3600"}
	broken := agentmailtest.Fault{Status: http.StatusInternalServerError, RetryAfter: "0", After: true}
	for _, step := range []struct{ name, method, path string }{
		{"pod", http.MethodPost, "/v0/pods"},
		{"list of keys", http.MethodGet, "/api-keys"},
		{"key", http.MethodPost, "/api-keys"},
		{"clean-up", http.MethodDelete, "/api-keys"},
	} {
		for name, fault := range map[string]agentmailtest.Fault{
			"dropped": drop, "lost": lost, "failing": failing, "limited": limited, "broken afterwards": broken,
		} {
			t.Run(step.name+" "+name, func(t *testing.T) {
				t.Parallel()
				b := newBed(t)
				b.provision(t, "u-1") // leaves a key to clean up
				fault.Method, fault.Path = step.method, step.path
				b.mail.Inject(fault)
				// The platform tries again until it has a result.
				var c core.Credential
				for range 5 {
					var err error
					if c, err = b.managed.Provision(t.Context(), "u-1"); err == nil {
						break
					}
					require.NotContains(t, err.Error(), orgKey)
				}
				require.NotNil(t, c)
				require.True(t, b.mail.Works(c.(core.APIKey).Key.Reveal()))
				require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 1}, b.mail.Tally())
			})
		}
	}
}

// A crash between the making of a key and the storing of the credential leaves
// a key whose secret nobody has.
func TestProvisionRemovesOrphans(t *testing.T) {
	b := newBed(t)
	b.mail.Inject(agentmailtest.Fault{Method: http.MethodPost, Path: "/api-keys", Drop: true, After: true})
	_, err := b.managed.Provision(t.Context(), "u-1")
	require.Error(t, err)
	require.Equal(t, 1, b.mail.Tally().Keys, "made, and lost: a key is not asked for twice")

	pod := b.mail.PodOf("u-1")
	for range 250 {
		_, err := b.as(orgKey).CreatePodKey(t.Context(), pod, "u-1-agpt-managed")
		require.NoError(t, err)
	}
	other, err := b.as(orgKey).CreatePodKey(t.Context(), pod, "made by hand")
	require.NoError(t, err)

	c := b.provision(t, "u-1")
	require.Equal(t, 2, b.mail.Tally().Keys)
	require.True(t, b.mail.Works(c.Key.Reveal()))
	require.True(t, b.mail.Works(other.Secret.Reveal()), "a key of another name stays")
}

func TestProvisionRefusesForeignPods(t *testing.T) {
	for name, pod := range map[string]string{
		"of another user":  `{"pod_id":"p-1","client_id":"u-2"}`,
		"of nobody":        `{"pod_id":"p-1"}`,
		"the default one":  `{"pod_id":"o-1","organization_id":"o-1","client_id":"u-1"}`,
		"without identity": `{"client_id":"u-1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var requests []string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests = append(requests, r.Method+" "+r.URL.Path)
				_, _ = w.Write([]byte(pod))
			}))
			defer srv.Close()
			m := &managed{settings: &settings{APIKey: orgKey, BaseURL: srv.URL}, http: srv.Client()}
			_, err := m.Provision(t.Context(), "u-1")
			require.True(t, core.IsKind(err, core.Forbidden), "%v", err)
			require.Equal(t, []string{"POST /v0/pods"}, requests)
		})
	}
}

// The platform holds a lock for each user; calls for one user come one after
// another, and only the last result counts.
func TestProvisionManyAtOnce(t *testing.T) {
	b := newBed(t)
	locks := map[string]*sync.Mutex{}
	last := map[string]core.APIKey{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 40 {
		user := fmt.Sprintf("u-%d", i%4)
		if locks[user] == nil {
			locks[user] = &sync.Mutex{}
		}
		lock := locks[user]
		wg.Go(func() {
			lock.Lock()
			defer lock.Unlock()
			c, err := b.managed.Provision(context.Background(), user)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			last[user] = c.(core.APIKey)
		})
	}
	wg.Wait()
	require.Equal(t, agentmailtest.Tally{Pods: 4, Keys: 4}, b.mail.Tally())
	for user, c := range last {
		require.True(t, b.mail.Works(c.Key.Reveal()), user)
	}
}

func TestManagedNeedsTheKeyAndAUser(t *testing.T) {
	b := newBed(t)
	for name, m := range map[string]*managed{
		"no key":      {settings: &settings{BaseURL: b.url}, http: http.DefaultClient},
		"not started": {settings: &settings{APIKey: orgKey, BaseURL: b.url}},
	} {
		_, err := m.Provision(t.Context(), "u-1")
		require.True(t, core.IsKind(err, core.Unavailable), "%s: %v", name, err)
		require.True(t, core.IsKind(m.Deprovision(t.Context(), "u-1", nil), core.Unavailable), name)
	}
	require.False(t, (&managed{settings: &settings{}}).Available())
	_, err := b.managed.Provision(t.Context(), "")
	require.True(t, core.IsKind(err, core.Invalid), "%v", err)
	require.True(t, core.IsKind(b.managed.Deprovision(t.Context(), "", nil), core.Invalid))
	require.Empty(t, b.mail.Requests())
}

func TestProvisionWithAWrongKey(t *testing.T) {
	b := newBed(t)
	b.managed.settings.APIKey = "am_wrong_secret"
	_, err := b.managed.Provision(t.Context(), "u-1")
	require.ErrorContains(t, err, "creating the user's pod: AgentMail 401 unknown_api_key: Unknown API key")
	require.NotContains(t, err.Error(), "am_wrong_secret")
}

func TestClientID(t *testing.T) {
	for id, want := range map[string]string{
		"":                                     "",
		"0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9": "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9",
		"A.b_c":                                "A.b_c",
		"me@example.com":                       "me~40example.com",
		"auth0|1":                              "auth0~7C1",
		"auth0~7C1":                            "auth0~7E7C1",
		"é":                                    "~C3~A9",
		"a b/c":                                "a~20b~2Fc",
	} {
		require.Equal(t, want, clientID(id), id)
	}
	long := strings.Repeat("x", 300)
	require.NotEqual(t, clientID(long), clientID(long+"y"))
	require.LessOrEqual(t, len(clientID(long))+len("-agpt-managed"), 256)
	require.Equal(t, strings.Repeat("x", 240), clientID(strings.Repeat("x", 240)), "just not too long")
}
