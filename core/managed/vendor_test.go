package managed_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"agentserver/core"
)

// vendor is a service that gives one secret per user, with faults on demand.
type vendor struct {
	mu     sync.Mutex
	live   map[string][]string
	made   int
	calls  []string
	before map[string]func(ctx context.Context) error
	after  map[string]func(ctx context.Context) error
	off    bool
}

func newVendor() *vendor {
	return &vendor{
		live: map[string][]string{}, before: map[string]func(context.Context) error{}, after: map[string]func(context.Context) error{},
	}
}

// fault makes an operation fail or wait, before or after its effect; nil ends
// that.
func (v *vendor) fault(when map[string]func(context.Context) error, op string, fn func(ctx context.Context) error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	when[op] = fn
}

// do runs an operation between its faults.
func (v *vendor) do(ctx context.Context, op, user string, effect func() error) error {
	v.mu.Lock()
	v.calls = append(v.calls, op)
	before, after := v.before[op], v.after[op]
	v.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return err
		}
	}
	v.mu.Lock()
	err := effect()
	v.mu.Unlock()
	if err == nil && after != nil {
		err = after(ctx)
	}
	return err
}

func (v *vendor) add(user string) core.Credential {
	v.made++
	secret := fmt.Sprintf("canary-%s-%d", user, v.made)
	v.live[user] = append(v.live[user], secret)
	return core.APIKey{
		CredentialBase: core.CredentialBase{Provider: "acme", Title: "Acme (managed)", Managed: true, Metadata: map[string]any{"n": v.made}},
		Key:            core.Secret(secret),
	}
}

func (v *vendor) Available() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.off
}

func (v *vendor) Provision(ctx context.Context, user string) (c core.Credential, err error) {
	err = v.do(ctx, "provision", user, func() error {
		v.live[user] = nil
		c = v.add(user)
		return nil
	})
	return c, err
}

func (v *vendor) Renew(ctx context.Context, user string, _ core.Credential) (c core.Credential, err error) {
	err = v.do(ctx, "renew", user, func() error {
		c = v.add(user)
		return nil
	})
	return c, err
}

func (v *vendor) Retire(ctx context.Context, user string, keep core.Credential) error {
	return v.do(ctx, "retire", user, func() error {
		secret := keep.(core.APIKey).Key.Reveal()
		if !slices.Contains(v.live[user], secret) {
			return core.Errorf(core.NotFound, "no such secret")
		}
		v.live[user] = []string{secret}
		return nil
	})
}

func (v *vendor) Deprovision(ctx context.Context, user string, _ core.Credential) error {
	return v.do(ctx, "deprovision", user, func() error {
		delete(v.live, user)
		return nil
	})
}

// secrets gives what works for a user now.
func (v *vendor) secrets(user string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.live[user])
}

// count gives how often an operation was asked for.
func (v *vendor) count(op string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, c := range v.calls {
		if c == op {
			n++
		}
	}
	return n
}
