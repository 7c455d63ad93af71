package execution

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

const (
	// maxReviewed bounds what a reviewer may put in place of a payload, in
	// characters of JSON, and maxReviewedDepth how deep it may nest.
	maxReviewed      = 1_000_000
	maxReviewedDepth = 10
	// maxReviewMessage bounds a reviewer's words, in characters.
	maxReviewMessage = 2000
)

// Verdict is a person's answer to one review.
type Verdict struct {
	NodeExecID string
	Approved   bool
	Message    *string
	// Data, unless it is nil, takes the place of the payload, if the review can be
	// edited.
	Data any
	// AutoApprove lets the same node go on without asking for the rest of the run.
	// Data does not count then.
	AutoApprove bool
}

// Verdicts are the numbers of what was decided.
type Verdicts struct{ Approved, Rejected int }

func noRun(id string) error {
	return core.PlainErrorf(core.NotFound, "Graph execution #%s not found", id)
}

// Decide answers reviews of one run, all or none of them. When no others wait, the
// run goes on, which is committed with the answers. The same answers again do no
// harm. Errors are of kind Unprocessable for requests of the wrong shape,
// NotFound, Conflict for a run that does not wait, and Invalid for answers that
// contradict what was decided.
func (s *Service) Decide(ctx context.Context, userID string, list []Verdict) (Verdicts, error) {
	if err := checkVerdicts(list); err != nil {
		return Verdicts{}, err
	}
	err := s.db.Tx(ctx, func(tx *gorm.DB) error { return s.decide(ctx, tx, userID, list) })
	var known *core.Error
	switch {
	case errors.As(err, &known):
		return Verdicts{}, err
	case err != nil:
		return Verdicts{}, fmt.Errorf("deciding reviews: %w", err)
	}
	var done Verdicts
	for _, v := range list {
		if v.Approved {
			done.Approved++
		} else {
			done.Rejected++
		}
	}
	return done, nil
}

// checkVerdicts looks at the shape of a request.
func checkVerdicts(list []Verdict) error {
	if len(list) == 0 {
		return core.Errorf(core.Unprocessable, "At least one review must be provided")
	}
	seen := map[string]bool{}
	var twice []string
	for i := range list {
		v := &list[i]
		if seen[v.NodeExecID] && !slices.Contains(twice, v.NodeExecID) {
			twice = append(twice, v.NodeExecID)
		}
		seen[v.NodeExecID] = true
		if v.Message != nil {
			if len([]rune(*v.Message)) > maxReviewMessage {
				return core.Errorf(core.Unprocessable, "A review's message has %d characters at most", maxReviewMessage)
			}
			if strings.TrimSpace(*v.Message) == "" {
				v.Message = nil
			}
		}
		if v.Data == nil {
			continue
		}
		data, err := core.JSON(v.Data)
		switch {
		case err != nil:
			return core.Errorf(core.Unprocessable, "reviewed_data has no JSON form: %w", err)
		case len([]rune(string(data))) > maxReviewed:
			return core.Errorf(core.Unprocessable, "reviewed_data is larger than %d characters", maxReviewed)
		case depthOf(v.Data) > maxReviewedDepth:
			return core.Errorf(core.Unprocessable, "reviewed_data is nested more than %d levels deep", maxReviewedDepth)
		}
	}
	if len(twice) > 0 {
		return core.Errorf(core.Unprocessable, "Duplicate review IDs found: %s", strings.Join(twice, ", "))
	}
	return nil
}

func depthOf(v any) int {
	deepest := 0
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			deepest = max(deepest, depthOf(x))
		}
	case map[string]any:
		for _, x := range v {
			deepest = max(deepest, depthOf(x))
		}
	default:
		return 0
	}
	return deepest + 1
}

func (s *Service) decide(ctx context.Context, tx *gorm.DB, userID string, list []Verdict) error {
	rows, err := reviewsOf(tx, userID, list)
	if err != nil {
		return err
	}
	runID := rows[list[0].NodeExecID].GraphExecID
	for _, r := range rows {
		if r.GraphExecID != runID {
			return core.PlainErrorf(core.Conflict, "All reviews in a single request must belong to the same execution.")
		}
	}
	// The run's row is locked first, so that two requests about it follow one
	// another; what they decide is read again under the lock.
	var run runRow
	err = tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Where("id = ? AND user_id = ?", runID, userID).Take(&run).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return noRun(runID)
	}
	if err != nil {
		return err
	}
	if rows, err = reviewsOf(tx, userID, list); err != nil {
		return err
	}
	if repeated, err := answered(rows, list); repeated || err != nil {
		return err
	}
	if run.Status != Review && run.Status != Incomplete {
		return core.PlainErrorf(core.Conflict, "Cannot process reviews while execution status is %s", run.Status)
	}
	for _, v := range list {
		if err := answer(tx, rows[v.NodeExecID], v); err != nil {
			return err
		}
	}
	return s.resume(ctx, tx, &run)
}

