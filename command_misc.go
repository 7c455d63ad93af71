package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/platform"
	"agentserver/server"
)

func newMigrate(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database up to date and say which version it has",
		Long:  "serve and worker do this on their own; the command is for those who want it as a step of its own.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			d, err := platform.OpenDatabase(cmd.Context(), c, newLog(c))
			if err != nil {
				return friendly(err)
			}
			defer d.Close()
			if err := d.Migrate(cmd.Context()); err != nil {
				return err
			}
			current, _, err := d.SchemaVersion(cmd.Context())
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "the %s database is at version %d\n", d.Engine, current)
			}
			return err
		},
	}
}

// tokenSpace makes the user id of an address, so that every token for it is
// for the same user.
var tokenSpace = uuid.MustParse("0b6d3c52-6d53-4f0f-9d0e-6a7f0a3d5f10")

func userID(email string) string {
	return uuid.NewSHA1(tokenSpace, []byte(strings.ToLower(strings.TrimSpace(email)))).String()
}

func newToken(f *flags) *cobra.Command {
	var email string
	var admin bool
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print a bearer token for a user",
		Long: "Prints a token for the user with that address, and nothing else. The token is signed with the\n" +
			"configured key, or with the one of the data folder, so it is for servers that use the same.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !strings.Contains(email, "@") {
				return core.Errorf(core.Invalid, "--email needs an e-mail address")
			}
			if ttl <= 0 {
				return core.Errorf(core.Invalid, "--ttl needs a time such as 24h")
			}
			c, err := f.load()
			if err != nil {
				return err
			}
			if c.Auth.JWKSURL != "" || !strings.HasPrefix(c.Auth.JWTAlgorithm, "HS") {
				return core.Errorf(core.Invalid, "tokens are checked with public keys here, so only their issuer can make them")
			}
			key, err := platform.SigningKey(c)
			if err != nil {
				return err
			}
			signer, err := account.NewSigner(c.Auth.JWTAlgorithm, key)
			if err != nil {
				return err
			}
			token, err := signer.Token(identityOf(email, admin), ttl)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), token)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&email, "email", "", "address of the user")
	cmd.Flags().BoolVar(&admin, "admin", false, "make it a token of an administrator")
	cmd.Flags().DurationVar(&ttl, "ttl", 24*time.Hour, "how long the token is good")
	return cmd
}

func newOpenAPI(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the OpenAPI document of the API",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			doc, err := server.Describe(c, core.Default)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), string(doc))
			return nil
		},
	}
}

func newHealth(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Ask the server at the configured address whether it is well; for container health checks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			return askHealth(cmd.Context(), c.Listen)
		},
	}
}

func askHealth(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return core.Errorf(core.Unavailable, "the server answers with status %d", res.StatusCode)
	}
	return nil
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), version())
			return nil
		},
	}
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "development"
}
