package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/jobs"
)

// Config bounds what deliveries may cost.
type Config struct {
	// PublicURL is the address at which vendors reach this server, without a
	// slash at its end. While it is "", no webhook can be set up, and deliveries
	// are refused.
	PublicURL string
	// MaxBody is the largest delivery in bytes.
	MaxBody int64
	// MaxInFlight bounds the bytes of the deliveries that are being received.
	MaxInFlight int64
	// Rate is how many deliveries a second one webhook may take for long, in this
	// process.
	Rate int
	// MaxBacklog bounds the deliveries that wait for their runs to start.
	MaxBacklog int
	// Attempts is how often the runs of a delivery are tried to be started, and
	// Retry the pause after the first failure; it doubles each time, up to an hour.
	Attempts int
	Retry    time.Duration
	// Keep is how long deliveries are kept that are done with, which is also how
	// long repeated ones are recognized; KeepDead is that of those that failed.
	Keep     time.Duration
	KeepDead time.Duration
}

// Credentials are the stored credentials of users.
type Credentials interface {
	// Get gives a credential of a user, nil when there is none.
	Get(ctx context.Context, userID, id string) (core.Credential, error)
	// Hold reports, inside a transaction, whether the user has a credential of that
	// id. Until the transaction ends, it is not removed.
	Hold(tx *gorm.DB, userID, id string) (bool, error)
	// InstallationKey gives a secret of the installation, made at first use.
	InstallationKey(ctx context.Context, name string) (core.Secret, error)
}

// Triggers are what deliveries start.
type Triggers interface {
	// Linked gives the triggers of a webhook.
	Linked(ctx context.Context, webhookID string) ([]Trigger, error)
	// CountLinked counts them inside a transaction, those that are turned off too.
	CountLinked(tx *gorm.DB, webhookID string) (int, error)
	// LinkedAmong gives those of some webhooks that have triggers.
	LinkedAmong(ctx context.Context, webhookIDs []string) ([]string, error)
	// Unlink takes the triggers of a webhook from it, inside a transaction.
	Unlink(tx *gorm.DB, webhookID string) error
}

// Trigger is one thing that deliveries of a webhook start.
type Trigger interface {
	// ID identifies the trigger for good.
	ID() string
	// Fire starts a run with that id, unless there is one already. It reports false
	// when the trigger does not want the event. The kind of its error tells
	// whether another try may help: [core.Unavailable] and [core.Internal].
	Fire(ctx context.Context, e Event, runID string) (started bool, err error)
}

// Event is what triggers get of a delivery.
type Event struct {
	WebhookID string
	UserID    string
	Provider  string
	Type      string
	Payload   map[string]any
}

// Deps are what the service works with.
type Deps struct {
	DB          *db.DB
	Bus         bus.Bus
	Queue       *jobs.Queue
	Registry    *core.Registry
	Credentials Credentials
	// HTTP gives the client for requests of a provider.
	HTTP    func(provider string) core.Doer
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Service is the room's front door. It is safe for concurrent use.
type Service struct {
	Deps
	// Triggers must be set before Start.
	Triggers Triggers

	config  Config
	key     core.Secret
	limits  *limits
	intake  *intake
	metrics *metrics
	// refusals are told in the log now and then.
	refusals refusals
}

// Open makes the service and declares its jobs.
func Open(ctx context.Context, c Config, d Deps) (*Service, error) {
	s := &Service{Deps: d, config: c, metrics: newMetrics(d.Metrics)}
	if c.PublicURL != "" {
		var err error
		if s.key, err = d.Credentials.InstallationKey(ctx, "webhooks"); err != nil {
			return nil, fmt.Errorf("opening webhooks: %w", err)
		}
	}
	s.limits = newLimits(c, s.backlog)
	s.intake = newIntake(s.storeDeliveries)
	s.handleJobs()
	return s, nil
}

// Start begins to store deliveries and, when this process works, to clean up,
// until ctx ends.
func (s *Service) Start(ctx context.Context, work bool) {
	go s.intake.run(ctx)
	if work {
		go s.cleanUp(ctx)
	}
}

// secret gives what deliveries of a webhook are signed with: 64 hexadecimal
// digits. It follows from the installation's key and is stored nowhere.
func (s *Service) secret(id string) core.Secret {
	mac := hmac.New(sha256.New, []byte(s.key.Reveal()))
	mac.Write([]byte("webhook\x00" + id))
	return core.Secret(hex.EncodeToString(mac.Sum(nil)))
}

// manager gives a provider's side of webhooks.
func (s *Service) manager(provider string) (core.WebhookManager, bool) {
	p, ok := s.Registry.Provider(provider)
	if !ok || p.Webhooks == nil {
		return nil, false
	}
	return p.Webhooks, true
}
