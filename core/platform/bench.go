package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/google/uuid"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/llm"
	"agentserver/core/workspace"
)

// A Bench runs single blocks without a database, for people who try them out.
// Blocks have the guarded clients of a server, language models and files; what
// they store for later is forgotten, other agents and reviews are not there.
// Nothing is written to the data folder.
type Bench struct {
	// Registry holds the providers that the configuration leaves on.
	Registry *core.Registry

	parts  *Platform // the parts of a platform that need no database
	files  *workspace.Files
	temp   string
	cancel context.CancelFunc
}

// NewBench makes a bench of the providers in all. Close removes what it has put
// on disk.
func NewBench(c *config.Config, all *core.Registry, log *slog.Logger) (*Bench, error) {
	active, err := ActiveProviders(c, all)
	if err != nil {
		return nil, err
	}
	background, cancel := context.WithCancel(context.Background())
	b := &Bench{
		Registry: active, cancel: cancel,
		parts: &Platform{Config: c, Log: log, Registry: active, outbound: newOutbound(active, c.HTTP.TrustedHosts), background: background},
	}
	if b.temp, err = os.MkdirTemp(c.Files.TempDir, "agentserver-"); err != nil {
		return nil, errors.Join(fmt.Errorf("making a folder for temporary files: %w", err), b.Close())
	}
	b.files, err = workspace.OpenFiles(workspace.Options{
		HTTP: b.parts.outbound.files, TempDir: b.temp, MaxFile: int64(c.Files.MaxFile), MaxRun: int64(c.Files.MaxRunTemp),
	})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Run runs a block on inputs, which are coerced as in an agent; credentials among
// them are opened ones. Errors are those of [core.Execute].
func (b *Bench) Run(ctx context.Context, block core.Block, in core.Values, emit core.Emit) error {
	spec := block.Spec()
	if p, ok := b.Registry.Provider(spec.Provider); ok {
		if err := b.parts.startProvider(ctx, b.parts.background, p); err != nil {
			return err
		}
	}
	in, err := spec.Coerce(in)
	if err != nil {
		return err
	}
	run := &core.Run{
		UserID: uuid.NewString(), GraphExecID: uuid.NewString(), NodeID: uuid.NewString(), NodeExecID: uuid.NewString(),
		Log: b.parts.Log, HTTP: b.parts.outbound.of(spec.Provider), Dial: b.parts.outbound.dialer, Store: forgetful{},
		Models: llm.New(b.Registry, modelHTTP(b.Registry)), Files: b.files,
	}
	return errors.Join(core.Execute(ctx, block, run, in, emit), b.files.Release(run))
}

// Close ends what the bench's providers have started, and removes its files.
func (b *Bench) Close() error {
	b.cancel()
	var errs []error
	if b.files != nil {
		errs = append(errs, b.files.Close())
	}
	if b.temp != "" {
		errs = append(errs, os.RemoveAll(b.temp))
	}
	return errors.Join(errs...)
}

// forgetful is a store of values that keeps none.
type forgetful struct{}

func (forgetful) Load(context.Context, string, string) (any, bool, error) { return nil, false, nil }

func (forgetful) Save(context.Context, string, string, string, any) error { return nil }
