package account

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

// DeletionState says whether a deletion is done.
type DeletionState string

// A deletion is pending until nothing of the user is left here or at vendors.
const (
	DeletionPending  DeletionState = "pending"
	DeletionFinished DeletionState = "finished"
)

// StepState says how far a step of a deletion is.
type StepState string

// The states of a step. One that is failing is tried again; one that has failed
// was worth only one try, and the deletion went on without it.
const (
	StepPending StepState = "pending"
	StepDone    StepState = "done"
	StepFailing StepState = "failing"
	StepFailed  StepState = "failed"
)

// Deletion is the deletion of an account as its user sees it.
type Deletion struct {
	ID          string        `json:"id"`
	UserID      string        `json:"user_id"`
	State       DeletionState `json:"state" enum:"pending,finished"`
	RequestedAt db.Time       `json:"requested_at"`
	FinishedAt  db.Time       `json:"finished_at"`
	Steps       []StepReport  `json:"steps"`
	// RevocationsPending counts what vendors have not yet confirmed to be revoked.
	RevocationsPending int `json:"revocations_pending"`
}

// StepReport is one step of a deletion. Error is in words for people and holds
// nothing of the cause, which is in the log. Count is how many things the step
// has dealt with.
type StepReport struct {
	Name  string    `json:"name"`
	State StepState `json:"state" enum:"pending,done,failing,failed"`
	Error string    `json:"error,omitempty"`
	Count int       `json:"count,omitempty"`
}

// DeletionRecord is a deletion as administrators see it. Email is empty once it
// is finished. RequestedBy is a user's id, or "cli".
type DeletionRecord struct {
	Deletion
	Email       string `json:"email,omitempty"`
	RequestedBy string `json:"requested_by"`
	Attempts    int    `json:"attempts"`
}

// DeletionStep is one thing to do about a user who goes. Do says how many things
// it dealt with, also when it fails. It is called again after an error or a
// crash, and once more at the end of every deletion; so it must be safe to
// repeat. Rows go through [db.DB.Erase], which refuses a process that has lost
// the deletion to another one.
type DeletionStep struct {
	Name string
	// BestEffort steps get one try of at most a minute, and their failure keeps
	// nothing from going on.
	BestEffort bool
	Do         func(ctx context.Context, userID string) (int, error)
}

// DeletionOptions say how accounts are deleted.
type DeletionOptions struct {
	Queue *jobs.Queue
	Bus   bus.Bus
	Log   *slog.Logger
	// Steps are done in order, and then the user's own row goes.
	Steps []DeletionStep
	// BeforeDelete makes durable, in the transaction that begins a deletion, what
	// must be undone at vendors; nil when there is nothing.
	BeforeDelete func(ctx context.Context, tx *gorm.DB, userID string) error
	// Remaining counts what vendors have not yet confirmed; a deletion is not
	// finished before it is 0. Nil counts as 0.
	Remaining func(ctx context.Context, userID string) (int, error)
	// Settle is how long after the end of the user's row the steps are done once
	// more, for what other processes have written for a user whom they still had in
	// mind. 0 means a minute: twice as long as Ensure remembers users.
	Settle time.Duration
}

// The names of the steps that the room adds to those it is given.
const (
	accountStep = "account"
	sweepStep   = "final sweep"
)

const (
	// deletionLine is the line of the queue in which deletions wait.
	deletionLine = "accounts"
	// deletionsAtOnce is how many of them one process does at a time.
	deletionsAtOnce = 2
)

// deletionArgs is the job that deletes an account.
type deletionArgs struct {
	DeletionID string `json:"deletion_id"`
}

// Kind names the job.
func (deletionArgs) Kind() string { return "delete_account" }

// HandleDeletions prepares the service to delete accounts. It is called once,
// before the queue starts.
func (s *Service) HandleDeletions(o DeletionOptions) {
	if o.Settle == 0 {
		o.Settle = 2 * cacheTTL
	}
	s.deletion = o
	o.Queue.Line(deletionLine, deletionsAtOnce)
	jobs.Handle(o.Queue, s.workOnDeletion)
}

// remaining counts the revocations that are not confirmed.
func (s *Service) remaining(ctx context.Context, userID string) (int, error) {
	if s.deletion.Remaining == nil {
		return 0, nil
	}
	return s.deletion.Remaining(ctx, userID)
}
