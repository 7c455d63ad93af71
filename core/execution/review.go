package execution

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

// ReviewStatus is the state of a review.
type ReviewStatus string

// The states of a review, as they stand on the wire.
const (
	ReviewWaiting  ReviewStatus = "WAITING"
	ReviewApproved ReviewStatus = "APPROVED"
	ReviewRejected ReviewStatus = "REJECTED"
)

// Enum lists the states.
func (ReviewStatus) Enum() []string { return []string{"WAITING", "APPROVED", "REJECTED"} }

// What reviewers are taken to have said when they said nothing.
const (
	approvedText     = "Execution approved by reviewer"
	rejectedText     = "Execution rejected by reviewer"
	autoApprovedText = "Auto-approved (user approved all future actions for this node)"
)

// reviewRow is a question of a node's run to a person, or, with an id of
// autoApproval, that the node need not ask any more in this run.
type reviewRow struct {
	NodeExecID    string `gorm:"primaryKey"`
	UserID        string
	GraphExecID   string
	NodeID        string
	GraphID       string
	GraphVersion  int
	Payload       db.JSON[any]
	Instructions  *string
	Editable      bool
	Status        ReviewStatus
	ReviewMessage *string
	WasEdited     *bool
	Processed     bool
	CreatedAt     db.Time
	UpdatedAt     db.Time
	ReviewedAt    db.Time
}

// TableName is human_reviews.
func (reviewRow) TableName() string { return "human_reviews" }

// autoPrefix begins the ids of automatic approvals.
const autoPrefix = "auto_approve_"

// autoApproval is the id of the row that approves what a node asks in a run.
func autoApproval(runID, nodeID string) string { return autoPrefix + runID + "_" + nodeID }

// reviews asks people on behalf of blocks.
type reviews struct{ db *db.DB }

var _ core.Reviewer = reviews{}

// Ask gives the decision about a node's run. Without one it stores the question,
// once, and gives [core.ErrAwaitingReview]. A node that runs again, because its
// process was lost, finds its decision.
func (r reviews) Ask(ctx context.Context, run *core.Run, payload any, title string, editable bool) (*core.Decision, error) {
	auto := autoApproval(run.GraphExecID, run.NodeID)
	var rows []reviewRow
	err := r.db.Write.WithContext(ctx).Where("user_id = ? AND node_exec_id IN ?", run.UserID, []string{run.NodeExecID, auto}).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading reviews: %w", err)
	}
	var own *reviewRow
	approved := false
	for i := range rows {
		if rows[i].NodeExecID == run.NodeExecID {
			own = &rows[i]
		} else {
			approved = rows[i].Status == ReviewApproved
		}
	}
	switch {
	case own != nil && own.Status != ReviewWaiting:
		return own.decision(), r.markProcessed(ctx, own)
	case approved:
		return &core.Decision{Approved: true, Payload: payload, Message: autoApprovedText}, nil
	case own == nil:
		if err := r.add(ctx, run, payload, title, editable); err != nil {
			return nil, err
		}
	}
	return nil, core.ErrAwaitingReview
}

func (r reviews) add(ctx context.Context, run *core.Run, payload any, title string, editable bool) error {
	now := db.Now()
	row := reviewRow{
		NodeExecID: run.NodeExecID, UserID: run.UserID, GraphExecID: run.GraphExecID, NodeID: run.NodeID, GraphID: run.GraphID,
		GraphVersion: run.GraphVersion, Payload: db.AsJSON(payload), Editable: editable, Status: ReviewWaiting, CreatedAt: now, UpdatedAt: now,
	}
	if title != "" {
		row.Instructions = &title
	}
	if err := r.db.Write.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return fmt.Errorf("storing a review: %w", err)
	}
	return nil
}

func (r reviews) markProcessed(ctx context.Context, row *reviewRow) error {
	if row.Processed {
		return nil
	}
	err := r.db.Write.WithContext(ctx).Model(&reviewRow{}).Where("node_exec_id = ?", row.NodeExecID).Update("processed", true).Error
	if err != nil {
		return fmt.Errorf("marking a review as processed: %w", err)
	}
	return nil
}

func (r *reviewRow) decision() *core.Decision {
	d := &core.Decision{Approved: r.Status == ReviewApproved, Payload: r.Payload.V, Message: rejectedText}
	if d.Approved {
		d.Message = approvedText
	}
	if r.ReviewMessage != nil {
		d.Message = *r.ReviewMessage
	}
	return d
}

// rejectWaiting ends the questions of a run that ended before they were answered.
func rejectWaiting(tx *gorm.DB, runID string) error {
	now := db.Now()
	return tx.Model(&reviewRow{}).Where("graph_exec_id = ? AND status = ?", runID, ReviewWaiting).
		Updates(map[string]any{"status": ReviewRejected, "review_message": stoppedText, "reviewed_at": now, "updated_at": now}).Error
}

// awaitsReview reports that a block has asked a person and has no answer yet.
func awaitsReview(err error) bool { return errors.Is(err, core.ErrAwaitingReview) }
