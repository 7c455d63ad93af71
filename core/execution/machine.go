package execution

import (
	"sort"
	"time"

	"agentserver/core"
)

// emission is an output of a node's run.
type emission struct {
	Name  string
	Value any
}

// nodeRun is one run of one node, in memory.
type nodeRun struct {
	id     string
	plan   *nodePlan
	seq    int
	status Status
	pins   []pin
	input  core.Values
	// emitted counts the outputs that are recorded, routed those of them that
	// were passed on; waiting are the ones in between.
	emitted, routed int
	waiting         []emission
	done            bool // the block has ended
	stats           core.StatsData
	addedAt         time.Time
	queuedAt        time.Time
	startedAt       time.Time
	endedAt         time.Time

	// replayed counts the outputs that an earlier attempt recorded: a block
	// that runs again emits them again, and they are not recorded twice.
	replayed int

	dirty   dirtiness
	fresh   []emission // recorded since the last step
	firstAt int        // position of fresh[0]
}

// dirtiness says what of a node's run the next step has to write.
type dirtiness int

const (
	clean dirtiness = iota
	dirtyState
	dirtyInputs // the state and the inputs
)

// nodeState is what the machine keeps per node.
type nodeState struct {
	plan *nodePlan
	// incomplete runs wait for inputs, oldest first.
	incomplete []*nodeRun
	// active runs were queued and are not drained yet, in order of their
	// start: outputs leave a node in that order.
	active []*nodeRun
	// latest is the run queued last; static links copy from its inputs.
	latest *nodeRun
}

// machine is the state of one run. It is not safe for concurrent use.
type machine struct {
	nodes  map[string]*nodeState
	dryRun bool
	// ready runs wait for the commit of the step that queued them, or for a
	// free place.
	ready []*nodeRun
	// touched runs are dirty.
	touched []*nodeRun
	seq     int
	limit   int // of node runs
	open    int // runs queued or running
	held    int // runs that wait for a person
	stats   Stats
	now     func() time.Time
	// overrun is set when the limit of node runs is reached.
	overrun bool
}

func newMachine(plans map[string]*nodePlan, dryRun bool, limit int) *machine {
	m := &machine{
		nodes: map[string]*nodeState{}, dryRun: dryRun, limit: limit,
		now: func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) },
	}
	for id, p := range plans {
		m.nodes[id] = &nodeState{plan: p}
	}
	return m
}

// touch marks a run for the next step.
func (m *machine) touch(r *nodeRun, d dirtiness) {
	if r.dirty == clean {
		m.touched = append(m.touched, r)
	}
	r.dirty = max(r.dirty, d)
}

func (m *machine) newRun(p *nodePlan) *nodeRun {
	m.seq++
	r := &nodeRun{id: newID(), plan: p, seq: m.seq, status: Incomplete, addedAt: m.now()}
	m.touch(r, dirtyInputs)
	return r
}

// queue makes a run with complete inputs ready.
func (m *machine) queue(r *nodeRun, input core.Values) {
	st := m.nodes[r.plan.node.ID]
	r.input, r.status, r.queuedAt = input, Queued, m.now()
	for i, other := range st.incomplete {
		if other == r {
			st.incomplete = append(st.incomplete[:i], st.incomplete[i+1:]...)
			break
		}
	}
	st.active = append(st.active, r)
	st.latest = r
	m.open++
	m.ready = append(m.ready, r)
	m.touch(r, dirtyInputs)
}

// started marks a run as running.
func (m *machine) started(r *nodeRun) {
	r.status, r.startedAt = Running, m.now()
	m.touch(r, dirtyState)
}

// emit records an output and passes it on, unless outputs of an earlier run of
// the node have to go first.
func (m *machine) emit(r *nodeRun, e emission) {
	if r.replayed > 0 {
		r.replayed--
		return
	}
	if len(r.fresh) == 0 {
		r.firstAt = r.emitted
	}
	r.emitted++
	r.fresh = append(r.fresh, e)
	r.waiting = append(r.waiting, e)
	m.touch(r, dirtyState)
	m.drain(m.nodes[r.plan.node.ID])
}

// finish ends a run with a status.
func (m *machine) finish(r *nodeRun, status Status, stats core.StatsData) {
	r.status, r.stats, r.done, r.endedAt = status, stats, true, m.now()
	m.open--
	m.touch(r, dirtyState)
	m.stats.NodeExecCount += 1 + stats.ExtraSteps
	m.stats.Cost += stats.ExtraCost
	m.stats.NodeExecTime += stats.WallTime
	if status == Failed {
		m.stats.NodeErrorCount++
	}
	m.drain(m.nodes[r.plan.node.ID])
}

