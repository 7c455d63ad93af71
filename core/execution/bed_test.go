package execution_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/builtin"
	"agentserver/core/db/dbtest"
	"agentserver/core/execution"
	"agentserver/core/graph"
	"agentserver/core/platform"
)

// Blocks of the platform that the tests use.
const (
	inputBlock     = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
	outputBlock    = "363ae599-353e-4804-937e-b2ee3cef3da4"
	storeBlock     = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
	fillBlock      = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30"
	findBlock      = "0e50422c-6dee-4145-83d6-3a5a392f65de"
	calcBlock      = "b1ab9b19-67a6-406d-abf5-2dba76d00c79"
	stepBlock      = "f66a3543-28d3-4ab5-8945-9b336371e2ce"
	addBlock       = "aeb08fc1-2fc1-4141-bc8e-f758f183a822"
	conditionBlock = "715696a0-e1da-45c8-b209-c2fa9c3b0be6"
	keepBlock      = "1d055e55-a2b9-4547-8311-907d05b0304d"
	recallBlock    = "d8710fc9-6e29-481e-a7d5-165eb16f8471"
)

// Blocks of the tests' own.
const (
	slowBlock = "7e57b10c-0000-4000-8000-000000000001"
	emitBlock = "7e57b10c-0000-4000-8000-000000000002"
	stubborn  = "7e57b10c-0000-4000-8000-000000000003"
	failBlock = "7e57b10c-0000-4000-8000-000000000004"
	plainKeep = "7e57b10c-0000-4000-8000-000000000005"
	joinBlock = "7e57b10c-0000-4000-8000-000000000006"
	riskBlock = "7e57b10c-0000-4000-8000-000000000007"
)

// calls counts runs of the emitting block.
var calls atomic.Int64

