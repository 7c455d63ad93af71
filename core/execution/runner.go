package execution

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"agentserver/core"
	"agentserver/core/graph"
)

// Why a run is interrupted.
var (
	errStopped  = errors.New("stopped by the user")
	errHandover = errors.New("handed over to another worker")
)

const stoppedText = "Execution was stopped by user"

// Bounds of one run.
const (
	// softDelay is how long the state "running" may wait for something that
	// has to be committed anyway.
	softDelay = 20 * time.Millisecond
	// maxUncommitted outputs are held before blocks have to wait.
	maxUncommitted = 2000
	// stopGrace is how long blocks may take to notice that they were stopped.
	stopGrace = 1500 * time.Millisecond
)

// runner drives one run to its end. Its loop is the only goroutine that
// touches the machine.
type runner struct {
	worker   *Worker
	row      *runRow
	log      *slog.Logger
	timezone *time.Location

	m         *machine
	events    chan nodeEvent
	committed chan error

	launchable  []*nodeRun // committed as queued
	committing  []*nodeRun // queued by the step under way
	inFlight    int        // blocks running
	writing     bool       // a step is at the journal
	urgent      bool       // the next step has more than "running" to say
	announced   bool       // the run's own state "running" was written
	uncommitted int
	ended       bool // the final state was submitted
	final       Status
	stopping    bool // blocks end because they were stopped
	calls       sync.WaitGroup
	startedAt   time.Time
}

// outcome says how the run's final state is to be written.
type outcome struct {
	status  Status
	err     string
	release bool
}

// drive prepares the run and drives it to its end.
func (r *runner) drive(ctx context.Context, prepare func(*runner) error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("a run crashed", "execution", r.row.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			r.giveUp("The run failed for an internal reason")
		}
	}()
	r.startedAt = time.Now()
	if began := r.row.StartedAt.Time; !began.IsZero() {
		r.startedAt = began
	}
	err := prepare(r)
	switch {
	case err == nil:
		r.run(ctx)
	case core.KindOf(err) == core.Internal:
		// The database may answer again in a moment.
		r.log.Warn("a run cannot be taken up and goes back to the queue", "execution", r.row.ID, "error", err)
		r.worker.abandon(r.row)
	default:
		r.log.Error("a run cannot be taken up", "execution", r.row.ID, "error", err)
		r.giveUp(err.Error())
	}
}

// giveUp ends the run as failed, without what the machine has not written.
func (r *runner) giveUp(text string) {
	r.m = newMachine(nil, r.row.IsDryRun, 0)
	r.committing, r.launchable = nil, nil
	r.end(outcome{status: Failed, err: text})
}

// run drives the run until it ends, is stopped, or is handed over.
func (r *runner) run(ctx context.Context) {
	blocks, cancelBlocks := context.WithCancelCause(ctx)
	defer cancelBlocks(nil)
	var soft <-chan time.Time // armed while there is something that may wait
	for {
		if ctx.Err() == nil {
			r.launch(blocks)
		}
		if r.m.overrun && !r.ended {
			cancelBlocks(errStopped)
			r.waitBlocks()
			r.settle(Terminated)
			r.end(outcome{status: Failed, err: fmt.Sprintf("The run was ended because it reached the limit of %d node runs", r.m.limit)})
			return
		}
		r.flush()
		if r.ended && !r.writing {
			return
		}
		if soft == nil && !r.writing && (len(r.m.touched) > 0 || !r.announced) {
			soft = time.After(softDelay)
		}
		events := r.events
		if r.uncommitted > maxUncommitted {
			events = nil
		}
		select {
		case e := <-events:
			r.apply(e)
			r.applyMore()
		case err := <-r.committed:
			if !r.afterCommit(err) {
				return
			}
		case <-soft:
			soft = nil
			r.urgent = r.urgent || len(r.m.touched) > 0 || !r.announced
		case <-ctx.Done():
			if r.ended {
				r.afterCommit(<-r.committed)
				return
			}
			r.interrupted(context.Cause(ctx))
			return
		}
	}
}

