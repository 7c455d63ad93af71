package execution

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"agentserver/core"
)

// nodeEvent is what a running block tells its run: outputs, and at the end how
// it went.
type nodeEvent struct {
	run       *nodeRun
	emissions []emission
	done      bool
	err       error
	// interrupted: the run was stopped or moved while the block was at work.
	interrupted bool
	stats       core.StatsData
}

// call is one execution of a block. It gathers quick emissions, so that a
// block that ends at once costs its run one event.
type call struct {
	ctx    context.Context
	run    *nodeRun
	events chan<- nodeEvent

	mu    sync.Mutex
	buf   []emission
	timer *time.Timer
}

// Bounds of the gathering.
const (
	gatherTime  = 5 * time.Millisecond
	gatherCount = 64
)

// emit takes one output. It blocks while the run cannot take more.
func (c *call) emit(name string, value any) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = append(c.buf, emission{name, value})
	if len(c.buf) >= gatherCount {
		return c.flush()
	}
	if c.timer == nil {
		c.timer = time.AfterFunc(gatherTime, c.tick)
	}
	return nil
}

// tick sends what a slow block has emitted so far.
func (c *call) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = nil
	_ = c.flush() // a stopped run shows at the next emission
}

// flush sends what is gathered. The caller holds the lock, which keeps the
// order.
func (c *call) flush() error {
	if len(c.buf) == 0 {
		return nil
	}
	buf := c.buf
	c.buf = nil
	return c.send(nodeEvent{run: c.run, emissions: buf})
}

func (c *call) send(e nodeEvent) error {
	select {
	case c.events <- e:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// finish sends the rest and how the block ended.
func (c *call) finish(err error, stats core.StatsData) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
	buf := c.buf
	c.buf = nil
	_ = c.send(nodeEvent{run: c.run, emissions: buf, done: true, err: err, interrupted: c.ctx.Err() != nil, stats: stats})
}

// execute runs a node's block and reports to the run.
func (r *runner) execute(ctx context.Context, n *nodeRun) {
	c := &call{ctx: ctx, run: n, events: r.events}
	stats := &core.Stats{}
	start := time.Now()
	err := r.executeSafely(ctx, n, stats, c.emit)
	took := time.Since(start)
	data := stats.Data()
	data.WallTime = took.Seconds()
	var failure *core.BlockError
	if errors.As(err, &failure) && !failure.Handled {
		r.log.Error("a block crashed", "block", failure.BlockName, "execution", r.row.ID, "node", n.plan.node.ID,
			"error", failure.Message, "stack", string(failure.Stack))
	}
	r.worker.metrics.node(n.plan.spec.Name, err == nil, took)
	c.finish(err, data)
}

// executeSafely turns a panic outside of the block itself into its failure.
func (r *runner) executeSafely(ctx context.Context, n *nodeRun, stats *core.Stats, emit core.Emit) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &core.BlockError{
				BlockName: n.plan.spec.Name, BlockID: n.plan.spec.ID, Message: "The platform failed to run the block",
				Stack: fmt.Appendf(debug.Stack(), "\npanic: %v", p),
			}
		}
	}()
	return r.executeBlock(ctx, n, stats, emit)
}

// executeBlock builds what the block needs and runs it.
func (r *runner) executeBlock(ctx context.Context, n *nodeRun, stats *core.Stats, emit core.Emit) error {
	if r.row.IsDryRun {
		return emit("error", "[SIMULATOR ERROR — NOT A BLOCK FAILURE] No language model is set up to simulate blocks")
	}
	in, err := n.plan.check(n.input, false)
	if err != nil {
		return emit("error", err.Error())
	}
	if n.plan.pins.IsAgent() {
		in = agentInputs(n.plan, in, r.row.UserID)
	}
	if in, err = r.withCredentials(ctx, n.plan, in); err != nil {
		return err
	}
	run := r.blockRun(n, stats)
	defer r.worker.services.release(run)
	return core.Execute(ctx, n.plan.block, run, in, emit)
}

// agentInputs puts the inputs of an agent node together: the node's own
// values, and what its agent gets under "inputs".
func agentInputs(p *nodePlan, in core.Values, userID string) core.Values {
	out := p.node.InputDefault.Clone()
	inputs := map[string]any{}
	for k, v := range in {
		inputs[k] = v
	}
	out["inputs"], out["user_id"] = inputs, userID
	return out
}

// withCredentials replaces the references in credentials fields by the
// credentials themselves.
func (r *runner) withCredentials(ctx context.Context, p *nodePlan, in core.Values) (core.Values, error) {
	out, cloned := in, false
	for _, f := range p.spec.Fields() {
		if f.Credentials == nil {
			continue
		}
		if !cloned {
			out, cloned = in.Clone(), true
		}
		ref, _ := in[f.Name].(map[string]any)
		id, _ := ref["id"].(string)
		delete(out, f.Name)
		if id == "" {
			continue
		}
		c, err := r.worker.credentials.Get(ctx, r.row.UserID, id)
		if err != nil {
			return nil, blockFailure(p.spec, "Credentials not available: "+err.Error())
		}
		if c == nil {
			if !f.Required {
				continue
			}
			return nil, blockFailure(p.spec, "Unknown credentials #"+id)
		}
		out[f.Name] = c
	}
	return out, nil
}

func blockFailure(spec *core.BlockSpec, message string) error {
	return &core.BlockError{BlockName: spec.Name, BlockID: spec.ID, Message: message, Handled: true}
}

// blockRun says who and where to the block.
func (r *runner) blockRun(n *nodeRun, stats *core.Stats) *core.Run {
	s := r.worker.services
	return &core.Run{
		UserID: r.row.UserID, GraphID: r.row.GraphID, GraphVersion: r.row.GraphVersion, GraphExecID: r.row.ID,
		NodeID: n.plan.node.ID, NodeExecID: n.id, RootExecID: deref(r.row.RootID), ParentExecID: deref(r.row.ParentID),
		Timezone: r.timezone, DryRun: r.row.IsDryRun,
		ReviewSafeMode: r.row.Context.V.ReviewSafeMode, SensitiveSafeMode: r.row.Context.V.SensitiveSafeMode,
		Log:  r.log.With("execution", r.row.ID, "node", n.plan.node.ID),
		HTTP: s.HTTP(n.plan.spec.Provider), Dial: s.Dial, Store: s.Store, Models: s.Models, Files: s.files(), Review: s.Review,
		Agents: &subAgents{runner: r}, Stats: stats,
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