// reviewsOf gives the reviews that are decided, by id.
func reviewsOf(tx *gorm.DB, userID string, list []Verdict) (map[string]*reviewRow, error) {
	ids := make([]string, len(list))
	for i, v := range list {
		ids[i] = v.NodeExecID
	}
	found := map[string]*reviewRow{}
	for some := range slices.Chunk(ids, idsPerQuery) {
		var rows []reviewRow
		if err := tx.Where("user_id = ? AND node_exec_id IN ?", userID, some).Find(&rows).Error; err != nil {
			return nil, err
		}
		for i := range rows {
			if !strings.HasPrefix(rows[i].NodeExecID, autoPrefix) {
				found[rows[i].NodeExecID] = &rows[i]
			}
		}
	}
	missing := slices.DeleteFunc(ids, func(id string) bool { return found[id] != nil })
	if len(missing) > 0 {
		return nil, core.PlainErrorf(core.NotFound, "Review(s) not found: %s", strings.Join(missing, ", "))
	}
	return found, nil
}

// answered reports that everything was decided before, and just so. Its error
// says that something was decided otherwise.
func answered(rows map[string]*reviewRow, list []Verdict) (bool, error) {
	all := true
	for _, v := range list {
		r := rows[v.NodeExecID]
		if r.Status == ReviewWaiting {
			all = false
			continue
		}
		if (r.Status == ReviewApproved) != v.Approved {
			wanted := ReviewRejected
			if v.Approved {
				wanted = ReviewApproved
			}
			return false, core.Errorf(core.Invalid, "Review %s was already processed with status %s, cannot change to %s", r.NodeExecID, r.Status, wanted)
		}
	}
	return all, nil
}

// answer writes one decision.
func answer(tx *gorm.DB, r *reviewRow, v Verdict) error {
	if r.Status != ReviewWaiting {
		return nil
	}
	edited := v.Approved && !v.AutoApprove && v.Data != nil && !sameJSON(v.Data, r.Payload.V)
	if edited && !r.Editable {
		return core.Errorf(core.Invalid, "Review %s is not editable", r.NodeExecID)
	}
	now := db.Now()
	changes := map[string]any{
		"status": ReviewRejected, "review_message": v.Message, "was_edited": edited, "reviewed_at": now, "updated_at": now,
	}
	if v.Approved {
		changes["status"] = ReviewApproved
	}
	if edited {
		changes["payload"] = db.AsJSON(v.Data)
	}
	if err := tx.Model(&reviewRow{}).Where("node_exec_id = ?", r.NodeExecID).Updates(changes).Error; err != nil {
		return err
	}
	if !v.Approved || !v.AutoApprove {
		return nil
	}
	auto := reviewRow{
		NodeExecID: autoApproval(r.GraphExecID, r.NodeID), UserID: r.UserID, GraphExecID: r.GraphExecID, NodeID: r.NodeID, GraphID: r.GraphID,
		GraphVersion: r.GraphVersion, Status: ReviewApproved, Processed: true, CreatedAt: now, UpdatedAt: now, ReviewedAt: now,
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&auto).Error
}

// sameJSON compares two values as JSON does, where 1 and 1.0 are the same.
func sameJSON(a, b any) bool {
	x, errA := core.Plain(a)
	y, errB := core.Plain(b)
	return errA == nil && errB == nil && reflect.DeepEqual(core.Numbers(x), core.Numbers(y))
}

// resume gives a run back to the queue when nothing of it waits any more.
func (s *Service) resume(ctx context.Context, tx *gorm.DB, run *runRow) error {
	var waiting int64
	err := tx.Model(&reviewRow{}).Where("graph_exec_id = ? AND status = ?", run.ID, ReviewWaiting).Count(&waiting).Error
	if err != nil || waiting > 0 || run.Status != Review {
		return err
	}
	// To be taken up after a review is no sign that the run ends its workers.
	err = tx.Model(&runRow{}).Where("id = ? AND status = ?", run.ID, Review).Updates(map[string]any{"status": Queued, "takeovers": 0}).Error
	if err != nil {
		return err
	}
	sqlTx, err := db.SQLTx(tx)
	if err != nil {
		return err
	}
	return enqueue(ctx, s.worker.queue, sqlTx, []job{{run.ID, run.ParentID != nil}})
}
