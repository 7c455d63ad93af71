package execution

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"agentserver/core"
)

// Limits of lists, as clients know them.
const (
	maxRecent  = 250
	maxNodes   = 1000
	maxPerPage = 100
	maxPage    = 1_000_000
)

// outputBlockID is the block whose runs are the outputs of an agent.
const outputBlockID = "363ae599-353e-4804-937e-b2ee3cef3da4"

func notFound(id string) error {
	return core.PlainErrorf(core.NotFound, "Graph execution #%s not found.", id)
}

// Recent lists the user's newest runs, at most 250.
func (s *Service) Recent(ctx context.Context, userID string) ([]Meta, error) {
	rows, err := s.store.recent(ctx, userID, maxRecent)
	if err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	return metas(rows), nil
}

// List pages through the user's runs of a graph, newest first.
func (s *Service) List(ctx context.Context, userID, graphID string, page, size int) (*Page, error) {
	page, size = min(max(page, 1), maxPage), min(max(size, 1), maxPerPage)
	rows, total, err := s.store.page(ctx, userID, graphID, page, size)
	if err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	return &Page{Executions: metas(rows), Pagination: Pagination{
		TotalItems: int(total), TotalPages: (int(total) + size - 1) / size, CurrentPage: page, PageSize: size,
	}}, nil
}

func metas(rows []runRow) []Meta {
	list := make([]Meta, len(rows))
	for i := range rows {
		list[i] = rows[i].meta()
	}
	return list
}

// Find gives a run of a user without what came of it, or nil.
func (s *Service) Find(ctx context.Context, userID, id string) (*Meta, error) {
	return s.find(ctx, userID, id, false)
}

// find gives a run of a user as it was committed, or nil; one that the user has
// deleted only if deleted is set.
func (s *Service) find(ctx context.Context, userID, id string, deleted bool) (*Meta, error) {
	var rows []runRow
	err := s.db.Write.WithContext(ctx).Where("id = ? AND user_id = ?", id, userID).Limit(1).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("finding run: %w", err)
	}
	if len(rows) == 0 || rows[0].IsDeleted && !deleted {
		return nil, nil
	}
	meta := rows[0].meta()
	return &meta, nil
}

// Get gives a user's run of a graph with the runs of its nodes.
func (s *Service) Get(ctx context.Context, userID, graphID, id string) (*WithNodes, error) {
	row, err := s.store.userRun(ctx, userID, id)
	if err != nil {
		return nil, err
	}
	if row == nil || row.GraphID != graphID {
		return nil, notFound(id)
	}
	nodes, err := s.nodes(ctx, row)
	if err != nil {
		return nil, err
	}
	outputs, err := s.runOutputs(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	out := &WithNodes{Execution: Execution{Meta: row.meta(), Outputs: outputs}, NodeExecutions: nodes}
	if len(out.Inputs) == 0 {
		out.Inputs = s.inputsOf(nodes)
	}
	return out, nil
}

// nodes gives the runs of nodes, those that were queued last if there are more
// than the limit, in the order in which they were queued.
func (s *Service) nodes(ctx context.Context, row *runRow) ([]NodeResult, error) {
	var rows []nodeRow
	err := s.db.Read.WithContext(ctx).Where("graph_exec_id = ?", row.ID).Order("seq DESC").Limit(maxNodes).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading node runs: %w", err)
	}
	lowest := 0
	if len(rows) > 0 {
		lowest = rows[len(rows)-1].Seq
	}
	slices.Reverse(rows)
	outputs, err := s.store.outputs(ctx,
		"node_exec_id IN (SELECT id FROM node_executions WHERE graph_exec_id = ? AND seq >= ?)", row.ID, lowest)
	if err != nil {
		return nil, err
	}
	list := make([]NodeResult, len(rows))
	for i := range rows {
		list[i] = result(row, &rows[i], outputs[rows[i].ID])
	}
	sort.SliceStable(list, func(i, j int) bool { return before(&list[i], &list[j]) })
	return list, nil
}

// before orders node runs by the time they were queued; those that wait for
// inputs come last.
func before(a, b *NodeResult) bool {
	if (a.QueueTime == nil) != (b.QueueTime == nil) {
		return a.QueueTime != nil
	}
	x, y := a.AddTime, b.AddTime
	if a.QueueTime != nil {
		x, y = *a.QueueTime, *b.QueueTime
	}
	return x.Before(y)
}

func result(run *runRow, n *nodeRow, outputs []emission) NodeResult {
	input := n.Input.V
	if input == nil {
		input = core.Values{}
		for _, p := range n.Pins.V {
			input[p.Name] = p.Value
		}
	}
	return NodeResult{
		UserID: run.UserID, GraphID: run.GraphID, GraphVersion: run.GraphVersion, GraphExecID: run.ID,
		NodeExecID: n.ID, NodeID: n.NodeID, BlockID: n.BlockID, Status: n.Status, InputData: input,
		OutputData: byName(outputs), AddTime: n.AddedAt.Time, QueueTime: timeOrNil(n.QueuedAt),
		StartTime: timeOrNil(n.StartedAt), EndTime: timeOrNil(n.EndedAt),
	}
}

func byName(outputs []emission) map[string][]any {
	m := map[string][]any{}
	for _, e := range outputs {
		m[e.Name] = append(m[e.Name], e.Value)
	}
	return m
}

// runOutputs gives what the output nodes of a run received.
func (s *Service) runOutputs(ctx context.Context, id string) (map[string][]any, error) {
	var rows []nodeRow
	err := s.db.Read.WithContext(ctx).Select("id, input, seq, queued_at").
		Where("graph_exec_id = ? AND block_id = ? AND status <> ?", id, outputBlockID, Incomplete).
		Order("queued_at, seq").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading outputs: %w", err)
	}
	outputs := map[string][]any{}
	for _, r := range rows {
		if name, ok := r.Input.V["name"].(string); ok {
			outputs[name] = append(outputs[name], r.Input.V["value"])
		}
	}
	return outputs, nil
}

// inputsOf gathers the inputs of a run that was started without any from its
// input nodes.
func (s *Service) inputsOf(nodes []NodeResult) core.Values {
	in := core.Values{}
	for _, n := range nodes {
		block, known := s.worker.registry.Block(n.BlockID)
		if !known {
			continue
		}
		switch block.Spec().UI {
		case core.UIInput:
			if name, ok := n.InputData["name"].(string); ok {
				in[name] = n.InputData["value"]
			}
		case core.UIWebhook, core.UIWebhookManual:
			in["payload"] = n.InputData["payload"]
		}
	}
	return in
}

// Delete hides a user's run. It does not stop it.
func (s *Service) Delete(ctx context.Context, userID, id string) error {
	res := s.db.Write.WithContext(ctx).Model(&runRow{}).Where("id = ? AND user_id = ?", id, userID).Update("is_deleted", true)
	if res.Error != nil {
		return fmt.Errorf("deleting run: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		return notFound(id)
	}
	return nil
}
