package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"agentserver/config"
	"agentserver/core/account"
	"agentserver/core/db"
	"agentserver/core/platform"
	"agentserver/server"
)

func newServe(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Start the server: the API and, in the same process, a worker",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), f) },
	}
}

// serve runs the API and a worker until a signal ends it.
func serve(ctx context.Context, f *flags) error {
	c, err := f.load()
	if err != nil {
		return err
	}
	log := newLog(c)
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	ctx, stop := untilSignal(ctx)
	defer stop()
	p, err := platform.New(ctx, c, platform.Options{Work: true, Log: log})
	if err != nil {
		return friendly(err)
	}
	api, err := server.New(p)
	if err != nil {
		return errors.Join(err, p.Close(ctx))
	}
	if err := p.Start(ctx); err != nil {
		return errors.Join(err, p.Close(ctx))
	}
	banner(p, listener.Addr().String())
	return errors.Join(serveHTTP(ctx, listener, api, log), closePlatform(c, p))
}

// listen takes the port before anything else is touched.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is already in use: stop what uses it, or choose another with --listen or AGENTSERVER_LISTEN", address)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

// untilSignal ends the context at the first interrupt or termination; a second
// one ends the process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		<-signals
		os.Exit(1)
	}()
	return ctx, cancel
}

// httpGrace is how long requests may take to end after a signal.
const httpGrace = 5 * time.Second

// serveHTTP answers requests until ctx ends, and then lets those under way
// end.
func serveHTTP(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping")
	limited, cancel := context.WithTimeout(context.Background(), httpGrace)
	defer cancel()
	if err := srv.Shutdown(limited); err != nil {
		return srv.Close()
	}
	return nil
}

func closePlatform(c *config.Config, p *platform.Platform) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.Worker.ShutdownTimeout)
	defer cancel()
	return p.Close(ctx)
}

// friendly words errors that every user meets sooner or later.
func friendly(err error) error {
	var locked *db.LockedError
	if errors.As(err, &locked) {
		return fmt.Errorf("%w; stop it, or choose another folder with --data-dir", err)
	}
	return err
}

// banner tells a person at a terminal where to go. With a key of our own
// making, it includes a token to try things with.
func banner(p *platform.Platform, address string) {
	base := "http://" + address
	p.Log.Info("agentserver is ready", "url", base, "docs", base+"/docs", "database", p.DB.Engine, "version", version())
	if p.Config.Auth.JWTKey != "" || p.Signer == nil || !isLoopback(address) || !isTerminal(os.Stderr) {
		return
	}
	token, err := p.Signer.Token(identityOf("admin@localhost", true), 24*time.Hour)
	if err != nil {
		p.Log.Warn("no token for the start message", "error", err)
		return
	}
	fmt.Fprintf(os.Stderr, `
  API    %s/api        docs %s/docs
  Token  %s

  curl -H "Authorization: Bearer $(agentserver token --email you@example.com)" %s/api/graphs

`, base, base, token, base)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func identityOf(email string, admin bool) account.Identity {
	role := "authenticated"
	if admin {
		role = account.RoleAdmin
	}
	return account.Identity{UserID: userID(email), Email: email, Role: role}
}
