package execution

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/db"
	"agentserver/core/graph"
	"agentserver/core/jobs"
)

// Service is the room's front door.
type Service struct {
	store   store
	db      *db.DB
	graphs  *graph.Service
	library graph.Library
	worker  *Worker
	bus     bus.Bus
	log     *slog.Logger
	metrics *metrics
	// shareBase is the address that share links start with.
	shareBase string

	journalDone chan struct{}
	stopJournal context.CancelFunc
}

// Deps are what the service works with.
type Deps struct {
	DB          *db.DB
	Bus         bus.Bus
	Queue       *jobs.Queue
	Registry    *core.Registry
	Graphs      *graph.Service
	Library     graph.Library
	Credentials CredentialSource
	Services    Services
	Log         *slog.Logger
	Metrics     prometheus.Registerer
	// FrontendURL is where the web client is found, for share links.
	FrontendURL string
}

// New makes the service. Nothing runs before Open.
func New(config Config, d Deps) *Service {
	m := newMetrics(d.Metrics)
	j := newJournal(d.DB, d.Queue, d.Log, m)
	if d.Services.Store == nil {
		d.Services.Store = values{d.DB}
	}
	if d.Services.Review == nil {
		d.Services.Review = reviews{d.DB}
	}
	w := newWorker(config, d.DB, d.Bus, d.Registry, d.Graphs, d.Credentials, d.Services, d.Queue, j, d.Log, m)
	s := &Service{
		store: store{d.DB}, db: d.DB, graphs: d.Graphs, library: d.Library, worker: w, bus: d.Bus, log: d.Log,
		metrics: m, shareBase: d.FrontendURL, journalDone: make(chan struct{}),
	}
	if s.shareBase == "" {
		s.shareBase = "http://localhost:3000"
	}
	w.starter = s
	jobs.Handle(d.Queue, w.fromQueue)
	d.Queue.Line(runLine, config.MaxRuns)
	d.Queue.Line(nestedLine, maxNested)
	return s
}

// Open starts the journal and, if the process works, the taking of runs.
func (s *Service) Open(ctx context.Context) error {
	journalCtx, cancel := context.WithCancel(context.Background())
	s.stopJournal = cancel
	go func() {
		defer close(s.journalDone)
		s.worker.journal.run(journalCtx)
	}()
	return s.worker.start(ctx)
}

// Close lets runs end until ctx ends, hands the others over and writes what is
// left.
func (s *Service) Close(ctx context.Context) {
	s.worker.stop(ctx)
	if s.stopJournal != nil {
		s.stopJournal()
		<-s.journalDone
	}
}

// Working reports whether this process takes runs.
func (s *Service) Working() bool {
	s.worker.mu.Lock()
	defer s.worker.mu.Unlock()
	return s.worker.config.Work && !s.worker.draining
}

// Check reports whether runs can be started and, in a process that works,
// whether its worker is registered.
func (s *Service) Check(ctx context.Context) error {
	if !s.Working() {
		return nil
	}
	var n int64
	err := s.db.Read.WithContext(ctx).Model(&workerRow{}).Where("id = ?", s.worker.id).Count(&n).Error
	if err != nil {
		return err
	}
	if n == 0 {
		return core.Errorf(core.Unavailable, "the worker is not registered")
	}
	return nil
}
