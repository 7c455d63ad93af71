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
	db    *db.DB
	known *expirable.LRU[string, *User]

	// writes counts changes, so that a read that began before a change is not
	// cached after it.
	mu     sync.Mutex
	writes int
}

// NewService keeps users in d.
func NewService(d *db.DB) *Service {
	return &Service{db: d, known: expirable.NewLRU[string, *User](cachedUsers, nil, cacheTTL)}
}

// Ensure gives the user behind an identity, who is created on first sight.
// Repeated calls ask the database at most every 30 seconds per user, so it can
// be called for every request; what another process changed meanwhile may be
// missing, and [Service.Get] never misses it. The kind of the error is
// [core.Invalid] for a new user without an e-mail address and [core.Conflict]
// when another account has that address.
func (s *Service) Ensure(ctx context.Context, id Identity) (*User, error) {
	if u, ok := s.known.Get(id.UserID); ok {
		return u.clone(), nil
	}
	seen := s.writeCount()
	r, err := find(ctx, s.db.Read, id.UserID)
	if err != nil {
		return nil, err
	}
	if r == nil {
		if r, err = s.create(ctx, id); err != nil {
			return nil, err
		}
	}
	u := r.user()
	s.remember(u, seen)
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

// Get gives a user as stored now, or an error of kind [core.NotFound].
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
	r, err := find(ctx, s.db.Read, userID)
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

func (s *Service) remember(u *User, seen int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == seen {
		s.known.Add(u.ID, u)
	}
}

// clone keeps callers from changing what is cached; maps and pointers inside
// are shared and must not be written to.
func (u *User) clone() *User {
	c := *u
	return &c
}
