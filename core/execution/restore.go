package execution

import (
	"context"
	"fmt"
	"slices"

	"agentserver/core"
	"agentserver/core/graph"
)

// masks are the values laid over nodes: the credentials given for the run, and
// what the caller passed, which goes first.
func masksOf(registry *core.Registry, g *graph.Loaded, credentials map[string]core.CredentialRef, given map[string]core.Values) (map[string]core.Values, error) {
	masks := map[string]core.Values{}
	set := func(node, field string, v any) {
		if masks[node] == nil {
			masks[node] = core.Values{}
		}
		masks[node][field] = v
	}
	if len(credentials) > 0 {
		inputs, err := graph.CredentialsInputs(registry, g.All())
		if err != nil {
			return nil, err
		}
		for _, in := range inputs {
			ref, ok := credentials[in.Key]
			if !ok {
				continue
			}
			for _, m := range in.Members {
				value := map[string]any{"id": ref.ID, "provider": ref.Provider, "type": string(ref.Type)}
				if ref.Title != nil {
					value["title"] = *ref.Title
				}
				set(m.NodeID, m.Field, value)
			}
		}
	}
	for node, values := range given {
		for field, v := range values {
			set(node, field, v)
		}
	}
	return masks, nil
}

// idsPerQuery bounds the ids in one query.
const idsPerQuery = 250

// prepare loads the graph and makes an empty machine for it.
func (r *runner) prepare(ctx context.Context) error {
	g, err := r.worker.graphs.Load(ctx, r.row.GraphID, r.row.GraphVersion)
	if err != nil {
		return err
	}
	if g == nil {
		return core.Errorf(core.NotFound, "Graph #%s v%d is gone", r.row.GraphID, r.row.GraphVersion)
	}
	masks, err := masksOf(r.worker.registry, g, r.row.CredentialInputs.V, r.row.NodesInputMasks.V)
	if err != nil {
		return err
	}
	plans, err := buildPlans(r.worker.registry, g.Version, masks)
	if err != nil {
		return err
	}
	r.m = newMachine(plans, r.row.IsDryRun, r.worker.config.MaxNodeRuns)
	return nil
}

// restore rebuilds the machine from the database: of runs that are at their
// end only what later steps may need.
func (r *runner) restore(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	var rows []nodeRow
	err := r.worker.db.Write.WithContext(ctx).
		Select("id, node_id, seq, status, emitted, routed, stats, added_at, queued_at, started_at, ended_at").
		Where("graph_exec_id = ?", r.row.ID).Order("seq").Find(&rows).Error
	if err != nil {
		return fmt.Errorf("reading node runs: %w", err)
	}
	runs := make([]*nodeRun, 0, len(rows))
	for i := range rows {
		n, err := r.fromRow(&rows[i])
		if err != nil {
			return err
		}
		runs = append(runs, n)
	}
	if err := r.loadInputs(ctx, runs); err != nil {
		return err
	}
	if err := r.loadOutputs(ctx, runs); err != nil {
		return err
	}
	r.announced = r.row.Status == Running
	r.m.restore(runs)
	r.launchable = r.m.ready
	r.m.ready = nil
	// What restore itself queued is not committed yet.
	r.launchable = slices.DeleteFunc(r.launchable, func(n *nodeRun) bool {
		if n.dirty == dirtyInputs {
			r.m.ready = append(r.m.ready, n)
			return true
		}
		return false
	})
	r.urgent = len(r.m.touched) > 0
	return nil
}

func (r *runner) fromRow(row *nodeRow) (*nodeRun, error) {
	st := r.m.nodes[row.NodeID]
	if st == nil {
		return nil, core.Errorf(core.Conflict, "node run %s belongs to no node of the graph", row.ID)
	}
	n := &nodeRun{
		id: row.ID, plan: st.plan, seq: row.Seq, status: row.Status, emitted: row.Emitted, routed: row.Routed, done: row.Status.Final(),
		addedAt: row.AddedAt.Time, queuedAt: row.QueuedAt.Time, startedAt: row.StartedAt.Time, endedAt: row.EndedAt.Time,
	}
	if row.Stats.V != nil {
		n.stats = *row.Stats.V
	}
	return n, nil
}

// loadInputs reads the inputs of runs that are not at their end, and of the
// last run of each node with static links, from which later ones copy.
func (r *runner) loadInputs(ctx context.Context, runs []*nodeRun) error {
	want := map[string]*nodeRun{}
	latest := map[string]*nodeRun{}
	for _, n := range runs {
		if !n.done {
			want[n.id] = n
		}
		if old := latest[n.plan.node.ID]; n.status != Incomplete && (old == nil || n.seq > old.seq) {
			latest[n.plan.node.ID] = n
		}
	}
	for _, n := range latest {
		if slices.ContainsFunc(n.plan.in, func(l graph.Link) bool { return l.IsStatic }) {
			want[n.id] = n
		}
	}
	for ids := range slices.Chunk(core.SortedKeys(want), idsPerQuery) {
		var rows []nodeRow
		err := r.worker.db.Write.WithContext(ctx).Select("id, pins, input").Where("id IN ?", ids).Find(&rows).Error
		if err != nil {
			return fmt.Errorf("reading inputs: %w", err)
		}
		for i := range rows {
			n := want[rows[i].ID]
			n.pins, n.input = rows[i].Pins.V, rows[i].Input.V
		}
	}
	return nil
}

// loadOutputs reads the outputs that were recorded and not passed on.
func (r *runner) loadOutputs(ctx context.Context, runs []*nodeRun) error {
	byID := map[string]*nodeRun{}
	for _, n := range runs {
		if n.routed < n.emitted {
			byID[n.id] = n
		}
	}
	for ids := range slices.Chunk(core.SortedKeys(byID), idsPerQuery) {
		var rows []outputRow
		err := r.worker.db.Write.WithContext(ctx).Where("node_exec_id IN ?", ids).Order("node_exec_id, first").Find(&rows).Error
		if err != nil {
			return fmt.Errorf("reading outputs: %w", err)
		}
		for i := range rows {
			n := byID[rows[i].NodeExecID]
			for k, e := range rows[i].Data.V {
				if rows[i].First+k >= n.routed {
					n.waiting = append(n.waiting, e)
				}
			}
		}
	}
	return nil
}