// launch starts committed nodes while there is room.
func (r *runner) launch(ctx context.Context) {
	for len(r.launchable) > 0 && r.inFlight < r.worker.config.MaxNodesPerRun {
		n := r.launchable[0]
		r.launchable = r.launchable[1:]
		r.inFlight++
		r.m.started(n)
		r.calls.Go(func() { r.execute(ctx, n) })
	}
}

// applyMore takes what else has happened, so that one step covers it.
func (r *runner) applyMore() {
	for range maxBatch {
		select {
		case e := <-r.events:
			r.apply(e)
		default:
			return
		}
	}
}

// apply changes the machine by what a block told.
func (r *runner) apply(e nodeEvent) {
	r.urgent = true
	for _, out := range e.emissions {
		r.m.emit(e.run, out)
	}
	r.uncommitted += len(e.emissions)
	if !e.done {
		return
	}
	r.inFlight--
	stats := e.stats
	status := Completed
	switch {
	case e.err == nil:
	case awaitsReview(e.err):
		r.m.hold(e.run)
		return
	case r.stopping || e.interrupted:
		return // left to settle
	default:
		status = Failed
		stats.Error = e.err.Error()
		e.run.replayed = 0 // the failure is new, whatever went out before
		r.m.emit(e.run, emission{"error", failureText(e.run.plan.spec, e.err)})
	}
	r.m.finish(e.run, status, stats)
}

// failureText is what goes out on the error pin.
func failureText(spec *core.BlockSpec, err error) string {
	var failure *core.BlockError
	if errors.As(err, &failure) {
		return failure.Error()
	}
	return (&core.BlockError{BlockName: spec.Name, BlockID: spec.ID, Message: err.Error()}).Error()
}

// flush hands the next step to the journal, unless one is under way.
func (r *runner) flush() {
	if r.writing || r.ended {
		return
	}
	done := r.m.idle() && len(r.launchable) == 0
	if !r.urgent && !done {
		return
	}
	if !done && len(r.m.touched) == 0 && (r.announced || time.Since(r.startedAt) < softDelay) {
		r.urgent = false
		return
	}
	e := r.step()
	if done {
		r.finalize(e, r.completion())
	} else if !r.announced && time.Since(r.startedAt) >= softDelay {
		// Most runs are over before anyone could see them run: those that are
		// not say so.
		e.update = &runUpdate{status: Running, startedAt: r.startedAt}
		r.announced = true
	}
	r.submit(e)
}

// completion is how a run ends that has nothing more to do: it waits for people,
// or it is complete.
func (r *runner) completion() outcome {
	if r.m.held > 0 {
		return outcome{status: Review}
	}
	return outcome{status: Completed}
}

func (r *runner) submit(e *entry) {
	r.writing, r.urgent, r.uncommitted = true, false, 0
	e.committed = func(err error) { r.committed <- err }
	r.worker.journal.submit(e)
}

// step gathers what changed since the last one.
func (r *runner) step() *entry {
	e := &entry{runID: r.row.ID, fence: r.row.Fence, nested: r.row.ParentID != nil}
	for _, n := range r.m.touched {
		row := toNodeRow(r.row.ID, n)
		if n.dirty == dirtyInputs {
			e.nodes = append(e.nodes, row)
		} else {
			e.states = append(e.states, row)
		}
		if len(n.fresh) > 0 {
			out := outputRow{NodeExecID: n.id, First: n.firstAt}
			out.Data.V = n.fresh
			e.outputs = append(e.outputs, out)
			n.fresh = nil
		}
		n.dirty = clean
	}
	r.m.touched = nil
	r.committing = append(r.committing, r.m.ready...)
	r.m.ready = nil
	return e
}

// finalize makes a step the last one.
func (r *runner) finalize(e *entry, o outcome) {
	stats := r.m.stats
	stats.Duration = time.Since(r.startedAt).Seconds()
	if o.err != "" {
		stats.Error = &o.err
	}
	e.update = &runUpdate{status: o.status, stats: &stats}
	switch {
	case o.release:
		e.update = &runUpdate{status: Queued, release: true}
	case o.status == Review:
		e.update.leave = true
	default:
		e.update.endedAt = time.Now()
		r.final = o.status
	}
	if !r.announced {
		e.update.startedAt = r.startedAt
	}
	r.ended = true
}

