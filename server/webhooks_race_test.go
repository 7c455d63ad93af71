package server_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// What is deleted while a trigger is set up, and the other way round, never leaves
// a webhook at the vendor that nobody uses, or a trigger without its webhook.
func TestSetUpsMeetDeletions(t *testing.T) {
	const setupPath = "/api/library/presets/setup-trigger"
	type step func(b *bed, s subscription, repo string) answer
	setUp := func(b *bed, s subscription, repo string) answer {
		return b.call(alice, "POST", setupPath, s.setup(repo, opened))
	}
	extend := func(b *bed, s subscription, _ string) answer {
		return b.call(alice, "POST", setupPath, s.setup(s.hook.resource, map[string]any{"closed": true}))
	}
	deletion := func(path func(s subscription) string) step {
		return func(b *bed, s subscription, _ string) answer { return b.call(alice, "DELETE", path(s), nil) }
	}
	credential := deletion(func(s subscription) string {
		return "/api/integrations/acme/credentials/" + s.credential + "?force=true"
	})
	graph := deletion(func(s subscription) string { return "/api/graphs/" + s.graph })
	preset := deletion(func(s subscription) string { return "/api/library/presets/" + s.preset })
	for name, c := range map[string]struct {
		held          string // the vendor's request during which the other step is done
		first, second step
	}{
		"the credential goes while a webhook is registered": {"set", setUp, credential},
		"the agent goes while a webhook is registered":      {"set", setUp, graph},
		"the last trigger goes while another is added":      {"set", extend, preset},
		"a trigger is added while the credential goes":      {"delete", credential, setUp},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(b *bed) {
				s := b.subscribe(alice, opened)
				repo := "repo-" + uuid.NewString()
				ours := func(resource string) bool { return resource == repo || resource == s.hook.resource }
				entered, goOn := b.hold(c.held, ours)
				first := make(chan answer, 1)
				go func() { first <- c.first(b, s, repo) }()
				<-entered
				second := c.second(b, s, repo)
				close(goOn)
				require.NotEqual(b.t, 500, (<-first).status)
				require.NotEqual(b.t, 500, second.status)
				b.eventually("webhooks are where they belong", func() bool { return b.consistent(repo) && b.consistent(s.hook.resource) })
			})
		})
	}
}

// hold makes the vendor's next request of a kind wait, and tells when it has
// come.
func (b *bed) hold(op string, ours func(resource string) bool) (entered, goOn chan struct{}) {
	entered, goOn = make(chan struct{}), make(chan struct{})
	var once sync.Once
	acmeVendor.set(func(v *vendor) {
		v.hold = func(now string, hook core.Webhook) {
			if now == op && ours(hook.Resource) {
				once.Do(func() {
					close(entered)
					<-goOn
				})
			}
		}
	})
	b.t.Cleanup(func() { acmeVendor.set(func(v *vendor) { v.hold = nil }) })
	return entered, goOn
}

// consistent reports whether the webhooks of a resource at the vendor are just
// those that have a trigger here.
func (b *bed) consistent(resource string) bool {
	b.t.Helper()
	var linked []string
	err := b.platform.DB.Write.Raw("SELECT DISTINCT w.id FROM webhooks w JOIN presets p ON p.webhook_id = w.id "+
		"WHERE w.resource = ? AND w.state = 'active' AND NOT p.is_deleted", resource).Scan(&linked).Error
	require.NoError(b.t, err)
	return len(linked) == len(acmeVendor.of(resource))
}

// A client that leaves while a credential is being deleted does not leave its
// webhooks half removed.
func TestClientLeavesDuringDeletion(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		entered, goOn := b.hold("delete", func(resource string) bool { return resource == s.hook.resource })
		ctx, leave := context.WithCancel(context.Background())
		req, err := http.NewRequestWithContext(ctx, "DELETE", b.url+"/api/integrations/acme/credentials/"+s.credential+"?force=true", nil)
		require.NoError(b.t, err)
		req.Header.Set("Authorization", "Bearer "+b.tokens[alice])
		left := make(chan error, 1)
		go func() {
			res, err := http.DefaultTransport.RoundTrip(req)
			if err == nil {
				_ = res.Body.Close()
			}
			left <- err
		}()
		<-entered
		leave()
		require.True(b.t, errors.Is(<-left, context.Canceled))
		close(goOn)
		b.eventually("the webhook is gone", func() bool { return len(acmeVendor.of(s.hook.resource)) == 0 })
	})
}

// What fails for a while is tried again: it does not make deliveries dead.
func TestPassingFaults(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		exec := func(q string) { require.NoError(b.t, b.platform.DB.Write.Exec(q).Error) }
		exec("ALTER TABLE credentials RENAME TO away")
		b.signed(s.hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
		b.eventually("the first attempt fails", func() bool {
			list := b.object(admin, "GET", "/api/admin/webhooks/deliveries?user_id=alice", nil)["deliveries"].([]any)
			return list[0].(map[string]any)["attempts"] == 1.0
		})
		exec("ALTER TABLE away RENAME TO credentials")
		b.settled()
		require.Len(b.t, b.runsOf(alice, s.graph), 1)
	})
}

// Somebody else's deletion of an agent leaves a user's presets of it alone.
func TestForeignDeletionKeepsPresets(t *testing.T) {
	engines(t, func(b *bed) {
		g := b.save(alice, echoAgent("plain"))["id"].(string)
		p := b.object(alice, "POST", "/api/library/presets", map[string]any{
			"graph_id": g, "graph_version": 1, "inputs": map[string]any{}, "credentials": map[string]any{}, "name": "n", "description": "",
		})["id"].(string)
		require.NoError(b.t, b.platform.DB.Write.Exec("UPDATE presets SET user_id = 'bob' WHERE id = ?", p).Error)
		b.call(bob, "DELETE", "/api/graphs/"+g, nil).is(200, `{"version_counts":0}`)
		b.ok(bob, "GET", "/api/library/presets/"+p, nil)
	})
}