// testProvider holds blocks whose timing the tests need.
func testProvider() *core.Provider {
	type slowIn struct {
		Value any     `json:"value"`
		Delay float64 `json:"delay" default:"0" type:"number"`
	}
	type one struct {
		Value core.Pin[any] `json:"value"`
	}
	sleep := func(ctx context.Context, seconds float64) error {
		select {
		case <-time.After(time.Duration(seconds * float64(time.Second))):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	slow := core.NewBlock(core.BlockSpec{ID: slowBlock, Name: "SlowBlock", Description: "Waits."},
		func(ctx context.Context, _ *core.Run, in *slowIn, out *one) error {
			if err := sleep(ctx, in.Delay); err != nil {
				return err
			}
			out.Value.Emit(in.Value)
			return nil
		})
	type emitIn struct {
		Values []any   `json:"values"`
		Delay  float64 `json:"delay" default:"0"`
	}
	emit := core.NewBlock(core.BlockSpec{ID: emitBlock, Name: "EmitBlock", Description: "Emits each value."},
		func(ctx context.Context, _ *core.Run, in *emitIn, out *one) error {
			calls.Add(1)
			for _, v := range in.Values {
				out.Value.Emit(v)
				if err := sleep(ctx, in.Delay); err != nil {
					return err
				}
			}
			return nil
		})
	hang := core.NewBlock(core.BlockSpec{ID: stubborn, Name: "StubbornBlock", Description: "Does not listen."},
		func(_ context.Context, _ *core.Run, in *slowIn, _ *one) error {
			time.Sleep(time.Duration(in.Delay * float64(time.Second)))
			return nil
		})
	fail := core.NewBlock(core.BlockSpec{ID: failBlock, Name: "FailBlock", Description: "Fails."},
		func(_ context.Context, _ *core.Run, in *slowIn, _ *one) error {
			return core.Errorf(core.Invalid, "no luck with %v", in.Value)
		})
	keep := core.NewBlock(core.BlockSpec{ID: plainKeep, Name: "PlainBlock", Description: "Passes on; its output is not static."},
		func(_ context.Context, _ *core.Run, in *slowIn, out *one) error {
			out.Value.Emit(in.Value)
			return nil
		})
	type joinIn struct {
		A any `json:"a"`
		B any `json:"b"`
	}
	join := core.NewBlock(core.BlockSpec{ID: joinBlock, Name: "JoinBlock", Description: "Joins two values."},
		func(_ context.Context, _ *core.Run, in *joinIn, out *one) error {
			out.Value.Emit(fmt.Sprint(in.A, in.B))
			return nil
		})
	risk := core.NewBlock(core.BlockSpec{ID: riskBlock, Name: "RiskBlock", Description: "Passes on; it is sensitive.", Sensitive: true},
		func(_ context.Context, _ *core.Run, in *slowIn, out *one) error {
			out.Value.Emit(in.Value)
			return nil
		})
	return &core.Provider{Name: "test", Title: "Test", Blocks: []core.Block{slow, emit, hang, fail, keep, join, risk}}
}

// bed is a platform with one user.
type bed struct {
	t    *testing.T
	p    *platform.Platform
	user string
}

// each runs a test on every engine that is there.
func each(t *testing.T, fn func(t *testing.T, flags map[string]string)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, map[string]string{"data_dir": t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) {
		if os.Getenv("TEST_POSTGRES_URL") == "" {
			t.Skip("TEST_POSTGRES_URL is not set")
		}
		fn(t, map[string]string{"data_dir": t.TempDir(), "database.url": dbtest.PostgresURL(t)})
	})
}

// open starts a platform. It is closed with the test, or by close.
func open(t *testing.T, flags map[string]string, more ...string) *bed {
	all := map[string]string{"worker.heartbeat_timeout": "2s"}
	for k, v := range flags {
		all[k] = v
	}
	for _, pair := range more {
		k, v, _ := strings.Cut(pair, "=")
		all[k] = v
	}
	registry := &core.Registry{}
	require.NoError(t, registry.Add(builtin.Provider()))
	require.NoError(t, registry.Add(testProvider()))
	c, err := config.Load(config.Options{Flags: all, Providers: platform.ProviderSettings(registry)})
	require.NoError(t, err)
	p, err := platform.New(t.Context(), c, platform.Options{Work: true, Log: slog.New(slog.DiscardHandler), Registry: registry})
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	b := &bed{t: t, p: p, user: "user-1"}
	_, err = p.Accounts.Ensure(t.Context(), account.Identity{UserID: b.user, Email: "user@example.com"})
	require.NoError(t, err)
	closed := false
	t.Cleanup(func() {
		if !closed {
			closed = true
			b.close(100 * time.Millisecond)
		}
	})
	return b
}

func (b *bed) close(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	_ = b.p.Close(ctx)
}

// draw makes a graph of nodes "id block" with inputs, and links
// "node.pin -> node.pin".
type drawing struct {
	nodes []graph.Node
	links []graph.Link
}

func (d *drawing) node(id, block string, in core.Values) *drawing {
	d.nodes = append(d.nodes, graph.Node{ID: id, BlockID: block, InputDefault: in})
	return d
}

func (d *drawing) link(from, to string) *drawing {
	source, sourcePin, _ := strings.Cut(from, ".")
	sink, sinkPin, _ := strings.Cut(to, ".")
	d.links = append(d.links, graph.Link{SourceID: source, SourceName: sourcePin, SinkID: sink, SinkName: sinkPin})
	return d
}

// save stores the drawing and gives the graph, with the ids of its nodes by
// the names in the drawing.
func (b *bed) save(d *drawing) (*graph.Model, map[string]string) {
	names := make([]string, len(d.nodes))
	for i, n := range d.nodes {
		names[i] = n.ID
	}
	g := graph.Graph{}
	g.Name, g.Version, g.IsActive, g.Nodes, g.Links = "Test", 1, true, d.nodes, d.links
	m, err := b.p.Graphs.Create(b.t.Context(), b.user, g)
	require.NoError(b.t, err)
	ids := map[string]string{}
	for i, n := range m.Nodes {
		ids[names[i]] = n.ID
	}
	return m, ids
}

// start starts a run.
func (b *bed) start(m *graph.Model, inputs core.Values) string {
	meta, err := b.p.Executions.Start(b.t.Context(), execution.StartRequest{UserID: b.user, GraphID: m.ID, Inputs: inputs})
	require.NoError(b.t, err)
	return meta.ID
}

// await gives a run at its end.
func (b *bed) await(m *graph.Model, id string) *execution.WithNodes {
	var run *execution.WithNodes
	require.Eventually(b.t, func() bool {
		var err error
		run, err = b.p.Executions.Get(b.t.Context(), b.user, m.ID, id)
		require.NoError(b.t, err)
		return run.Status.Final()
	}, time.Minute, 5*time.Millisecond, "the run does not end")
	return run
}

// run saves, starts and awaits.
func (b *bed) run(d *drawing, inputs core.Values) (*execution.WithNodes, map[string]string) {
	m, ids := b.save(d)
	return b.await(m, b.start(m, inputs)), ids
}

// of gives the runs of one node, in the order in which they were queued.
func of(run *execution.WithNodes, nodeID string) []execution.NodeResult {
	var list []execution.NodeResult
	for _, n := range run.NodeExecutions {
		if n.NodeID == nodeID {
			list = append(list, n)
		}
	}
	return list
}
