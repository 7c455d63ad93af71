package managed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
)

// Entry is what an operator sees of one user at one provider.
type Entry struct {
	UserID   string `json:"user_id"`
	Provider string `json:"provider"`
	// State is stored, or what is under way: provision, revoke, retire; given up
	// when nothing is tried until the user or the operator comes back.
	State string `json:"state"`
	// Stored reports whether there is a credential that can be used.
	Stored    bool   `json:"stored"`
	Attempts  int    `json:"attempts"`
	LastError string `json:"last_error"`
	// UnderWay is set while an attempt is made.
	UnderWay bool `json:"under_way"`
	// NextAt is when the next attempt is due; null when none is, or one is made.
	NextAt db.Time `json:"next_at"`
}

// Filter chooses entries.
type Filter struct {
	UserID   string
	Provider string
	// Open leaves out those with nothing to do.
	Open bool
	// After is the last entry of the page before.
	After Entry
	// Limit is 1 to 1000.
	Limit int
}

// List gives the managed credentials and tasks, by user and provider.
func (s *Service) List(ctx context.Context, f Filter) ([]Entry, error) {
	const columns = "SELECT user_id, provider FROM "
	where := " WHERE (user_id > @user OR (user_id = @user AND provider > @provider)) AND (@only_user = '' OR user_id = @only_user) AND (@only_provider = '' OR provider = @only_provider)"
	query := columns + "managed_tasks" + where
	if !f.Open {
		query += " UNION " + columns + "credentials" + where + " AND is_managed"
	}
	entries := []Entry{}
	err := s.DB.Read.WithContext(ctx).Raw(query+" ORDER BY user_id, provider LIMIT @limit", map[string]any{
		"user": f.After.UserID, "provider": f.After.Provider, "only_user": f.UserID, "only_provider": f.Provider, "limit": f.Limit,
	}).Scan(&entries).Error
	if err != nil {
		return nil, fmt.Errorf("listing managed credentials: %w", err)
	}
	for i := range entries {
		if err := s.fill(ctx, &entries[i]); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func (s *Service) fill(ctx context.Context, e *Entry) error {
	stored, err := s.Credentials.ManagedProviders(ctx, e.UserID)
	if err != nil {
		return err
	}
	t, err := findTask(s.DB.Read.WithContext(ctx), e.UserID, e.Provider)
	if err != nil {
		return err
	}
	e.Stored, e.State = slices.Contains(stored, e.Provider), "stored"
	if t != nil {
		e.State, e.Attempts, e.LastError, e.NextAt = string(t.Action), t.Attempts, t.LastError, t.NextAt
		if e.UnderWay = t.Claimed; t.Claimed {
			e.NextAt = db.Time{} // which is that of the next process, should this one die
		}
		if t.NextAt.IsZero() {
			e.State = "given up"
		}
	}
	return nil
}

// Retry makes the next attempt at a task due now. The kind of the error is
// [core.NotFound] when there is nothing to do, and [core.Conflict] when nothing
// has failed: the secret before a rotation works on for a while, and so long may
// take what was asked for before a revocation.
func (s *Service) Retry(ctx context.Context, userID, provider string) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		t, err := lockTask(tx, userID, provider)
		if err != nil {
			return err
		}
		if t == nil {
			return core.PlainErrorf(core.NotFound, "There is nothing to do for the user '%s' at the provider '%s'", userID, provider)
		}
		if t.Action != Provision && t.LastError == "" && t.NextAt.After(time.Now()) && !t.Claimed {
			return core.PlainErrorf(core.Conflict, "Nothing has failed: the next step is due at %s, and no earlier", t.NextAt.UTC().Format(time.RFC3339))
		}
		return s.hurry(ctx, tx, t)
	})
}

// hurry makes the next attempt at a task due now, unless one is under way.
func (s *Service) hurry(ctx context.Context, tx *gorm.DB, t *task) error {
	now := time.Now()
	if t.Claimed && !t.due(now, s.longest()) {
		return nil
	}
	columns := map[string]any{"next_at": db.At(now)}
	if t.NextAt.IsZero() {
		columns["attempts"] = 0
	}
	if _, err := t.change(tx, columns); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, t.UserID, t.Provider, time.Time{})
}

// Revoke makes the managed credential of a user unusable at once and takes it
// back at the vendor, trying until the vendor confirms. The user's next visit
// provisions another. The kind of the error is [core.NotFound] when there is
// none, nor one under way.
func (s *Service) Revoke(ctx context.Context, userID, provider string) error {
	return s.DB.Tx(ctx, func(tx *gorm.DB) error {
		names, err := s.held(tx, userID)
		if err != nil {
			return err
		}
		if !slices.Contains(names, provider) {
			return core.PlainErrorf(core.NotFound, "The user '%s' has no managed credential of the provider '%s'", userID, provider)
		}
		return s.revokeIn(ctx, tx, userID, provider)
	})
}

// RevokeAll is Revoke for all that a user has, inside a transaction: when it
// commits, the revocations cannot be lost. It is the first step of the deletion
// of an account.
func (s *Service) RevokeAll(ctx context.Context, tx *gorm.DB, userID string) error {
	names, err := s.held(tx, userID)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.revokeIn(ctx, tx, userID, name); err != nil {
			return err
		}
	}
	return nil
}

// Remaining counts the revocations for a user that the vendors have not
// confirmed yet.
func (s *Service) Remaining(ctx context.Context, userID string) (int, error) {
	var n int64
	err := s.DB.Write.WithContext(ctx).Model(&task{}).Where("user_id = ? AND action = ?", userID, Revoke).Count(&n).Error
	if err != nil {
		return 0, fmt.Errorf("counting revocations: %w", err)
	}
	return int(n), nil
}

// held names the providers at which a user has a credential, or may have
// something because of a task.
func (s *Service) held(tx *gorm.DB, userID string) ([]string, error) {
	var names []string
	err := tx.Raw("SELECT provider FROM managed_tasks WHERE user_id = @user UNION SELECT provider FROM credentials WHERE user_id = @user AND is_managed ORDER BY provider",
		map[string]any{"user": userID}).Scan(&names).Error
	if err != nil {
		return nil, fmt.Errorf("reading managed credentials: %w", err)
	}
	return names, nil
}

func (s *Service) revokeIn(ctx context.Context, tx *gorm.DB, userID, provider string) error {
	t, err := lockTask(tx, userID, provider)
	if err != nil {
		return err
	}
	if t != nil && t.Action == Revoke {
		return nil // it is on its way, or waits to be done once more before it counts
	}
	if err := s.Credentials.RevokeManaged(tx, userID, provider); err != nil {
		return err
	}
	if err := put(tx, userID, provider, Revoke, time.Now(), s.revokeAgain(t)); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, userID, provider, time.Time{})
}
