package execution

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"agentserver/core"
)

// subAgents runs agents from inside a node. The parent waits on the stored
// record of the nested run, so that neither a fast child nor a restart loses
// anything.
type subAgents struct {
	runner *runner
	calls  atomic.Int64
}

var _ core.SubAgents = (*subAgents)(nil)

// childSpace makes the id of a nested run from that of the node run that
// started it, and the number of the call: a node that runs again finds its
// child instead of starting another.
var childSpace = uuid.MustParse("6f0d5a2e-5f6a-4d58-9c0b-3a8a1d0f7b11")

// RunAgent starts the agent, or finds it started, waits for its end and passes
// its outputs on.
func (a *subAgents) RunAgent(ctx context.Context, run *core.Run, call core.AgentCall, emit func(string, any) error) error {
	w := a.runner.worker
	parent := a.runner.row
	name := fmt.Sprintf("%s/%d", run.NodeExecID, a.calls.Add(1))
	id := uuid.NewSHA1(childSpace, []byte(name)).String()
	child, err := w.store.run(ctx, id)
	if err != nil {
		return err
	}
	if child == nil {
		if parent.Depth+1 > maxDepth {
			return core.Errorf(core.Invalid, "agents may nest %d deep at most", maxDepth)
		}
		_, err = w.starter.start(ctx, StartRequest{
			UserID: run.UserID, GraphID: call.GraphID, GraphVersion: call.GraphVersion, Inputs: call.Inputs,
			Credentials: parent.CredentialInputs.V, Masks: a.masks(call), DryRun: run.DryRun,
			id: id, parent: parent, call: run.NodeExecID,
		})
		if err != nil {
			return err
		}
	}
	child, err = a.wait(ctx, id)
	if err != nil {
		return err
	}
	return a.deliver(ctx, run, child, emit)
}

// masks hands the parent's masks down: they hold the credentials of nested
// nodes too.
func (a *subAgents) masks(call core.AgentCall) map[string]core.Values {
	masks := map[string]core.Values{}
	for _, from := range []map[string]core.Values{a.runner.row.NodesInputMasks.V, call.Masks} {
		for node, values := range from {
			masks[node] = values
		}
	}
	return masks
}

// wait looks at the stored record until the run is at its end.
func (a *subAgents) wait(ctx context.Context, id string) (*runRow, error) {
	pause := 5 * time.Millisecond
	for {
		row, err := a.runner.worker.store.run(ctx, id)
		if err != nil {
			return nil, err
		}
		if row == nil {
			return nil, core.Errorf(core.NotFound, "the nested run #%s is gone", id)
		}
		if row.Status.Final() {
			return row, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
			pause = min(pause*2, 250*time.Millisecond)
		}
	}
}

// deliver emits what the output nodes of the child gave, and its failure.
func (a *subAgents) deliver(ctx context.Context, run *core.Run, child *runRow, emit func(string, any) error) error {
	if child.Stats.V != nil {
		run.Stats.Add(core.StatsData{ExtraCost: child.Stats.V.Cost, ExtraSteps: child.Stats.V.NodeExecCount})
	}
	if err := a.runner.worker.store.eachOutput(ctx, child.ID, emit); err != nil {
		return err
	}
	if child.Status != Completed {
		text := "it was stopped"
		if child.Stats.V != nil && child.Stats.V.Error != nil {
			text = *child.Stats.V.Error
		}
		return core.Errorf(core.Invalid, "the agent did not complete: %s", text)
	}
	return nil
}
