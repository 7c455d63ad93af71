package execution

import (
	"context"
	"fmt"
	"time"

	"agentserver/core/db"
)

// maxCounted is how many runs of nodes are counted at most, the latest. That
// many tell which blocks are used most, and bound what a count costs.
const maxCounted = 1_000_000

// BlockUse counts, for each block, the runs of nodes that ended since a time.
func (s *Service) BlockUse(ctx context.Context, since time.Time) (map[string]int, error) {
	var rows []struct {
		BlockID string
		Runs    int
	}
	err := s.db.Read.WithContext(ctx).Raw(`SELECT block_id, count(*) AS runs FROM (
			SELECT block_id FROM node_executions WHERE ended_at >= ? ORDER BY ended_at DESC LIMIT ?
		) latest GROUP BY block_id`, db.At(since), maxCounted).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("counting the use of blocks: %w", err)
	}
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.BlockID] = r.Runs
	}
	return counts, nil
}
