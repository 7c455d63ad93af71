package platform_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/builtin"
	"agentserver/core/bus"
	"agentserver/core/platform"
)

const (
	alphaBlock = "7e57b10c-0000-4000-8000-000000000201"
	betaBlock  = "7e57b10c-0000-4000-8000-000000000202"
)

type settings struct {
	Region string      `key:"region" default:"eu" doc:"Where it runs."`
	Key    core.Secret `key:"key" env:"ALPHA_KEY" doc:"Its key."`
}

// alpha has settings, beta has none; each has one block.
func providers() (alpha, beta *core.Provider) {
	type in struct {
		Value any `json:"value"`
	}
	type out struct {
		Value core.Pin[any] `json:"value"`
	}
	block := func(id, name string) []core.Block {
		return []core.Block{core.NewBlock(core.BlockSpec{ID: id, Name: name, Description: "Does nothing."},
			func(context.Context, *core.Run, *in, *out) error { return nil })}
	}
	return &core.Provider{Name: "alpha", Title: "Alpha", Settings: &settings{}, Blocks: block(alphaBlock, "AlphaBlock")},
		&core.Provider{Name: "beta", Title: "Beta", Blocks: block(betaBlock, "BetaBlock")}
}

// load makes a configuration in which the data folder is the test's.
func load(t *testing.T, list []*core.Provider, flags map[string]string, env ...string) (*config.Config, *core.Registry) {
	registry := &core.Registry{}
	for _, p := range append([]*core.Provider{builtin.Provider()}, list...) {
		require.NoError(t, registry.Add(p))
	}
	all := map[string]string{"data_dir": t.TempDir()}
	for k, v := range flags {
		all[k] = v
	}
	c, err := config.Load(config.Options{Flags: all, Env: env, Providers: platform.ProviderSettings(registry)})
	require.NoError(t, err)
	return c, registry
}

// open builds and starts a platform that is closed with the test.
func open(t *testing.T, list []*core.Provider, flags map[string]string, o platform.Options) *platform.Platform {
	c, registry := load(t, list, flags)
	o.Registry = registry
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p, err := platform.New(t.Context(), c, o)
	require.NoError(t, err)
	t.Cleanup(func() { closeSoon(p) })
	require.NoError(t, p.Start(t.Context()))
	return p
}

func closeSoon(p *platform.Platform) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = p.Close(ctx)
}

func TestSettingsReachProviders(t *testing.T) {
	cases := map[string]struct {
		flags map[string]string
		env   []string
		want  settings
	}{
		"defaults":    {want: settings{Region: "eu"}},
		"flag":        {flags: map[string]string{"providers.alpha.region": "us"}, want: settings{Region: "us"}},
		"environment": {env: []string{"ALPHA_KEY=s3cret"}, want: settings{Region: "eu", Key: "s3cret"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			alpha, beta := providers()
			var seen *settings
			alpha.Start = func(context.Context, *core.Env) error {
				s := *alpha.Settings.(*settings)
				seen = &s
				return nil
			}
			cfg, registry := load(t, []*core.Provider{alpha, beta}, c.flags, c.env...)
			p, err := platform.New(t.Context(), cfg, platform.Options{Log: slog.New(slog.DiscardHandler), Registry: registry})
			require.NoError(t, err)
			defer closeSoon(p)
			require.NotNil(t, seen, "the provider was not started")
			require.Equal(t, c.want, *seen, "settings are not there when the provider starts")
		})
	}
}

func TestProvidersThatAreOff(t *testing.T) {
	cases := map[string]struct {
		flags map[string]string
		on    []string // of the two blocks
		why   map[string]string
	}{
		"all": {on: []string{alphaBlock, betaBlock}},
		"disabled": {
			flags: map[string]string{"providers.disabled": "alpha"}, on: []string{betaBlock},
			why: map[string]string{alphaBlock: "its provider alpha is turned off here (listed in providers.disabled)"},
		},
		"not enabled": {
			flags: map[string]string{"providers.enabled": "alpha"}, on: []string{alphaBlock},
			why: map[string]string{betaBlock: "its provider beta is turned off here (not listed in providers.enabled)"},
		},
		"enabled and disabled": {
			flags: map[string]string{"providers.enabled": "alpha,beta", "providers.disabled": "beta"}, on: []string{alphaBlock},
			why: map[string]string{betaBlock: "its provider beta is turned off here (listed in providers.disabled)"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			alpha, beta := providers()
			started := map[string]bool{}
			for _, p := range []*core.Provider{alpha, beta} {
				p.Start = func(context.Context, *core.Env) error {
					started[p.Blocks[0].Spec().ID] = true
					return nil
				}
			}
			p := open(t, []*core.Provider{alpha, beta}, c.flags, platform.Options{})
			want := map[string]bool{}
			for _, id := range c.on {
				want[id] = true
				_, known := p.Registry.Block(id)
				require.True(t, known)
			}
			require.Equal(t, want, started, "providers that are off are not started, the others are")
			for id, why := range c.why {
				_, known := p.Registry.Block(id)
				require.False(t, known)
				require.Equal(t, why, p.Registry.Unknown(id))
			}
			_, known := p.Registry.Block("c0a8e994-ebf1-4a9c-a4d8-89d09c86741b")
			require.True(t, known, "the platform's own blocks cannot be turned off")
		})
	}
}

