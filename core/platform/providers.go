package platform

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"time"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/builtin"
	"agentserver/core/rest"
)

// ProviderSettings gives the settings of every provider that is compiled in,
// by name, for the configuration to know them.
func ProviderSettings(r *core.Registry) map[string]any {
	settings := map[string]any{}
	for _, p := range r.Providers() {
		if p.Name != core.CoreProvider {
			settings[p.Name] = p.Settings
		}
	}
	return settings
}

// ActiveProviders fills the settings of providers and leaves out those that
// the configuration turns off.
func ActiveProviders(c *config.Config, all *core.Registry) (*core.Registry, error) {
	off := map[string]string{}
	for _, p := range all.Providers() {
		if p.Name == core.CoreProvider {
			continue
		}
		if p.Settings != nil {
			if err := c.FillSettings(p.Name, p.Settings); err != nil {
				return nil, err
			}
		}
		if !c.Providers.On(p.Name) {
			off[p.Name] = offReason(c, p.Name)
		}
	}
	active := all.Without(off)
	if !c.Blocks.AgentInputSubtypes {
		active.Hide("blocks.agent_input_subtypes is false", builtin.InputSubtypes()...)
	}
	if c.PublicURL == "" {
		active.Hide("public_url is not set, so that nobody outside could reach the webhook", triggers(active)...)
	}
	return active, nil
}

// triggers gives the ids of the blocks that webhooks start.
func triggers(r *core.Registry) []string {
	var ids []string
	for _, b := range r.Blocks() {
		if spec := b.Spec(); spec.Webhook != nil {
			ids = append(ids, spec.ID)
		}
	}
	return ids
}

func offReason(c *config.Config, name string) string {
	if slices.Contains(c.Providers.Disabled, name) {
		return "listed in providers.disabled"
	}
	return "not listed in providers.enabled"
}

// outbound holds the guarded clients with which blocks send requests. A provider
// whose address the operator has set may reach that address wherever it is; no
// other block may.
type outbound struct {
	common   core.Doer
	dialer   core.Dialer
	files    core.Doer            // downloads, which have a limit of their own
	trusting map[string]core.Doer // by provider
}

func newOutbound(registry *core.Registry, trusted []string) *outbound {
	common := rest.NewClient(rest.Options{Trusted: trusted})
	o := &outbound{
		common:   common,
		dialer:   common,
		files:    rest.NewClient(rest.Options{Trusted: trusted, MaxBody: math.MaxInt64 - 1}),
		trusting: map[string]core.Doer{},
	}
	for _, p := range registry.Providers() {
		if p.Trusted == nil {
			continue
		}
		if hosts := p.Trusted(); len(hosts) > 0 {
			o.trusting[p.Name] = rest.NewClient(rest.Options{Trusted: slices.Concat(trusted, hosts)})
		}
	}
	return o
}

// of gives the client for the blocks of a provider.
func (o *outbound) of(provider string) core.Doer {
	if c, ok := o.trusting[provider]; ok {
		return c
	}
	return o.common
}

// modelTimeout bounds one call of a language model.
const modelTimeout = 10 * time.Minute

// modelHTTP is the guarded client for language models. The addresses that the
// operator set are trusted: they may be on the own network.
func modelHTTP(registry *core.Registry) *http.Client {
	var trusted []string
	for _, p := range registry.Providers() {
		if p.Models == nil {
			continue
		}
		if u, err := url.Parse(p.Models.Endpoint().BaseURL); err == nil && u.Host != "" {
			trusted = append(trusted, u.Host)
		}
	}
	return rest.NewClient(rest.Options{Timeout: modelTimeout, Trusted: trusted}).HTTP()
}

// startProviders calls the Start function of each provider that is on.
func (p *Platform) startProviders(ctx, background context.Context) error {
	for _, provider := range p.Registry.Providers() {
		if err := p.startProvider(ctx, background, provider); err != nil {
			return err
		}
	}
	return nil
}

func (p *Platform) startProvider(ctx, background context.Context, provider *core.Provider) error {
	if provider.Start == nil {
		return nil
	}
	env := &core.Env{HTTP: p.outbound.of(provider.Name), Go: p.guarded(background, provider.Name)}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := provider.Start(ctx, env); err != nil {
		return providerError(provider.Name, err)
	}
	return nil
}

// guarded starts background work of a provider, whose panic does not end the
// process.
func (p *Platform) guarded(ctx context.Context, provider string) func(string, func(context.Context)) {
	return func(name string, fn func(context.Context)) {
		go func() {
			defer func() {
				if r := recover(); r != nil {
					p.Log.Error("background work of a provider crashed", "provider", provider, "work", name,
						"panic", r, "stack", string(debug.Stack()))
				}
			}()
			fn(ctx)
		}()
	}
}
