package coretest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// operation is something that a manager does at its vendor. Deregistrations
// and pings give no registration.
type operation func(ctx context.Context, http core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error)

// operations plays what the manager does at its vendor.
func (c *webhookCase) operations(t *testing.T) {
	registrar, registers := c.manager.(core.WebhookRegistrar)
	updater, updates := c.manager.(core.WebhookUpdater)
	pinger, pings := c.manager.(core.WebhookPinger)
	none := func(do func(context.Context, core.Doer, core.Webhook, core.Credential) error) operation {
		return func(ctx context.Context, http core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
			return core.WebhookRegistration{}, do(ctx, http, hook, c)
		}
	}
	for _, o := range []struct {
		name string
		list []WebhookOperation
		can  bool
		do   func() operation
		// gives says that it gives a registration.
		gives bool
	}{
		{"register", c.Register, registers, func() operation { return registrar.Register }, true},
		{"deregister", c.Deregister, registers, func() operation { return none(registrar.Deregister) }, false},
		{"update", c.Update, updates, func() operation { return updater.Update }, true},
		{"ping", c.Ping, pings, func() operation { return none(pinger.Ping) }, false},
	} {
		if !o.can {
			require.Empty(t, o.list, "the manager cannot %s", o.name)
			continue
		}
		require.NotEmpty(t, o.list, "the manager can %s: write a vector of it", o.name)
		require.NotNil(t, c.Credential, "to %s takes a credential", o.name)
		if o.name == "deregister" {
			c.checkLost(t)
		}
		for _, v := range o.list {
			t.Run(o.name+" "+v.Name, func(t *testing.T) {
				c.play(t, o.do(), v, o.gives)
				c.disconnected(t, o.do(), v, o.gives)
			})
		}
	}
}

// checkLost asks for a deregistration after a registration whose answer was
// lost: the vendor's id is not known then, and the subscription may be there.
func (c *webhookCase) checkLost(t *testing.T) {
	given := func(list []WebhookOperation, has bool) bool {
		return slices.ContainsFunc(list, func(v WebhookOperation) bool { return (v.ProviderID+v.Hook.ProviderID != "") == has })
	}
	if given(c.Register, true) {
		require.True(t, given(c.Deregister, false), "the vendor gives ids: write a vector of a deregistration without provider_id")
	}
}

// play runs an operation against its exchanges.
func (c *webhookCase) play(t *testing.T, do operation, v WebhookOperation, gives bool) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	vendor := &transport{t: t, exchanges: v.Exchanges}
	got, err := do(ctx, vendor, c.hookOf(v, gives), c.credential(t))
	if v.Error != "" {
		require.Error(t, err)
		require.Contains(t, err.Error(), v.Error)
		c.discreet(t, "the error", err.Error())
		vendor.done()
		return
	}
	require.NoError(t, err)
	vendor.done()
	if !gives {
		return
	}
	require.Equal(t, v.ProviderID, got.ProviderID, "the vendor's id of the subscription")
	c.discreet(t, "the vendor's id", got.ProviderID)
	require.Equal(t, floats(nonNil(v.Config)), floats(plain(t, nonNil(got.Config))), "what to remember of the registration")
	c.discreet(t, "what to remember of the registration", jsonOf(t, got.Config))
}

// disconnected checks that a vendor that cannot be reached is an error, and
// one without secrets: HTTP libraries repeat the URL, which may hold some.
func (c *webhookCase) disconnected(t *testing.T, do operation, v WebhookOperation, gives bool) {
	if len(v.Exchanges) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := do(ctx, unplugged{}, c.hookOf(v, gives), c.credential(t))
	require.Error(t, err, "the vendor cannot be reached")
	c.discreet(t, "the error of an unreachable vendor", err.Error())
}

// unplugged is a vendor that cannot be reached.
type unplugged struct{}

// Do fails as package http does.
func (unplugged) Do(r *http.Request) (*http.Response, error) {
	return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: errors.New("connection refused")}
}

func (c *webhookCase) hookOf(v WebhookOperation, gives bool) core.Webhook {
	hook := c.hook(c.provider.Name)
	if !gives {
		hook.ProviderID = v.ProviderID
	}
	v.Hook.apply(&hook)
	return hook
}

func (c *webhookCase) credential(t *testing.T) core.Credential {
	given := *c.Credential
	if given.Provider == "" {
		given.Provider = c.provider.Name
	}
	return openCredential(t, given)
}

// discreet checks that a text that users see holds no secret.
func (c *webhookCase) discreet(t *testing.T, what, text string) {
	t.Helper()
	require.NotContains(t, text, c.Secret, "%s holds the secret of the webhook", what)
	require.Equal(t, text, core.Redact(text, c.credential(t)), "%s holds a secret of the credential", what)
}

func nonNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
