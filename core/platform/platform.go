package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"gocloud.dev/blob"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/builder"
	"agentserver/core/bus"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/execution"
	"agentserver/core/graph"
	"agentserver/core/jobs"
	"agentserver/core/library"
	"agentserver/core/llm"
	"agentserver/core/managed"
	"agentserver/core/preset"
	"agentserver/core/webhook"
	"agentserver/core/workspace"
)

// Platform holds the services of one process.
type Platform struct {
	Config      *config.Config
	Log         *slog.Logger
	Metrics     *prometheus.Registry
	DB          *db.DB
	Bus         bus.Bus
	Registry    *core.Registry
	Accounts    *account.Service
	Verifier    *account.Verifier
	Signer      *account.Signer // nil unless tokens are signed with a shared secret
	Credentials *credential.Service
	Managed     *managed.Service
	Webhooks    *webhook.Service
	Presets     *preset.Service
	Library     *library.Service
	Graphs      *graph.Service
	Executions  *execution.Service
	Workspace   *workspace.Service
	Files       *workspace.Files
	Builder     *builder.Service

	outbound   *outbound
	bucket     *blob.Bucket
	works      bool
	background context.Context // ends with the platform
	cancel     context.CancelFunc
}

// Options choose what a process does.
type Options struct {
	// Work takes runs; a process that does not only starts them.
	Work bool
	// Guest is for commands that work beside a running server; see
	// [db.Options]. A platform whose database is a guest must not be started.
	Guest bool
	Log   *slog.Logger
	// Registry holds the providers; nil means core.Default.
	Registry *core.Registry
	Deletion DeletionOptions
}

// New opens the database, brings it up to date and builds the services.
// Nothing runs before Start. Close undoes it.
func New(ctx context.Context, c *config.Config, o Options) (p *Platform, err error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Registry == nil {
		o.Registry = core.Default
	}
	background, cancel := context.WithCancel(context.Background())
	p = &Platform{Config: c, Log: o.Log, Metrics: prometheus.NewRegistry(), works: o.Work, background: background, cancel: cancel}
	defer func() {
		if err != nil {
			_ = p.release()
			p = nil
		}
	}()
	p.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if p.Registry, err = ActiveProviders(c, o.Registry); err != nil {
		return p, err
	}
	p.outbound = newOutbound(p.Registry, c.HTTP.TrustedHosts)
	if err = p.openStores(ctx, o.Guest); err != nil {
		return p, err
	}
	if err = p.openAuth(background); err != nil {
		return p, err
	}
	if err = p.build(ctx, o); err != nil {
		return p, err
	}
	err = p.startProviders(ctx, background)
	return p, err
}

func (p *Platform) openStores(ctx context.Context, guest bool) error {
	var err error
	p.DB, err = openDatabase(ctx, p.Config, p.Log, guest)
	if err != nil {
		return err
	}
	if err := p.DB.Migrate(ctx); err != nil {
		return err
	}
	url := p.Config.Redis.URL.Reveal()
	if url == "" {
		p.Bus = bus.NewLocal()
		return nil
	}
	redis, err := bus.NewRedis(url)
	if err != nil {
		return err
	}
	p.Bus = redis
	return nil
}

// OpenDatabase opens the database that the configuration names.
func OpenDatabase(ctx context.Context, c *config.Config, log *slog.Logger) (*db.DB, error) {
	return openDatabase(ctx, c, log, false)
}

func openDatabase(ctx context.Context, c *config.Config, log *slog.Logger, guest bool) (*db.DB, error) {
	return db.Open(ctx, db.Options{
		URL: c.Database.URL.Reveal(), DataDir: c.DataDir, MaxConns: c.Database.MaxConns, Log: log, Guest: guest,
	})
}

// openAuth prepares the checking of tokens. Without a configured key, one is
// made and kept in the data folder.
func (p *Platform) openAuth(background context.Context) error {
	key, err := SigningKey(p.Config)
	if err != nil {
		return err
	}
	shared := p.Config.Auth.JWKSURL == "" && p.Config.Auth.JWTAlgorithm[:2] == "HS"
	if shared {
		warning, err := account.CheckSecret(key)
		if err != nil {
			return err
		}
		if warning != "" {
			p.Log.Warn(warning)
		}
		if p.Signer, err = account.NewSigner(p.Config.Auth.JWTAlgorithm, key); err != nil {
			return err
		}
	}
	p.Verifier, err = account.NewVerifier(background, account.VerifierOptions{
		Algorithm: p.Config.Auth.JWTAlgorithm, Key: key, JWKSURL: p.Config.Auth.JWKSURL,
	})
	return err
}

