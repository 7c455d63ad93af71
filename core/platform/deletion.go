package platform

import (
	"context"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

// Revocations undoes at vendors what the platform provisioned for a user, as
// [managed.Service] does.
type Revocations interface {
	// RevokeAll makes durable, in a transaction, that everything of the user is to
	// be undone. It is called more than once, and adds nothing for what is under way.
	RevokeAll(ctx context.Context, tx *gorm.DB, userID string) error
	// Remaining counts what vendors have not yet confirmed to be undone.
	Remaining(ctx context.Context, userID string) (int, error)
}

// SignIns ends what a user has granted at vendors, as [credential.Service] does.
type SignIns interface {
	// RevokeAll reports how many grants could not be ended.
	RevokeAll(ctx context.Context, userID string) (failed int, err error)
}

// DeletionOptions change how accounts are deleted; the zero value is right for
// servers.
type DeletionOptions struct {
	// Revocations and SignIns take the place of the platform's own.
	Revocations Revocations
	SignIns     SignIns
	// Settle is as in [account.DeletionOptions].
	Settle time.Duration
}

// handleDeletions says what the deletion of an account comprises, in order. A
// room with data of users belongs here.
func (p *Platform) handleDeletions(queue *jobs.Queue, o DeletionOptions) {
	if o.Revocations == nil {
		o.Revocations = p.Managed
	}
	if o.SignIns == nil {
		o.SignIns = p.Credentials
	}
	begin, remaining := o.Revocations.RevokeAll, o.Revocations.Remaining
	p.Accounts.HandleDeletions(account.DeletionOptions{
		Queue: queue, Bus: p.Bus, Log: p.Log, Settle: o.Settle, BeforeDelete: begin, Remaining: remaining,
		Steps: []account.DeletionStep{
			{Name: "stop runs", Do: p.Executions.StopUser},
			{Name: "revoke provisioned credentials", Do: func(ctx context.Context, userID string) (int, error) {
				// They were made durable at the beginning; this finds what another
				// process has provisioned since.
				err := p.DB.Tx(ctx, func(tx *gorm.DB) error {
					if err := db.CheckFence(ctx, tx); err != nil {
						return err
					}
					return begin(ctx, tx, userID)
				})
				if err != nil {
					return 0, err
				}
				return remaining(ctx, userID)
			}},
			// Before the sign-ins end that it needs.
			{Name: "deregister webhooks", Do: p.Webhooks.DeregisterUser},
			{Name: "revoke sign-ins", BestEffort: true, Do: func(ctx context.Context, userID string) (int, error) {
				failed, err := o.SignIns.RevokeAll(ctx, userID)
				if err == nil && failed > 0 {
					err = core.Errorf(core.Unavailable, "%d sign-ins could not be revoked at their vendors", failed)
				}
				return 0, err
			}},
			{Name: "data", Do: p.deleteData},
		},
	})
}

// deleteData removes what the rooms have stored of a user.
func (p *Platform) deleteData(ctx context.Context, userID string) (int, error) {
	total := 0
	for _, room := range []interface {
		DeleteUser(ctx context.Context, userID string) (int, error)
	}{p.Presets, p.Webhooks, p.Executions, p.Workspace, p.Builder, p.Library, p.Graphs, p.Credentials} {
		n, err := room.DeleteUser(ctx, userID)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Holdings are the things of a user that a deletion takes away.
type Holdings struct{ Agents, Runs, Credentials int }

// Holdings counts what a user has.
func (p *Platform) Holdings(ctx context.Context, userID string) (h Holdings, err error) {
	if h.Agents, err = p.Graphs.CountUser(ctx, userID); err != nil {
		return h, err
	}
	if h.Runs, err = p.Executions.CountUser(ctx, userID); err != nil {
		return h, err
	}
	h.Credentials, err = p.Credentials.CountUser(ctx, userID)
	return h, err
}
