package webhook

import (
	"agentserver/core/db"
)

// State says how far a delivery is.
type State string

const (
	// Pending deliveries wait for their runs to start, for the first time or again.
	Pending State = "pending"
	// Done deliveries have started a run of each trigger that wants them, if any.
	Done State = "done"
	// Dead deliveries could not start a run; they can be replayed.
	Dead State = "dead"
)

// deliveryRow is a delivery that was accepted.
type deliveryRow struct {
	ID         string `gorm:"primaryKey"`
	WebhookID  string
	UserID     string
	Provider   string
	EventType  string
	DeliveryID *string
	ReplayKey  *string
	Size       int64
	State      State
	Attempts   int
	// Round counts replays; runs of each round are new ones.
	Round      int
	LastError  string
	Runs       db.JSON[[]string]
	ReceivedAt db.Time
	NextAt     db.Time
	DoneAt     db.Time
	Payload    db.JSON[map[string]any]
}

// TableName is webhook_deliveries.
func (deliveryRow) TableName() string { return "webhook_deliveries" }

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