// hold puts a run off until a person has decided.
func (m *machine) hold(r *nodeRun) {
	r.status = Review
	m.open--
	m.held++
	m.touch(r, dirtyState)
}

// drain routes what the oldest active run of a node has emitted, and goes on
// with the next one when it is done.
func (m *machine) drain(st *nodeState) {
	for len(st.active) > 0 {
		head := st.active[0]
		for len(head.waiting) > 0 {
			e := head.waiting[0]
			head.waiting = head.waiting[1:]
			head.routed++
			m.touch(head, dirtyState)
			m.route(head, e)
		}
		if !head.done {
			return
		}
		st.active = st.active[1:]
	}
}

// route delivers an output over every link that it fires.
func (m *machine) route(r *nodeRun, e emission) {
	for _, l := range r.plan.out {
		v, fires := core.SelectOutput(e.Name, e.Value, l.SourceName, l.SinkID, l.SinkName)
		sink := m.nodes[l.SinkID]
		if fires && sink != nil {
			m.consume(sink, l.SinkName, v, l.IsStatic)
		}
	}
}

// consume puts a value into the oldest run of the node that lacks the pin, or
// into a new one, and queues what became complete.
func (m *machine) consume(st *nodeState, name string, value any, static bool) {
	var r *nodeRun
	for _, waiting := range st.incomplete {
		if !has(waiting.pins, name) {
			r = waiting
			break
		}
	}
	if r == nil {
		if m.seq >= m.limit {
			m.overrun = true
			return
		}
		r = m.newRun(st.plan)
		st.incomplete = append(st.incomplete, r)
	}
	r.pins = append(r.pins, pin{name, value})
	m.fillStatic(st, r)
	m.touch(r, dirtyInputs)
	m.tryQueue(r)
	if !static {
		return
	}
	// A static value serves every run that still waits for it.
	for _, other := range append([]*nodeRun(nil), st.incomplete...) {
		if other != r && m.copyStatic(st, other, r.pins) {
			m.touch(other, dirtyInputs)
			m.tryQueue(other)
		}
	}
}

// fillStatic copies missing static pins from the run of the node that was
// queued last.
func (m *machine) fillStatic(st *nodeState, r *nodeRun) {
	if st.latest == nil {
		return
	}
	for _, l := range st.plan.in {
		if l.IsStatic && !has(r.pins, l.SinkName) {
			r.pins = append(r.pins, pin{l.SinkName, st.latest.input[l.SinkName]})
		}
	}
}

// copyStatic fills missing static pins from those of another run and reports
// whether it found any.
func (m *machine) copyStatic(st *nodeState, r *nodeRun, from []pin) bool {
	changed := false
	for _, l := range st.plan.in {
		if !l.IsStatic || has(r.pins, l.SinkName) {
			continue
		}
		for _, p := range from {
			if p.Name == l.SinkName {
				r.pins = append(r.pins, p)
				changed = true
			}
		}
	}
	return changed
}

func (m *machine) tryQueue(r *nodeRun) {
	if input, err := r.plan.prepare(r.pins, m.dryRun); err == nil {
		m.queue(r, input)
	}
}

// idle reports whether nothing is queued or running.
func (m *machine) idle() bool { return m.open == 0 }

// restore takes over the node runs that a lost owner left behind. The order of
// their numbers, unlike that of times, does not depend on anyone's clock.
func (m *machine) restore(runs []*nodeRun) {
	sort.Slice(runs, func(i, j int) bool { return runs[i].seq < runs[j].seq })
	for _, r := range runs {
		m.seq = max(m.seq, r.seq)
	}
	for _, r := range runs {
		st := m.nodes[r.plan.node.ID]
		switch {
		case r.status == Incomplete:
			continue
		case r.status.Final():
			r.done = true
			m.stats.NodeExecCount += 1 + r.stats.ExtraSteps
			m.stats.Cost += r.stats.ExtraCost
			m.stats.NodeExecTime += r.stats.WallTime
			if r.status == Failed {
				m.stats.NodeErrorCount++
			}
		default:
			r.status, r.replayed = Queued, r.emitted
			m.open++
			m.ready = append(m.ready, r)
		}
		st.latest = r
		if !r.done || len(r.waiting) > 0 {
			st.active = append(st.active, r)
		}
	}
	for _, r := range runs {
		if r.status == Incomplete {
			st := m.nodes[r.plan.node.ID]
			st.incomplete = append(st.incomplete, r)
		}
	}
	for _, st := range m.nodes {
		m.drain(st)
	}
}
