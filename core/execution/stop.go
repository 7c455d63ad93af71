package execution

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/db"
)

// stopWait is how long a stop waits for the worker of the run.
const stopWait = 15 * time.Second

// Stop ends a user's run and what it started, and gives the run as it is then;
// nil when there is no such run at work.
func (s *Service) Stop(ctx context.Context, userID, graphID, id string) (*Meta, error) {
	row, err := s.store.userRun(ctx, userID, id)
	if err != nil {
		return nil, err
	}
	if row == nil || row.GraphID != graphID || row.Status.Final() {
		return nil, nil
	}
	if err := s.stopTree(ctx, row); err != nil {
		return nil, err
	}
	row, err = s.store.run(ctx, id)
	if row == nil || err != nil {
		return nil, err
	}
	meta := row.meta()
	return &meta, nil
}

// StopGraph ends every run of a user's graph.
func (s *Service) StopGraph(ctx context.Context, userID, graphID string) error {
	rows, err := s.store.openOfGraph(ctx, userID, graphID)
	if err != nil {
		return fmt.Errorf("finding runs: %w", err)
	}
	for i := range rows {
		if err := s.stopTree(ctx, &rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// stopTree stops a run and what it started. The run is told first, so that it
// does not take the end of a nested run for a result.
func (s *Service) stopTree(ctx context.Context, row *runRow) error {
	if row.WorkerID != nil {
		if err := s.askToStop(ctx, row.ID); err != nil {
			return err
		}
	}
	if err := s.stopChildren(ctx, row.ID); err != nil {
		return err
	}
	if err := s.stopOne(ctx, row.ID); err != nil {
		return err
	}
	return s.stopChildren(ctx, row.ID) // started while the run was stopped
}

// stopChildren stops what a run started.
func (s *Service) stopChildren(ctx context.Context, runID string) error {
	children, err := s.store.children(ctx, runID)
	if err != nil {
		return fmt.Errorf("finding nested runs: %w", err)
	}
	for i := range children {
		if err := s.stopTree(ctx, &children[i]); err != nil {
			s.log.Warn("a nested run did not stop", "execution", children[i].ID, "error", err)
		}
	}
	return nil
}

func (s *Service) stopOne(ctx context.Context, id string) error {
	deadline := time.Now().Add(stopWait)
	for asked := false; ; asked = true {
		row, err := s.store.run(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case row == nil:
			return core.Errorf(core.NotFound, "Graph execution #%s not found.", id)
		case row.Status.Final():
			return nil
		case row.WorkerID == nil:
			// Nobody drives it: end it here. If a worker claims it meanwhile,
			// the fence differs and the next round asks that worker.
			if done, err := s.endUnowned(ctx, row, Terminated, stoppedText); done || err != nil {
				return err
			}
			continue
		}
		if !asked {
			if err := s.askToStop(ctx, id); err != nil {
				return err
			}
		}
		if time.Now().After(deadline) {
			return core.Errorf(core.Internal, "Graph execution #%s will need to take longer than %.1f seconds to stop. You can check the status of the execution in the UI or try again later.",
				id, stopWait.Seconds())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// askToStop tells the worker of a run, and leaves a mark in case the message
// is lost.
func (s *Service) askToStop(ctx context.Context, id string) error {
	err := s.db.Write.WithContext(ctx).Model(&runRow{}).Where("id = ?", id).Update("cancel_requested", true).Error
	if err != nil {
		return fmt.Errorf("stopping run: %w", err)
	}
	s.worker.stopRun(id)
	if err := s.bus.Publish(ctx, stopTopic, []byte(id)); err != nil {
		s.log.Warn("a stop was not sent and is found by looking", "execution", id, "error", err)
	}
	return nil
}

// endUnowned ends a run that has no owner. It reports false when the run has
// got one meanwhile.
func (s *Service) endUnowned(ctx context.Context, row *runRow, status Status, text string) (bool, error) {
	done := false
	err := s.db.Tx(ctx, func(tx *gorm.DB) error {
		now := db.Now()
		stats := row.Stats.V
		if stats == nil {
			stats = &Stats{}
		}
		stats.Error = &text
		res := tx.Model(&runRow{}).
			Where("id = ? AND worker_id IS NULL AND fence = ? AND status IN ?", row.ID, row.Fence, open).
			Updates(map[string]any{
				"status": status, "ended_at": now,
				"fence": gorm.Expr("fence + 1"), "stats": db.AsJSON(stats),
			})
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		done = true
		if err := rejectWaiting(tx, row.ID); err != nil {
			return err
		}
		return tx.Model(&nodeRow{}).
			Where("graph_exec_id = ? AND status IN ?", row.ID, []Status{Queued, Running, Review}).
			Updates(map[string]any{"status": Terminated, "ended_at": now}).Error
	})
	if err != nil {
		return false, fmt.Errorf("stopping run: %w", err)
	}
	return done, nil
}

// takeStops cancels the runs named in messages.
func (w *Worker) takeStops(messages <-chan bus.Message) {
	for {
		select {
		case <-w.ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			w.stopRun(string(m.Data))
		}
	}
}
