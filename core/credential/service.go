package credential

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"agentserver/core"
	"agentserver/core/db"
)

// Service is the room's front door. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	ring     *Ring
	registry *core.Registry
}

// Open checks that the keys of the ring fit what is stored in a migrated
// database, and gives the service. Its error says which key is missing or
// wrong; nothing was written then, and the process must not go on.
func Open(ctx context.Context, d *db.DB, ring *Ring, registry *core.Registry) (*Service, error) {
	if err := checkKeys(ctx, d, ring); err != nil {
		return nil, err
	}
	return &Service{db: d, ring: ring, registry: registry}, nil
}

// List gives what a user may know of their credentials: the stored ones, oldest
// first, then the system credentials that are configured. Nothing is opened.
func (s *Service) List(ctx context.Context, userID string) ([]Meta, error) {
	return s.list(ctx, userID, "")
}

// ListProvider is List for one provider. It is empty for a provider that is not
// known.
func (s *Service) ListProvider(ctx context.Context, userID, provider string) ([]Meta, error) {
	if provider == "" {
		return []Meta{}, nil
	}
	return s.list(ctx, userID, ProviderName(provider))
}

func (s *Service) list(ctx context.Context, userID, provider string) ([]Meta, error) {
	metas, err := list(ctx, s.db.Read, userID, provider)
	if err != nil {
		return nil, err
	}
	for _, c := range s.systemCredentials() {
		if provider == "" || c.Base().Provider == provider {
			metas = append(metas, metaOf(c))
		}
	}
	return metas, nil
}

// Get gives a credential that the user may run blocks with, or nil when there
// is none of that id. A credential that does not open is an error. The secret
// in it must not leave the process but to the vendor.
func (s *Service) Get(ctx context.Context, userID, id string) (core.Credential, error) {
	if c, reserved := s.system(id); reserved {
		return c, nil
	}
	r, err := find(ctx, s.db.Read, userID, id, "*")
	if r == nil || err != nil {
		return nil, err
	}
	return r.open(s.ring)
}

// Find gives how graphs name a credential that the user may run blocks with, or
// nil when there is none of that id. Nothing is opened.
func (s *Service) Find(ctx context.Context, userID, id string) (*core.CredentialRef, error) {
	m, err := s.find(ctx, userID, id)
	if m == nil || err != nil {
		return nil, err
	}
	return &core.CredentialRef{ID: m.ID, Provider: m.Provider, Type: m.Type, Title: m.Title}, nil
}

// Meta gives what a user may know of one credential. The kind of the error is
// [core.NotFound] when there is none of that id at that provider.
func (s *Service) Meta(ctx context.Context, userID, provider, id string) (Meta, error) {
	m, err := s.find(ctx, userID, id)
	if err != nil {
		return Meta{}, err
	}
	if m == nil || m.Provider != ProviderName(provider) {
		return Meta{}, errNotFound()
	}
	return *m, nil
}

func (s *Service) find(ctx context.Context, userID, id string) (*Meta, error) {
	if c, reserved := s.system(id); reserved {
		if c == nil {
			return nil, nil
		}
		m := metaOf(c)
		return &m, nil
	}
	r, err := find(ctx, s.db.Read, userID, id, shown)
	if r == nil || err != nil {
		return nil, err
	}
	m := r.meta()
	return &m, nil
}

// defaultSuffix ends ids that stand for an operator's key in saved agents. They
// are nobody's: such a key may reach the data of every user.
const defaultSuffix = "-default"

func isDefault(id string) bool { return strings.HasSuffix(id, defaultSuffix) }

// system gives the system credential of an id, or nil when the operator has not
// set it, and whether the id is taken from users at all.
func (s *Service) system(id string) (c core.Credential, reserved bool) {
	if isDefault(id) {
		return nil, true
	}
	for _, p := range s.registry.Providers() {
		for _, known := range p.System {
			if known.ID == id {
				return known.Load(), true
			}
		}
	}
	return nil, core.SystemCredentialPlace(id) >= 0
}

// systemCredentials gives those that are configured: first those that clients
// know, in their order, then the others by provider.
func (s *Service) systemCredentials() []core.Credential {
	var all []core.Credential
	for _, p := range s.registry.Providers() {
		for _, known := range p.System {
			if isDefault(known.ID) {
				continue
			}
			if c := known.Load(); c != nil {
				all = append(all, c)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b core.Credential) int { return cmp.Compare(place(a), place(b)) })
	return all
}

func place(c core.Credential) int {
	if n := core.SystemCredentialPlace(c.Base().ID); n >= 0 {
		return n
	}
	return math.MaxInt
}

func metaOf(c core.Credential) Meta {
	base := c.Base()
	return newMeta(base, c.Type(), textOrNil(base.Title), publicOf(c))
}
