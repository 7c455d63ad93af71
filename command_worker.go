package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"agentserver/core"
	"agentserver/core/platform"
	"agentserver/server"
)

func newWorker(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "worker",
		Short: "Start a process that only runs agents, beside servers that share its database",
		Long: "A worker takes runs from the database that it shares with servers and other workers,\n" +
			"so it needs Postgres. With --listen it answers /health and /metrics there.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return work(cmd.Context(), f) },
	}
}

func work(ctx context.Context, f *flags) error {
	c, err := f.load()
	if err != nil {
		return err
	}
	if c.Database.URL == "" {
		return core.Errorf(core.Invalid, "a worker needs a Postgres database that it shares with a server: set database.url (AGENTSERVER_DATABASE_URL)")
	}
	log := newLog(c)
	ctx, stop := untilSignal(ctx)
	defer stop()
	p, err := platform.New(ctx, c, platform.Options{Work: true, Log: log})
	if err != nil {
		return err
	}
	if err := p.Start(ctx); err != nil {
		return errors.Join(err, p.Close(ctx))
	}
	if c.Files.URL == "" {
		log.Warn("files.url is not set, so that other processes do not find the files that runs make here", "folder", c.DataDir)
	}
	log.Info("the worker is ready", "version", version())
	if !f.cmd.PersistentFlags().Changed("listen") {
		<-ctx.Done()
		return closePlatform(c, p)
	}
	listener, err := listen(c.Listen)
	if err != nil {
		return errors.Join(err, closePlatform(c, p))
	}
	var handler http.Handler = server.NewProbe(p)
	return errors.Join(serveHTTP(ctx, listener, handler, log), closePlatform(c, p))
}
