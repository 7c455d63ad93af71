package account

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"agentserver/core"
	"agentserver/core/db"
)

var (
	errDeleting = core.PlainErrorf(core.Forbidden, "This account is being deleted")
	errDeleted  = core.PlainErrorf(core.Unauthenticated, "This account was deleted")
)

// IsDeleting reports whether [Service.Ensure] refused a user because their
// account is being deleted.
func IsDeleting(err error) bool { return errors.Is(err, errDeleting) }

// DeleteConfirmed deletes an account as [Service.Delete] does, if confirm is its
// e-mail address, in small or capital letters. Whoever deletes the account of
// another user may give its id as well. The kind of the error is [core.Invalid]
// without the right confirmation, when nothing happens, and [core.NotFound].
func (s *Service) DeleteConfirmed(ctx context.Context, userID, by, confirm string) (*Deletion, error) {
	email, err := s.emailOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	confirm = strings.TrimSpace(confirm)
	switch {
	case strings.EqualFold(confirm, email):
	case by != userID && confirm == userID:
	case by == userID:
		return nil, core.PlainErrorf(core.Invalid, `To delete the account, send {"confirm": "<the account's e-mail address>"}`)
	default:
		return nil, core.PlainErrorf(core.Invalid, `To delete the account, send {"confirm": "<the account's e-mail address or id>"}`)
	}
	return s.Delete(ctx, userID, by)
}

// emailOf gives the address of a user, also of one who is being deleted.
func (s *Service) emailOf(ctx context.Context, userID string) (string, error) {
	handle := s.db.Write.WithContext(ctx)
	d, err := pendingDeletion(handle, userID)
	if err != nil {
		return "", err
	}
	if d != nil {
		return d.Email, nil
	}
	r, err := find(ctx, handle, userID)
	if err != nil {
		return "", err
	}
	if r == nil {
		return "", errNoUser()
	}
	return r.Email, nil
}

// Delete begins the deletion of a user's account: when it returns, the account
// is closed and will go, with everything that is the user's, whatever happens to
// this process. By is the id of the user who asked for it, or "cli". While a
// deletion is not finished, further calls give that one. The kind of the error
// is [core.NotFound] when there is no such account. [Service.HandleDeletions] has
// been called before.
func (s *Service) Delete(ctx context.Context, userID, by string) (*Deletion, error) {
	var r *deletionRow
	err := s.db.Tx(ctx, func(tx *gorm.DB) error {
		var err error
		r, err = s.beginDeletion(ctx, tx, userID, by)
		return err
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		// Another request was faster.
		r, err = pendingDeletion(s.db.Write.WithContext(ctx), userID)
	}
	switch {
	case core.IsKind(err, core.NotFound):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("deleting account: %w", err)
	case r == nil:
		return nil, errNoUser()
	}
	s.forgetEverywhere(ctx, userID)
	d := r.deletion()
	if d.RevocationsPending, err = s.remaining(ctx, userID); err != nil {
		return nil, fmt.Errorf("counting revocations: %w", err)
	}
	return d, nil
}

// beginDeletion writes the record, what is to be undone at vendors, and the job,
// or finds them written.
func (s *Service) beginDeletion(ctx context.Context, tx *gorm.DB, userID, by string) (*deletionRow, error) {
	// Whoever does something for the user in a transaction with [Service.Alive]
	// comes before the deletion, or sees it.
	user, err := find(ctx, tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}), userID)
	if err != nil {
		return nil, err
	}
	if r, err := pendingDeletion(tx, userID); r != nil || err != nil {
		return r, err
	}
	if user == nil {
		return nil, errNoUser()
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	r := &deletionRow{
		ID: id.String(), UserID: userID, Email: user.Email, RequestedBy: by, RequestedAt: db.Now(),
		State: DeletionPending, Steps: db.AsJSON(s.stepRecords(nil)),
	}
	if err := tx.Create(r).Error; err != nil {
		return nil, err
	}
	if s.deletion.BeforeDelete != nil {
		if err := s.deletion.BeforeDelete(ctx, tx, userID); err != nil {
			return nil, fmt.Errorf("preparing revocations: %w", err)
		}
	}
	s.deletion.Log.InfoContext(ctx, "an account is to be deleted", "deletion", r.ID, "user", userID, "by", by)
	return r, s.enqueueDeletion(ctx, tx, r.ID)
}

// Alive reports, inside a transaction, whether there is an account of that id
// that is not being deleted. Until the transaction ends no deletion begins, so
// that what is stored in it is seen by the deletion.
func (s *Service) Alive(ctx context.Context, tx *gorm.DB, userID string) (bool, error) {
	user, err := find(ctx, tx.Clauses(clause.Locking{Strength: clause.LockingStrengthShare}), userID)
	if user == nil || err != nil {
		return false, err
	}
	d, err := pendingDeletion(tx, userID)
	return d == nil, err
}

// Lookup finds an account by its id or its e-mail address, also one that is
// being deleted. The kind of the error is [core.NotFound].
func (s *Service) Lookup(ctx context.Context, emailOrID string) (userID, email string, err error) {
	emailOrID = strings.TrimSpace(emailOrID)
	handle := s.db.Write.WithContext(ctx)
	var users []row
	err = handle.Select("id, email").Where("id = ? OR lower(email) = lower(?)", emailOrID, emailOrID).Limit(2).Find(&users).Error
	if err != nil {
		return "", "", fmt.Errorf("looking for user: %w", err)
	}
	switch len(users) {
	case 1:
		return users[0].ID, users[0].Email, nil
	case 2:
		return "", "", core.Errorf(core.Conflict, "%s is the id of one account and the address of another", emailOrID)
	}
	d, err := takeDeletion(handle.Where("(user_id = ? OR lower(email) = lower(?)) AND state = ?", emailOrID, emailOrID, DeletionPending))
	if err != nil {
		return "", "", err
	}
	if d == nil {
		return "", "", core.Errorf(core.NotFound, "there is no account %s", emailOrID)
	}
	return d.UserID, d.Email, nil
}
