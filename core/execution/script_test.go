package execution_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/builtin"
	"agentserver/core/db"
	"agentserver/core/platform"
)

const agentBlock = "e189baac-8c20-45a1-94a7-55177ea42565"

// scriptBlock runs a script of the test.
const scriptBlock = "7e57b10c-0000-4000-8000-000000000101"

// scripts are what the script block does, by name. A test sets those that it
// uses before it starts a run.
var scripts sync.Map

type script func(ctx context.Context, run *core.Run, call int64, value any, emit func(any)) error

type scripted struct {
	do    script
	calls atomic.Int64
}

// setScript makes the script block do fn for inputs of that name, and gives
// the counter of its runs.
func setScript(t *testing.T, name string, fn script) *atomic.Int64 {
	s := &scripted{do: fn}
	scripts.Store(name, s)
	t.Cleanup(func() { scripts.Delete(name) })
	return &s.calls
}

// scriptProvider holds the script block.
func scriptProvider() *core.Provider {
	type in struct {
		Script string `json:"script"`
		Value  any    `json:"value" default:"null"`
	}
	type out struct {
		Value core.Pin[any] `json:"value"`
	}
	block := core.NewBlock(core.BlockSpec{ID: scriptBlock, Name: "ScriptBlock", Description: "Does what the test says."},
		func(ctx context.Context, run *core.Run, in *in, out *out) error {
			s, ok := scripts.Load(in.Script)
			if !ok {
				return core.Errorf(core.Internal, "no script %s", in.Script)
			}
			sc := s.(*scripted)
			return sc.do(ctx, run, sc.calls.Add(1), in.Value, out.Value.Emit)
		})
	return &core.Provider{Name: "script", Title: "Script", Blocks: []core.Block{block}}
}

// openScripted is open with the script block.
func openScripted(t *testing.T, flags map[string]string, more ...string) *bed {
	return openWith(t, scriptProvider(), flags, more...)
}

// openWith is open with one more provider.
func openWith(t *testing.T, extra *core.Provider, flags map[string]string, more ...string) *bed {
	all := map[string]string{"worker.heartbeat_timeout": "2s"}
	for k, v := range flags {
		all[k] = v
	}
	for _, pair := range more {
		k, v, _ := strings.Cut(pair, "=")
		all[k] = v
	}
	registry := &core.Registry{}
	for _, p := range []*core.Provider{builtin.Provider(), testProvider(), extra} {
		require.NoError(t, registry.Add(p))
	}
	c, err := config.Load(config.Options{Flags: all, Providers: platform.ProviderSettings(registry)})
	require.NoError(t, err)
	p, err := platform.New(t.Context(), c, platform.Options{Work: true, Log: slog.New(slog.DiscardHandler), Registry: registry})
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	b := &bed{t: t, p: p, user: "user-1"}
	_, err = p.Accounts.Ensure(t.Context(), account.Identity{UserID: b.user, Email: "user@example.com"})
	require.NoError(t, err)
	t.Cleanup(func() { b.close(100 * time.Millisecond) })
	return b
}

// refuse makes the database refuse writes of a kind ("INSERT", "UPDATE") to a
// table while a condition on NEW and OLD holds. heal ends it.
func (b *bed) refuse(table, kind, when string) (heal func()) {
	exec := func(s string) { require.NoError(b.t, b.p.DB.Write.Exec(s).Error) }
	name := "refuse_" + table
	if b.p.DB.Engine == db.SQLite {
		exec("CREATE TRIGGER " + name + " BEFORE " + kind + " ON " + table + " WHEN " + when + " BEGIN SELECT RAISE(ABORT, 'refused'); END")
		return func() { exec("DROP TRIGGER " + name) }
	}
	exec("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$")
	exec("CREATE TRIGGER " + name + " BEFORE " + kind + " ON " + table + " FOR EACH ROW WHEN (" + when + ") EXECUTE FUNCTION refuse()")
	return func() { exec("DROP TRIGGER " + name + " ON " + table) }
}

// agentNode gives the inputs of a node that runs another agent with these
// outputs.
func agentNode(id string, pins ...string) core.Values {
	props := map[string]any{}
	for _, p := range pins {
		props[p] = map[string]any{}
	}
	return vals{
		"graph_id": id, "graph_version": 1, "inputs": map[string]any{},
		"input_schema":  map[string]any{"properties": map[string]any{}},
		"output_schema": map[string]any{"properties": props},
	}
}
