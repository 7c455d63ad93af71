package execution

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"agentserver/core/db"
)

// store reads runs. What users see is scoped by their id.
type store struct{ db *db.DB }

// run gives a run, whoever owns it, or nil.
func (s store) run(ctx context.Context, id string) (*runRow, error) {
	return one(s.db.Read.WithContext(ctx).Where("id = ?", id))
}

// userRun gives a user's run that is not deleted, or nil.
func (s store) userRun(ctx context.Context, userID, id string) (*runRow, error) {
	return one(s.db.Read.WithContext(ctx).Where("id = ? AND user_id = ? AND is_deleted = ?", id, userID, false))
}

func one(q *gorm.DB) (*runRow, error) {
	var r runRow
	err := q.Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading run: %w", err)
	}
	return &r, nil
}

// claim makes a worker the owner of a run without one. The row gets the new
// fence.
func (s store) claim(ctx context.Context, row *runRow, workerID string) (bool, error) {
	res := s.db.Write.WithContext(ctx).Model(&runRow{}).
		Where("id = ? AND worker_id IS NULL AND fence = ? AND status IN ?", row.ID, row.Fence, open).
		Updates(map[string]any{"worker_id": workerID, "fence": row.Fence + 1, "takeovers": row.Takeovers + 1})
	if res.Error != nil {
		return false, fmt.Errorf("claiming run: %w", res.Error)
	}
	row.Fence++
	row.Takeovers++
	return res.RowsAffected == 1, nil
}

// owned counts a user's runs of a graph that have an owner.
func (s store) owned(ctx context.Context, userID, graphID string) (int, error) {
	var n int64
	err := s.db.Read.WithContext(ctx).Model(&runRow{}).
		Where("user_id = ? AND graph_id = ? AND status IN ? AND worker_id IS NOT NULL AND parent_id IS NULL", userID, graphID, open).
		Count(&n).Error
	return int(n), err
}

// recent lists a user's newest runs.
func (s store) recent(ctx context.Context, userID string, limit int) ([]runRow, error) {
	var rows []runRow
	err := s.db.Read.WithContext(ctx).Where("user_id = ? AND is_deleted = ?", userID, false).
		Order("created_at DESC, id").Limit(limit).Find(&rows).Error
	return rows, err
}

// page lists a user's runs of a graph, newest first.
func (s store) page(ctx context.Context, userID, graphID string, page, size int) (rows []runRow, total int64, err error) {
	q := func() *gorm.DB {
		return s.db.Read.WithContext(ctx).Model(&runRow{}).
			Where("graph_id = ? AND user_id = ? AND is_deleted = ?", graphID, userID, false)
	}
	if err := q().Count(&total).Error; err != nil {
		return nil, 0, fmt.Errorf("counting runs: %w", err)
	}
	err = q().Order("created_at DESC, id").Offset((page - 1) * size).Limit(size).Find(&rows).Error
	return rows, total, err
}

// children lists the open runs that a run started.
func (s store) children(ctx context.Context, id string) ([]runRow, error) {
	var rows []runRow
	err := s.db.Read.WithContext(ctx).Where("parent_id = ? AND status IN ?", id, open).Find(&rows).Error
	return rows, err
}

// openOfGraph lists a user's open runs of a graph.
func (s store) openOfGraph(ctx context.Context, userID, graphID string) ([]runRow, error) {
	var rows []runRow
	err := s.db.Read.WithContext(ctx).
		Where("graph_id = ? AND user_id = ? AND status IN ?", graphID, userID, open).Find(&rows).Error
	return rows, err
}

// ofWorker lists the open runs that a worker owns.
func (s store) ofWorker(ctx context.Context, workerID string) ([]runRow, error) {
	var rows []runRow
	err := s.db.Write.WithContext(ctx).Select("id, fence, parent_id").
		Where("worker_id = ? AND status IN ?", workerID, open).Find(&rows).Error
	return rows, err
}

// outputs gives the outputs of node runs, by node run, in order.
func (s store) outputs(ctx context.Context, where string, args ...any) (map[string][]emission, error) {
	var rows []outputRow
	err := s.db.Read.WithContext(ctx).Where(where, args...).Order("node_exec_id, first").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading outputs: %w", err)
	}
	all := map[string][]emission{}
	for _, r := range rows {
		all[r.NodeExecID] = append(all[r.NodeExecID], r.Data.V...)
	}
	return all, nil
}

// eachOutput passes on what the output nodes of a run gave, in the order in
// which they were queued, a few at a time.
func (s store) eachOutput(ctx context.Context, runID string, emit func(name string, value any) error) error {
	for after := 0; ; {
		var rows []nodeRow
		err := s.db.Read.WithContext(ctx).Select("id, seq, input").
			Where("graph_exec_id = ? AND block_id = ? AND status <> ? AND seq > ?", runID, outputBlockID, Incomplete, after).
			Order("seq").Limit(idsPerQuery).Find(&rows).Error
		if err != nil {
			return fmt.Errorf("reading output nodes: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		ids := make([]string, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
		}
		outputs, err := s.outputs(ctx, "node_exec_id IN ?", ids)
		if err != nil {
			return err
		}
		for i := range rows {
			after = rows[i].Seq
			if err := emitOutputs(&rows[i], outputs[rows[i].ID], emit); err != nil {
				return err
			}
		}
	}
}

func emitOutputs(n *nodeRow, outputs []emission, emit func(name string, value any) error) error {
	name, ok := n.Input.V["name"].(string)
	if !ok {
		return nil
	}
	for _, e := range outputs {
		if e.Name != "output" {
			continue
		}
		if err := emit(name, e.Value); err != nil {
			return err
		}
	}
	return nil
}