// A provider that does not start keeps the platform from starting, by name. It
// leaves nothing behind: background work ends and the data folder is free.
func TestProviderThatDoesNotStart(t *testing.T) {
	alpha, beta := providers()
	ended := make(chan struct{})
	alpha.Start = func(_ context.Context, env *core.Env) error {
		env.Go("watch", func(ctx context.Context) {
			<-ctx.Done()
			close(ended)
		})
		return nil
	}
	broken := errors.New("the vendor said no")
	beta.Start = func(context.Context, *core.Env) error { return broken }
	c, registry := load(t, []*core.Provider{alpha, beta}, nil)
	o := platform.Options{Work: true, Log: slog.New(slog.DiscardHandler), Registry: registry}
	p, err := platform.New(t.Context(), c, o)
	require.Nil(t, p)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "provider beta: ")
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		require.FailNow(t, "the background work of the other provider goes on")
	}
	beta.Start = nil
	alpha.Start = nil
	p, err = platform.New(t.Context(), c, o)
	require.NoError(t, err, "the failed start keeps the data folder")
	closeSoon(p)
}

// Background work that panics is logged with its provider and ends alone.
func TestBackgroundWorkThatPanics(t *testing.T) {
	var log safeBuffer
	alpha, beta := providers()
	alpha.Start = func(_ context.Context, env *core.Env) error {
		env.Go("watch", func(context.Context) { panic("out of cheese") })
		return nil
	}
	p := open(t, []*core.Provider{alpha, beta}, nil, platform.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.Eventually(t, func() bool { return bytes.Contains(log.Bytes(), []byte("out of cheese")) }, 10*time.Second, 5*time.Millisecond)
	require.Contains(t, string(log.Bytes()), "provider=alpha")
	h, ok := p.Check(t.Context())
	require.True(t, ok, "%+v", h)
}

// safeBuffer is a log that may be written to and read at the same time.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

func TestHealth(t *testing.T) {
	healthy := platform.Health{Status: "healthy", Database: "ok", Queue: "ok", Bus: "ok"}
	cases := map[string]struct {
		work bool
		harm func(t *testing.T, p *platform.Platform)
		want platform.Health
	}{
		"working":       {work: true, want: healthy},
		"only starting": {want: healthy},
		"database closed": {
			work: true, harm: func(t *testing.T, p *platform.Platform) { require.NoError(t, p.DB.Close()) },
			want: platform.Health{Status: "unhealthy", Database: "not working", Queue: "not working", Bus: "ok"},
		},
		"worker not registered": {
			// Without a beat that would register it again.
			work: true, harm: func(t *testing.T, p *platform.Platform) {
				require.NoError(t, p.DB.Write.Exec("ALTER TABLE workers RENAME TO gone").Error)
				require.NoError(t, p.DB.Write.Exec("CREATE TABLE workers (id text, beat bigint)").Error)
				require.NoError(t, p.DB.Write.Exec("CREATE TRIGGER keep_out BEFORE INSERT ON workers BEGIN SELECT RAISE(ABORT, 'no'); END").Error)
			},
			want: platform.Health{Status: "unhealthy", Database: "ok", Queue: "not working", Bus: "ok"},
		},
		"bus closed": {
			work: true, harm: func(t *testing.T, p *platform.Platform) { require.NoError(t, p.Bus.Close()) },
			want: platform.Health{Status: "unhealthy", Database: "ok", Queue: "ok", Bus: "not working"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := open(t, nil, nil, platform.Options{Work: c.work})
			if c.harm != nil {
				c.harm(t, p)
			}
			h, ok := p.Check(t.Context())
			require.Equal(t, c.want, h)
			require.Equal(t, c.want.Status == "healthy", ok)
		})
	}
}

// The configured Redis carries messages to other processes, and its loss shows.
func TestRedisBus(t *testing.T) {
	server := miniredis.RunT(t)
	url := "redis://" + server.Addr()
	p := open(t, nil, map[string]string{"redis.url": url}, platform.Options{Work: true})
	other, err := bus.NewRedis(url)
	require.NoError(t, err)
	defer other.Close()
	sub, err := other.Subscribe(t.Context(), "hello")
	require.NoError(t, err)
	require.NoError(t, p.Bus.Publish(t.Context(), "hello", []byte("world")))
	select {
	case m := <-sub.C():
		require.Equal(t, "world", string(m.Data))
	case <-time.After(10 * time.Second):
		require.FailNow(t, "the message does not arrive")
	}
	h, ok := p.Check(t.Context())
	require.True(t, ok, "%+v", h)
	server.Close()
	h, ok = p.Check(t.Context())
	require.False(t, ok)
	require.Equal(t, platform.Health{Status: "unhealthy", Database: "ok", Queue: "ok", Bus: "not working"}, h)
}

func TestCloseWithoutStart(t *testing.T) {
	c, registry := load(t, nil, nil)
	o := platform.Options{Work: true, Log: slog.New(slog.DiscardHandler), Registry: registry}
	for range 2 {
		p, err := platform.New(t.Context(), c, o)
		require.NoError(t, err, "the data folder was not given back")
		require.NoError(t, p.Close(t.Context()))
	}
}

func TestBadRedisURLKeepsItsPassword(t *testing.T) {
	registry := &core.Registry{}
	require.NoError(t, registry.Add(builtin.Provider()))
	c, err := config.Load(config.Options{Flags: map[string]string{"data_dir": t.TempDir(), "redis.url": "redis://:hunter2@[bad"}})
	if err == nil {
		_, err = platform.New(t.Context(), c, platform.Options{Log: slog.New(slog.DiscardHandler), Registry: registry})
	}
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}
