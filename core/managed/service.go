package managed

import (
	"context"
	"encoding/json"
	"errors"
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
	// Late is how long after a failed or interrupted attempt what it asked for may
	// still come to be at the vendor. 0 means the grace, and at least as long as an
	// attempt may take.
	Late time.Duration
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
	if s.config.Late == 0 {
		s.config.Late = max(s.config.Grace, lease)
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
func (s *Service) Start(ctx context.Context, works bool) {
	// The first subscription is there when Start returns, if the bus answers.
	limited, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	sub, err := s.Bus.Subscribe(limited, topic+"*")
	go s.listenTo(ctx, sub, err)
	if works {
		go s.sweep(ctx)
	}
}

// subscribeAgain is how often a bus that does not answer is asked again.
const subscribeAgain = 5 * time.Second

// listenTo hears what other processes tell. While it does not, a listing may
// wait in vain, and credentials that were taken back are noticed later.
func (s *Service) listenTo(ctx context.Context, sub bus.Subscription, err error) {
	for ctx.Err() == nil && !errors.Is(err, bus.ErrClosed) {
		if err != nil {
			s.Log.Warn("the bus does not answer; what other processes do with managed credentials is noticed later", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(subscribeAgain):
			}
		} else {
			s.hearAll(ctx, sub)
		}
		sub, err = s.Bus.Subscribe(ctx, topic+"*")
		s.complete.Purge() // what was missed is not known
	}
	if err == nil {
		sub.Close()
	}
}

func (s *Service) hearAll(ctx context.Context, sub bus.Subscription) {
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case m, open := <-sub.C():
			if !open {
				return
			}
			var e event
			if json.Unmarshal(m.Data, &e) == nil {
				s.hear(e)
			}
		}
	}
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

// enqueue adds a job for a task that is there, inside the transaction that makes
// it due. Of jobs without a time there is one at most that has not begun.
func (s *Service) enqueue(ctx context.Context, tx *gorm.DB, userID, provider string, at time.Time) error {
	if time.Until(at) < soon {
		at = time.Time{}
		done := of(tx.Model(&task{}), userID, provider).Where("NOT queued").Updates(map[string]any{"queued": true, "updated_at": db.Now()})
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
	}
	sqlTx, err := db.SQLTx(tx)
	if err != nil {
		return err
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
