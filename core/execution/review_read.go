package execution

import (
	"context"
	"fmt"
	"time"
)

// PendingReview is a question that a person has not answered yet.
type PendingReview struct {
	NodeExecID    string       `json:"node_exec_id"`
	NodeID        string       `json:"node_id" default:""`
	UserID        string       `json:"user_id"`
	GraphExecID   string       `json:"graph_exec_id"`
	GraphID       string       `json:"graph_id"`
	GraphVersion  int          `json:"graph_version"`
	Payload       any          `json:"payload"`
	Instructions  *string      `json:"instructions"`
	Editable      bool         `json:"editable"`
	Status        ReviewStatus `json:"status"`
	ReviewMessage *string      `json:"review_message"`
	WasEdited     *bool        `json:"was_edited"`
	Processed     bool         `json:"processed" default:"false"`
	CreatedAt     time.Time    `json:"created_at"`
	UpdatedAt     *time.Time   `json:"updated_at"`
	ReviewedAt    *time.Time   `json:"reviewed_at"`
}

func (r *reviewRow) pending() PendingReview {
	return PendingReview{
		NodeExecID: r.NodeExecID, NodeID: r.NodeID, UserID: r.UserID, GraphExecID: r.GraphExecID, GraphID: r.GraphID,
		GraphVersion: r.GraphVersion, Payload: r.Payload.V, Instructions: r.Instructions, Editable: r.Editable, Status: r.Status,
		ReviewMessage: r.ReviewMessage, WasEdited: r.WasEdited, Processed: r.Processed, CreatedAt: r.CreatedAt.Time,
		UpdatedAt: timeOrNil(r.UpdatedAt), ReviewedAt: timeOrNil(r.ReviewedAt),
	}
}

// PendingReviews pages through what waits for a user's answer, newest first.
func (s *Service) PendingReviews(ctx context.Context, userID string, page, size int) ([]PendingReview, error) {
	page, size = min(max(page, 1), maxPage), min(max(size, 1), maxPerPage)
	var rows []reviewRow
	err := s.db.Read.WithContext(ctx).Where("user_id = ? AND status = ?", userID, ReviewWaiting).
		Order("created_at DESC, node_exec_id DESC").Offset((page - 1) * size).Limit(size).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing reviews: %w", err)
	}
	return pendings(rows), nil
}

// RunReviews gives what waits in one run of a user, in the order in which the
// nodes' runs were made.
func (s *Service) RunReviews(ctx context.Context, userID, runID string) ([]PendingReview, error) {
	row, err := s.store.userRun(ctx, userID, runID)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, noRun(runID)
	}
	var rows []reviewRow
	err = s.db.Read.WithContext(ctx).Where("graph_exec_id = ? AND user_id = ? AND status = ?", runID, userID, ReviewWaiting).
		Order("node_exec_id").Limit(maxNodes).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing reviews: %w", err)
	}
	return pendings(rows), nil
}

func pendings(rows []reviewRow) []PendingReview {
	list := make([]PendingReview, len(rows))
	for i := range rows {
		list[i] = rows[i].pending()
	}
	return list
}
