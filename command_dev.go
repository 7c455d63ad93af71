package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"

	"github.com/spf13/cobra"

	"agentserver/core"
	"agentserver/providers/agentmail/agentmailtest"
)

func newDev() *cobra.Command {
	return group("dev", "Stand-ins for vendors, to develop without an account", newDevAgentMail())
}

// developmentKey is made up; it opens nothing but the stand-in.
const developmentKey = "am_dev_organisation_key"

// bearerToken is what fits into an Authorization header and, unquoted, into a
// shell.
var bearerToken = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`)

func newDevAgentMail() *cobra.Command {
	var address, key string
	cmd := &cobra.Command{
		Use:   "agentmail",
		Short: "Start an AgentMail that keeps everything in memory and sends no mail",
		Long: "Answers as the API of AgentMail does, for one organisation, and forgets everything at its end.\n" +
			"Mail to one of its own inboxes arrives there. Requests are logged on standard error, without their keys.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return devAgentMail(cmd, address, key) },
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8181", "address and port to listen on")
	cmd.Flags().StringVar(&key, "key", developmentKey, "key of the organisation; do not give a real one")
	return cmd
}

func devAgentMail(cmd *cobra.Command, address, key string) error {
	if !bearerToken.MatchString(key) {
		return core.Errorf(core.Invalid, "--key needs letters, digits or the characters . _ ~ + / = -")
	}
	listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen there: %w; choose another address with --listen", err)
	}
	defer listener.Close()
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	base := "http://" + reachable(listener.Addr().String())
	fmt.Fprintf(cmd.ErrOrStderr(), `AgentMail for development is at %[1]s

Point agentserver at it:
  export AGENTMAIL_API_KEY=%[2]s
  export AGENTMAIL_BASE_URL=%[1]s

See what it holds:
  curl %[1]s/_admin/tally
  curl %[1]s/_admin/requests

`, base, key)
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	return serveHTTP(ctx, listener, logRequests(log, agentmailtest.New(key)), log)
}

// reachable gives an address that a client on this machine can use.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// logRequests writes a line for each request: method, path and status, which is
// 0 when the connection was dropped without an answer. Queries, headers and
// bodies may hold secrets and are left out.
func logRequests(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: w}
		defer func() {
			log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelInfo, "request",
				slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()), slog.Int("status", seen.status))
		}()
		next.ServeHTTP(seen, r)
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}
