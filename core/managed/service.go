package managed

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

// Config says how patient the service is.
type Config struct {
	// Wait bounds how long a listing waits for a first credential.
	Wait time.Duration
	// Retry is the pause after the first failed attempt; it doubles with each.
	Retry time.Duration
	// Grace is how long a credential that was replaced stays good.
	Grace time.Duration
}

const (
	// attemptTimeout bounds the requests of one attempt.
	attemptTimeout = time.Minute
	// lease is when a claimed task is due again, should nobody end it.
	lease = attemptTimeout + 15*time.Second
	// lockTTL is how long the lock of a process that died stands.
	lockTTL = 15 * time.Second
	// maxAttempts ends attempts to provision for a user who may never come back;
	// the next visit after a rest begins anew.
	maxAttempts = 12
	rest        = 10 * time.Minute
	// The longest pauses between attempts.
	maxProvisionPause = 5 * time.Minute
	maxRevokePause    = time.Hour
	// sweepEvery is how often tasks whose job was lost are looked for.
	sweepEvery = time.Minute
	// parallel is how many tasks one process works on at once.
	parallel = 16
	line     = "managed"
)

// What is remembered of users who have everything.
const (
	knownUsers = 100_000
	knownFor   = time.Hour
)

// Deps are what the service works with.
type Deps struct {
	DB          *db.DB
	Bus         bus.Bus
	Queue       *jobs.Queue
	Registry    *core.Registry
	Credentials *credential.Service
	// Alive reports, inside a transaction, whether the user has an account that
	// is not being deleted, and keeps it so until the transaction ends.
	Alive   func(ctx context.Context, tx *gorm.DB, userID string) (bool, error)
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Service is the room's front door. It is safe for concurrent use.
type Service struct {
	Deps
	config    Config
	providers map[string]core.ManagedCredentialProvider
	metrics   *metrics

	// complete holds users who have every credential they can have.
	complete *expirable.LRU[string, struct{}]
	mu       sync.Mutex
	flights  map[string]*flight
	waiting  map[string][]chan event
	// revocations counts the revocations that were heard of.
	revocations int
}

// args is the job that works on the task of a user and a provider.
type args struct {
	UserID   string `json:"user_id"`
	Provider string `json:"provider"`
}

// Kind names the job.
func (args) Kind() string { return "managed_credential" }

// New makes the service. It hears of other processes after Start.
func New(config Config, d Deps) *Service {
	s := &Service{
		Deps: d, config: config, providers: map[string]core.ManagedCredentialProvider{}, metrics: newMetrics(d.Metrics),
		complete: expirable.NewLRU[string, struct{}](knownUsers, nil, knownFor),
		flights:  map[string]*flight{}, waiting: map[string][]chan event{},
	}
	for _, p := range d.Registry.Providers() {
		if p.Managed != nil {
			s.providers[p.Name] = p.Managed
		}
	}
	jobs.Handle(d.Queue, s.work)
	d.Queue.Line(line, parallel)
	return s
}

// topic is what the events of a user go by.
const topic = "managed."

// event tells every process what became of an attempt.
type event struct {
	UserID   string `json:"user_id"`
	Provider string `json:"provider"`
	// Outcome is provisioned, failed, rotated, retired or deprovisioned.
	Outcome string `json:"outcome"`
}

// Start listens to the other processes and, if this one works on tasks, looks
// for those whose job was lost, until ctx ends.
func (s *Service) Start(ctx context.Context, works bool) error {
	sub, err := s.Bus.Subscribe(ctx, topic+"*")
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		sub.Close()
	}()
	go func() {
		for m := range sub.C() {
			var e event
			if json.Unmarshal(m.Data, &e) == nil {
				s.hear(e)
			}
		}
	}()
	if works {
		go s.sweep(ctx)
	}
	return nil
}

// tell publishes an outcome. That nobody hears it costs a listing its wait.
func (s *Service) tell(userID, provider, outcome string) {
	data, err := core.JSON(event{userID, provider, outcome})
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = s.Bus.Publish(ctx, topic+userID, data)
	}
	if err != nil {
		s.Log.Warn("other processes do not hear of a managed credential", "user", userID, "provider", provider, "error", err)
	}
}

func (s *Service) hear(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Outcome == "deprovisioned" {
		s.revocations++
		s.complete.Remove(e.UserID)
	}
	for _, c := range s.waiting[e.UserID] {
		select {
		case c <- e:
		default: // it has heard enough to look again
		}
	}
}

// available names the providers that can provision now, in order.
func (s *Service) available() []string {
	var names []string
	for name, p := range s.providers {
		if p.Available() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// soon is how close a time must be for its job to be added at once and wait in
// its line: the queue looks for jobs with a time less often than that.
const soon = 5 * time.Second

// enqueue adds the job of a task, inside the transaction that makes it due.
func (s *Service) enqueue(ctx context.Context, tx *gorm.DB, userID, provider string, at time.Time) error {
	sqlTx, err := db.SQLTx(tx)
	if err != nil {
		return err
	}
	if time.Until(at) < soon {
		at = time.Time{}
	}
	return s.Queue.Insert(ctx, sqlTx, jobs.Job{Args: args{userID, provider}, Line: line, At: at})
}

// pause is how long to wait after a number of failed attempts: twice as long
// each time, up to a limit, and spread out so that users who failed together do
// not come back together.
func (s *Service) pause(attempts int, limit time.Duration) time.Duration {
	p := s.config.Retry << min(attempts-1, 20)
	if p > limit || p <= 0 {
		p = limit
	}
	return p/2 + rand.N(p) //nolint:gosec // spreads the load, keeps no secret
}

// longest is more than any pause: a task further away than that is due.
func (s *Service) longest() time.Duration { return 2*max(maxRevokePause, s.config.Grace) + lease }
