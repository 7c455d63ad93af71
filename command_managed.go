package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"agentserver/core"
	"agentserver/core/managed"
	"agentserver/core/platform"
)

func newManaged(f *flags) *cobra.Command {
	cmd := group("managed", "Look after the credentials that the platform provisions for users",
		newManagedList(f), newManagedRetry(f), newManagedRevoke(f))
	cmd.Long = "Shows and steers the credentials that the platform provisions at vendors, one per user and provider.\n" +
		"The commands work beside a running server, which does what they ask for."
	return cmd
}

func newManagedList(f *flags) *cobra.Command {
	var filter managed.Filter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the credentials and what is under way",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return asGuest(cmd.Context(), f, func(ctx context.Context, p *platform.Platform) error {
				if filter.UserID != "" {
					var err error
					if filter.UserID, err = managedUser(ctx, p, filter.UserID); err != nil {
						return err
					}
				}
				return listManaged(ctx, p.Managed, filter, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().StringVar(&filter.UserID, "user", "", "only this user, by id or e-mail address")
	cmd.Flags().StringVar(&filter.Provider, "provider", "", "only this provider")
	cmd.Flags().BoolVar(&filter.Open, "open", false, "only those with something under way, or given up")
	return cmd
}

// listManaged prints one line for each user and provider.
func listManaged(ctx context.Context, s *managed.Service, filter managed.Filter, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "USER\tPROVIDER\tSTATE\tUSABLE\tATTEMPTS\tNEXT\tLAST ERROR")
	filter.Limit = 1000
	for {
		page, err := s.List(ctx, filter)
		if err != nil {
			return err
		}
		for _, e := range page {
			next := "-"
			if e.UnderWay {
				next = "under way"
			} else if !e.NextAt.IsZero() {
				next = e.NextAt.UTC().Format("2006-01-02 15:04:05Z")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%d\t%s\t%s\n", e.UserID, e.Provider, e.State, e.Stored, e.Attempts, next, e.LastError)
		}
		if len(page) < filter.Limit {
			return w.Flush()
		}
		filter.After = page[len(page)-1]
	}
}

func newManagedRetry(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "retry EMAIL_OR_ID PROVIDER",
		Short: "Make the next attempt at once, also at what was given up",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asGuest(cmd.Context(), f, func(ctx context.Context, p *platform.Platform) error {
				user, err := managedUser(ctx, p, args[0])
				if err == nil {
					err = p.Managed.Retry(ctx, user, args[1])
				}
				return announce(cmd.OutOrStdout(), p, "it is tried again", err)
			})
		},
	}
}

func newManagedRevoke(f *flags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "revoke EMAIL_OR_ID PROVIDER",
		Short: "Take a credential back, with all that the vendor holds under it",
		Long: "Nobody can use the credential from then on, and the vendor is asked to take it back until it confirms.\n" +
			"What the vendor holds for the user goes with it; at AgentMail, the pod with its inboxes and mail.\n" +
			"The user's next visit provisions another one, which is empty, unless the provider is turned off.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return core.Errorf(core.Invalid, "this deletes what %s holds for the user, for good; --yes does it", args[1])
			}
			return asGuest(cmd.Context(), f, func(ctx context.Context, p *platform.Platform) error {
				user, err := managedUser(ctx, p, args[0])
				if err == nil {
					err = p.Managed.Revoke(ctx, user, args[1])
				}
				return announce(cmd.OutOrStdout(), p, "nobody can use it any more; the vendor is asked to revoke it", err)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "really take it back")
	return cmd
}

// managedUser gives the id of a user who is named by an id or an address. An id
// need not have an account any more.
func managedUser(ctx context.Context, p *platform.Platform, who string) (string, error) {
	if !strings.Contains(who, "@") {
		return who, nil
	}
	id, _, err := p.Accounts.Lookup(ctx, who)
	return id, err
}

// announce says what a running server does next, or that none is known to run.
func announce(out io.Writer, p *platform.Platform, what string, err error) error {
	if err != nil {
		return err
	}
	if p.Config.Database.URL == "" && !p.DB.Guest() {
		what += ", when the server starts"
	}
	fmt.Fprintln(out, what)
	return nil
}

// asGuest gives a command the services, beside a server that may be running.
func asGuest(ctx context.Context, f *flags, do func(ctx context.Context, p *platform.Platform) error) error {
	c, err := f.load()
	if err != nil {
		return err
	}
	p, err := platform.New(ctx, c, platform.Options{Guest: true, Log: newLog(c)})
	if err != nil {
		return friendly(err)
	}
	return errors.Join(do(ctx, p), p.Close(ctx))
}
