package account

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"agentserver/core"
	"agentserver/core/db"
)

const (
	cachedUsers = 10_000
	// cacheTTL is how long Ensure may miss what another process wrote.
	cacheTTL = 30 * time.Second
)

// Service keeps the users. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	known    *expirable.LRU[string, known]
	deletion DeletionOptions

	// writes counts changes, so that a read that began before a change is not
	// cached after it.
	mu     sync.Mutex
	writes int
}

// known is a user whom Ensure remembers.
type known struct {
	user *User
	past past
}

// NewService keeps users in d.
func NewService(d *db.DB) *Service {
	return &Service{db: d, known: expirable.NewLRU[string, known](cachedUsers, nil, cacheTTL)}
}

// Ensure gives the user behind an identity, who is created on first sight.
// Repeated calls ask the database at most every 30 seconds per user, so it can
// be called for every request; what another process changed meanwhile may be
// missing, and [Service.Get] never misses it. The kind of the error is
// [core.Invalid] for a new user without an e-mail address, [core.Conflict]
// when another account has that address, [core.Forbidden] while the account is
// being deleted, see [IsDeleting], and [core.Unauthenticated] for a token from
// before the account was deleted.
func (s *Service) Ensure(ctx context.Context, id Identity) (*User, error) {
	if k, ok := s.known.Get(id.UserID); ok {
		if err := k.past.admit(id); err != nil {
			return nil, err
		}
		return k.user.clone(), nil
	}
	seen := s.writeCount()
	r, err := find(ctx, s.db.Read, id.UserID)
	if err != nil {
		return nil, err
	}
	// Read after the user: one who is gone has a past by then.
	past, err := readPast(ctx, s.db.Read, id.UserID)
	if err != nil {
		return nil, err
	}
	if err := past.admit(id); err != nil {
		return nil, err
	}
	if r == nil {
		if r, err = s.create(ctx, id); err != nil {
			return nil, err
		}
	}
	u := r.user()
	s.remember(known{u, past}, seen)
	return u.clone(), nil
}

// create adds the user. Several requests may do so at once, so the row that
// counts is the one that is read afterwards.
func (s *Service) create(ctx context.Context, id Identity) (*row, error) {
	id.Email = strings.TrimSpace(id.Email)
	if id.Email == "" {
		return nil, core.PlainErrorf(core.Invalid, "The token names no e-mail address")
	}
	fresh := newRow(id)
	if err := insert(ctx, s.db.Write, &fresh); err != nil {
		return nil, err
	}
	r, err := find(ctx, s.db.Write, id.UserID)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errEmailTaken()
	}
	return r, nil
}

// Get gives a user as stored now, or an error of kind [core.NotFound], also for
// one who is being deleted.
func (s *Service) Get(ctx context.Context, userID string) (*User, error) {
	r, err := s.row(ctx, userID)
	if err != nil {
		return nil, err
	}
	return r.user(), nil
}

// SetEmail changes the address of a user, which counts as not verified then.
// The kind of the error is [core.Unprocessable] for what is not an address,
// [core.Conflict] when another account has it and [core.NotFound].
func (s *Service) SetEmail(ctx context.Context, userID, email string) error {
	if !validEmail(email) {
		return invalidInput("value_error", emailProblem, email, "body")
	}
	r, err := s.row(ctx, userID)
	if err != nil {
		return err
	}
	if r.Email == email {
		return nil
	}
	return s.change(ctx, userID, map[string]any{"email": email, "email_verified": false})
}

// Forget makes the next Ensure read the user again. Other processes call it
// when they hear of a change.
func (s *Service) Forget(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.known.Remove(userID)
}

func (s *Service) row(ctx context.Context, userID string) (*row, error) {
	staying := s.db.Read.Where("NOT EXISTS (SELECT 1 FROM account_deletions d WHERE d.user_id = users.id AND d.state = ?)", DeletionPending)
	r, err := find(ctx, staying, userID)
	if err == nil && r == nil {
		err = errNoUser()
	}
	return r, err
}

func (s *Service) change(ctx context.Context, userID string, columns map[string]any) error {
	// Forgotten even after an error: the change may have been made all the same.
	defer s.Forget(userID)
	return update(ctx, s.db.Write, userID, columns)
}

func (s *Service) writeCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

func (s *Service) remember(k known, seen int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == seen {
		s.known.Add(k.user.ID, k)
	}
}

// clone keeps callers from changing what is cached; maps and pointers inside
// are shared and must not be written to.
func (u *User) clone() *User {
	c := *u
	return &c
}