// afterCommit makes what was committed launchable. It reports false when the
// run is not ours any more.
func (r *runner) afterCommit(err error) bool {
	r.writing = false
	switch {
	case errors.Is(err, errFenced):
		r.log.Warn("a run was taken over by another worker", "execution", r.row.ID)
		return false
	case err != nil:
		r.unwritten(err)
		return false
	}
	r.launchable = append(r.launchable, r.committing...)
	r.committing = nil
	return true
}

// unwritten ends the run's life here, because a step of it cannot be written.
// If the database takes the run's end at once, it is the step that it will not
// have: running its blocks again would have the same result, so the run fails.
// Else the database is in trouble, and the run goes back to the queue.
func (r *runner) unwritten(err error) {
	const text = "The results of the run could not be stored"
	stats := Stats{Error: new(string)}
	*stats.Error = text
	e := &entry{
		runID: r.row.ID, fence: r.row.Fence, tries: maxTries - 1, committed: func(err error) { r.committed <- err },
		update: &runUpdate{status: Failed, stats: &stats, startedAt: r.startedAt, endedAt: time.Now()},
	}
	r.ended, r.final = true, Failed
	r.worker.journal.submit(e)
	if <-r.committed == nil {
		r.log.Error("a run fails because its results cannot be stored", "execution", r.row.ID, "error", err)
		return
	}
	r.log.Error("a run goes back to the queue because its steps cannot be written", "execution", r.row.ID, "error", err)
	r.final = ""
	r.worker.abandon(r.row)
}

// interrupted ends the run because it was stopped or has to move.
func (r *runner) interrupted(cause error) {
	if r.writing {
		if !r.afterCommit(<-r.committed) {
			return
		}
	}
	r.applyMore()
	if errors.Is(cause, errHandover) {
		r.end(outcome{release: true})
		return
	}
	r.waitBlocks()
	r.settle(Terminated)
	r.end(outcome{status: Terminated, err: stoppedText})
}

// waitBlocks gives blocks a moment to notice that they were stopped, and takes
// what they had passed on before. One that does not end in time is left alone:
// nothing listens to it any more.
func (r *runner) waitBlocks() {
	quiet := make(chan struct{})
	go func() {
		r.calls.Wait()
		close(quiet)
	}()
	select {
	case <-quiet:
	case <-time.After(stopGrace):
	}
	r.stopping = true
	r.applyMore()
}

// settle puts every node run that is not at its end into a final state.
func (r *runner) settle(status Status) {
	for _, st := range r.m.nodes {
		for _, n := range append([]*nodeRun(nil), st.active...) {
			if !n.status.Final() {
				if n.status == Review {
					r.m.held--
				} else {
					r.m.open--
				}
				n.status, n.done, n.endedAt = status, true, r.m.now()
				n.stats.Error = stoppedText
				r.m.touch(n, dirtyState)
			}
		}
	}
}

// end writes the final state and waits for it.
func (r *runner) end(o outcome) {
	if r.ended {
		return
	}
	if r.writing && !r.afterCommit(<-r.committed) {
		return
	}
	e := r.step()
	r.finalize(e, o)
	r.submit(e)
	r.afterCommit(<-r.committed)
}

// buildPlans makes the plan of every node of a graph.
func buildPlans(registry *core.Registry, g *graph.Version, masks map[string]core.Values) (map[string]*nodePlan, error) {
	plans := map[string]*nodePlan{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		block, known := registry.Block(n.BlockID)
		if !known {
			return nil, core.Errorf(core.Invalid, "Block for %s not found: %s.", n.BlockID, registry.Unknown(n.BlockID))
		}
		if reason := registry.Disabled(block); reason != "" {
			return nil, core.Errorf(core.Invalid, "Block %s is disabled and cannot be executed: %s", n.BlockID, reason)
		}
		plans[n.ID] = newPlan(n, block, g.Inbound(n.ID), g.Outbound(n.ID), masks[n.ID])
	}
	return plans, nil
}
