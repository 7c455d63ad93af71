package credential

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/db"
)

// Options are what the service needs for signing in at vendors. Without them it
// keeps credentials, and nobody can sign in.
type Options struct {
	// HTTP gives the guarded client for a provider's vendor; nil refuses every
	// call.
	HTTP func(provider string) core.Doer
	// Bus carries locks and messages between processes; nil means that there is
	// one process.
	Bus bus.Bus
	// FrontendURL is the address of the web client, to which vendors send the
	// browser back.
	FrontendURL string
	// Log is slog.Default unless set.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service is the room's front door. It is safe for concurrent use.
type Service struct {
	// BeforeDelete, when set, is called before a credential of a user goes, to
	// let go of what uses it, such as webhooks. It reports true when the user has
	// to confirm that first, which force stands for. Its error keeps the
	// credential.
	BeforeDelete func(ctx context.Context, userID string, c core.CredentialRef, force bool) (confirm bool, err error)
	// InUse, when set, reports inside the transaction that removes a credential
	// whether something uses it again since BeforeDelete, which is called once more
	// then.
	InUse func(tx *gorm.DB, userID, id string) (bool, error)

	db          *db.DB
	ring        *Ring
	registry    *core.Registry
	http        func(provider string) core.Doer
	bus         bus.Bus
	frontendURL string
	log         *slog.Logger
	now         func() time.Time

	flights singleflight.Group
	refreshes
}

// Open checks that the keys of the ring fit what is stored in a migrated
// database, and gives the service. Its error says which key is missing or
// wrong; nothing was written then, and the process must not go on. Close ends
// it.
func Open(ctx context.Context, d *db.DB, ring *Ring, registry *core.Registry, o Options) (*Service, error) {
	if err := checkKeys(ctx, d, ring); err != nil {
		return nil, err
	}
	if o.HTTP == nil {
		o.HTTP = func(string) core.Doer { return noHTTP{} }
	}
	if o.Bus == nil {
		o.Bus = bus.NewLocal()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		db: d, ring: ring, registry: registry,
		http: o.HTTP, bus: o.Bus, frontendURL: o.FrontendURL, log: o.Log, now: o.Now,
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// noHTTP stands in for the client of a service that has none.
type noHTTP struct{}

func (noHTTP) Do(*http.Request) (*http.Response, error) {
	return nil, core.Errorf(core.Unavailable, "outbound HTTP is not available here")
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
//
// An access token that expires within five minutes is refreshed first. While
// that does not work, it is given as long as it lasts; after that the kind of
// the error is [core.Unavailable], or [core.Invalid] when only the user can
// mend it by connecting the account again.
func (s *Service) Get(ctx context.Context, userID, id string) (core.Credential, error) {
	if c, reserved := s.system(id); reserved {
		return c, nil
	}
	r, err := find(ctx, s.db.Read, userID, id, "*")
	if r == nil || err != nil {
		return nil, err
	}
	c, err := r.open(s.ring)
	if err != nil {
		return nil, err
	}
	return s.usable(ctx, userID, r, c)
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
//
// It refreshes an access token that is due, for five seconds at most, so that it
// tells whether the account must be connected again. That this does not work is
// no error here.
func (s *Service) Meta(ctx context.Context, userID, provider, id string) (Meta, error) {
	m, err := s.find(ctx, userID, id)
	if err != nil {
		return Meta{}, err
	}
	if m == nil || m.Provider != ProviderName(provider) {
		return Meta{}, errNotFound()
	}
	if m.Type != core.TypeOAuth2 || !s.renewShown(ctx, userID, id) {
		return *m, nil
	}
	if m, err = s.find(ctx, userID, id); err != nil {
		return Meta{}, err
	}
	if m == nil {
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
	return newMeta(base, c.Type(), textOrNil(base.Title), publicOf(c), false)
}
