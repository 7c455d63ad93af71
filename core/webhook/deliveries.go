package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

const (
	// maxListed and maxReplayed bound one answer and one request.
	maxListed   = 200
	maxReplayed = 1000
)

// Filter selects deliveries; what is empty selects all.
type Filter struct {
	State     State
	UserID    string
	WebhookID string
	Provider  string
	// Since and Until bound when they arrived.
	Since, Until time.Time
	// Before is the id of the last delivery of the page before.
	Before string
	// Limit is at most 200.
	Limit int
}

// Entry is a delivery in lists, without its payload.
type Entry struct {
	ID         string   `json:"id"`
	WebhookID  string   `json:"webhook_id"`
	UserID     string   `json:"user_id"`
	Provider   string   `json:"provider"`
	EventType  string   `json:"event_type"`
	DeliveryID *string  `json:"delivery_id" doc:"The vendor's id, if it has one"`
	Size       int64    `json:"size" doc:"Of the body, in bytes"`
	State      State    `json:"state" enum:"pending,done,dead" doc:"pending: runs are still to be started; done: each trigger that wants the event has its run; dead: a run could not be started"`
	Attempts   int      `json:"attempts"`
	Replays    int      `json:"replays"`
	LastError  string   `json:"last_error"`
	Runs       []string `json:"runs" doc:"Ids of the runs that were started"`
	ReceivedAt db.Time  `json:"received_at" format:"date-time"`
	NextAt     *db.Time `json:"next_at" format:"date-time" doc:"When a pending delivery is tried next"`
	DoneAt     *db.Time `json:"done_at" format:"date-time"`
}

func (d *deliveryRow) entry() Entry {
	e := Entry{
		ID: d.ID, WebhookID: d.WebhookID, UserID: d.UserID, Provider: d.Provider, EventType: d.EventType, DeliveryID: d.DeliveryID,
		Size: d.Size, State: d.State, Attempts: d.Attempts, Replays: d.Round, LastError: d.LastError, Runs: d.Runs.V, ReceivedAt: d.ReceivedAt,
	}
	if e.Runs == nil {
		e.Runs = []string{}
	}
	if d.State == Pending {
		e.NextAt = &d.NextAt
	} else {
		e.DoneAt = &d.DoneAt
	}
	return e
}

// Deliveries lists deliveries, newest first.
func (s *Service) Deliveries(ctx context.Context, f Filter) ([]Entry, error) {
	var rows []deliveryRow
	query := f.on(s.DB.Read.WithContext(ctx)).Omit("payload").Order("id DESC").Limit(min(max(f.Limit, 1), maxListed))
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing deliveries: %w", err)
	}
	list := make([]Entry, len(rows))
	for i := range rows {
		list[i] = rows[i].entry()
	}
	return list, nil
}

// on adds the conditions of the filter.
func (f Filter) on(query *gorm.DB) *gorm.DB {
	query = query.Model(&deliveryRow{})
	for column, value := range map[string]string{
		"state": string(f.State), "user_id": f.UserID, "webhook_id": f.WebhookID, "provider": f.Provider,
	} {
		if value != "" {
			query = query.Where(column+" = ?", value)
		}
	}
	if !f.Since.IsZero() {
		query = query.Where("received_at >= ?", db.At(f.Since))
	}
	if !f.Until.IsZero() {
		query = query.Where("received_at < ?", db.At(f.Until))
	}
	if f.Before != "" {
		query = query.Where("id < ?", f.Before)
	}
	return query
}

// Replay starts the runs of a delivery that has ended: those that are missing of
// a dead one, and new ones of one that is done. The kind of the error is
// [core.NotFound] when there is none of that id, and [core.Conflict] when it is
// still being worked on.
func (s *Service) Replay(ctx context.Context, id string) (Entry, error) {
	var e Entry
	err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
		var rows []deliveryRow
		if err := tx.Where("id = ?", id).Omit("payload").Limit(1).Find(&rows).Error; err != nil {
			return err
		}
		if uuid.Validate(id) != nil || len(rows) == 0 {
			return core.PlainErrorf(core.NotFound, "Delivery #%s not found", id)
		}
		if rows[0].State == Pending {
			return core.PlainErrorf(core.Conflict, "Delivery #%s is still being worked on", id)
		}
		if err := s.replayIn(ctx, tx, rows); err != nil {
			return err
		}
		e = rows[0].entry()
		return nil
	})
	return e, err
}

// ReplayAll is Replay for the dead deliveries that a filter selects, oldest first,
// at most a thousand at a time. It says how many there were.
func (s *Service) ReplayAll(ctx context.Context, f Filter) (int, error) {
	f.State = Dead
	total := 0
	err := s.DB.Tx(ctx, func(tx *gorm.DB) error {
		var rows []deliveryRow
		if err := f.on(tx).Omit("payload").Order("id").Limit(min(max(f.Limit, 1), maxReplayed)).Find(&rows).Error; err != nil {
			return err
		}
		total = len(rows)
		return s.replayIn(ctx, tx, rows)
	})
	if err != nil {
		return 0, fmt.Errorf("replaying deliveries: %w", err)
	}
	return total, nil
}

func (s *Service) replayIn(ctx context.Context, tx *gorm.DB, rows []deliveryRow) error {
	var ids []string
	for i := range rows {
		d := &rows[i]
		before := d.State
		if before == Done {
			d.Round++ // else its runs are there already
		}
		d.State, d.Attempts, d.LastError, d.NextAt, d.DoneAt = Pending, 0, "", db.Now(), db.Time{}
		done := tx.Model(&deliveryRow{}).Where("id = ? AND state = ?", d.ID, before).Updates(map[string]any{
			"state": d.State, "round": d.Round, "attempts": d.Attempts, "last_error": "", "next_at": d.NextAt, "done_at": d.DoneAt,
		})
		if done.Error != nil {
			return done.Error
		}
		if done.RowsAffected > 0 {
			ids = append(ids, d.ID)
		}
	}
	return s.enqueueDeliveries(ctx, tx, ids, db.Time{})
}