func (p *Platform) build(ctx context.Context, o Options) error {
	p.Accounts = account.NewService(p.DB)
	ring, err := KeyRing(p.Config)
	if err != nil {
		return err
	}
	if p.Credentials, err = credential.Open(ctx, p.DB, ring, p.Registry, credential.Options{
		HTTP: p.outbound.of, Bus: p.Bus, FrontendURL: p.Config.FrontendURL, Log: p.Log,
	}); err != nil {
		return err
	}
	p.Library = library.New(p.DB)
	p.Graphs = graph.New(p.DB, p.Registry, p.Library, p.Credentials)
	c := p.Config
	queue, err := jobs.New(p.DB, p.Log)
	if err != nil {
		return err
	}
	p.Managed = managed.New(managed.Config{Wait: c.Managed.Wait, Retry: c.Managed.Retry, Grace: c.Managed.Grace}, managed.Deps{
		DB: p.DB, Bus: p.Bus, Queue: queue, Registry: p.Registry, Credentials: p.Credentials, Alive: p.Accounts.Alive,
		Log: p.Log, Metrics: p.Metrics,
	})
	if err := p.openFiles(ctx); err != nil {
		return err
	}
	p.Executions = execution.New(execution.Config{
		MaxRuns: c.Worker.MaxRuns, MaxNodesPerRun: c.Worker.MaxNodesPerRun,
		MaxRunsPerUserGraph: c.Worker.MaxRunsPerUserGraph, MaxNodeRuns: c.Run.MaxNodeExecutions,
		HeartbeatTimeout: c.Worker.HeartbeatTimeout, Work: p.works,
	}, execution.Deps{
		DB: p.DB, Bus: p.Bus, Queue: queue, Registry: p.Registry, Graphs: p.Graphs, Library: p.Library, Credentials: p.Credentials,
		Services: execution.Services{
			HTTP: p.outbound.of, Dial: p.outbound.dialer, Models: llm.New(p.Registry, modelHTTP(p.Registry)), Files: p.Files,
		},
		Log: p.Log, Metrics: p.Metrics, FrontendURL: c.FrontendURL,
	})
	if err := p.buildWebhooks(ctx, queue); err != nil {
		return err
	}
	p.Graphs.BeforeDelete = p.Executions.StopGraph
	p.Builder = builder.New(builder.Deps{
		DB: p.DB, Registry: p.Registry, Library: p.Library, Use: p.Executions.BlockUse, Log: p.Log, Background: p.background,
	})
	p.handleDeletions(queue, o.Deletion)
	return nil
}

// buildWebhooks builds what lets outside events start agents.
func (p *Platform) buildWebhooks(ctx context.Context, queue *jobs.Queue) (err error) {
	c := p.Config.Webhooks
	p.Webhooks, err = webhook.Open(ctx, webhook.Config{
		PublicURL: p.Config.PublicURL, MaxBody: int64(c.MaxBody), MaxInFlight: int64(max(c.MaxInFlight, c.MaxBody)), Rate: c.Rate,
		MaxBacklog: c.MaxBacklog, Attempts: c.Attempts, Retry: c.Retry, Keep: c.Keep, KeepDead: c.KeepDead,
	}, webhook.Deps{
		DB: p.DB, Bus: p.Bus, Queue: queue, Registry: p.Registry, Credentials: p.Credentials, HTTP: p.outbound.of, Log: p.Log, Metrics: p.Metrics,
	})
	if err != nil {
		return err
	}
	p.Presets = preset.Open(preset.Deps{
		DB: p.DB, Registry: p.Registry, Graphs: p.Graphs, Executions: p.Executions, Webhooks: p.Webhooks, Accounts: p.Accounts, Log: p.Log,
	})
	p.Webhooks.Triggers = p.Presets
	p.Graphs.Triggers = p.Presets
	p.Credentials.BeforeDelete = p.Webhooks.CredentialGoes
	p.Credentials.InUse = p.Webhooks.LiveOf
	return nil
}

// Start begins the work of the process.
func (p *Platform) Start(ctx context.Context) error {
	go p.reseal()
	p.Accounts.Listen(p.background)
	p.Managed.Start(p.background, p.works)
	p.Webhooks.Start(p.background, p.works)
	if p.works {
		p.Workspace.Start(p.background)
	}
	return p.Executions.Open(ctx)
}

// reseal seals with the present key what was sealed with an earlier one. It goes
// on at the next start when it is interrupted.
func (p *Platform) reseal() {
	moved := 0
	err := p.Credentials.Reseal(p.background, func(done, _ int) { moved = done })
	switch {
	case err != nil && p.background.Err() == nil:
		p.Log.Error("stored credentials are not all sealed with the present key", "error", err)
	case moved > 0:
		p.Log.Info("stored credentials are sealed with the present key", "credentials", moved)
	}
}

// Close lets runs end until ctx ends, hands the others over, and closes what
// New opened.
func (p *Platform) Close(ctx context.Context) error {
	p.Executions.Close(ctx)
	return p.release()
}

func (p *Platform) release() error {
	p.cancel()
	var errs []error
	if p.Credentials != nil {
		p.Credentials.Close()
	}
	if p.Builder != nil {
		p.Builder.Close()
	}
	if p.Files != nil {
		errs = append(errs, p.Files.Close())
	}
	if p.bucket != nil {
		errs = append(errs, p.bucket.Close())
	}
	if p.Bus != nil {
		errs = append(errs, p.Bus.Close())
	}
	if p.DB != nil {
		errs = append(errs, p.DB.Close())
	}
	return errors.Join(errs...)
}

func providerError(name string, err error) error { return fmt.Errorf("provider %s: %w", name, err) }
