package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/platform"
)

func newUsers(f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Delete accounts, and see how far that is",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newUsersDelete(f), newUsersDeletions(f))
	return cmd
}

func newUsersDelete(f *flags) *cobra.Command {
	var yes bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "delete EMAIL_OR_ID",
		Short: "Delete an account with everything that belongs to it",
		Long: "Without --yes the command only says what would be deleted.\n" +
			"It shows each step and waits for the end. A deletion that has begun goes on in any server or\n" +
			"worker of the database, also when the command is interrupted.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			if !yes {
				return showHoldings(cmd, c, args[0])
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			if timeout > 0 {
				limited, cancel := context.WithTimeout(ctx, timeout)
				defer cancel()
				ctx = limited
			}
			return deleteUser(ctx, cmd.OutOrStdout(), c, args[0])
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "really delete the account")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait for the end, such as 5m; 0 waits as long as it takes")
	return cmd
}

// openQuietly builds a platform that says nothing about itself, beside a server
// that may be running.
func openQuietly(ctx context.Context, c *config.Config, o platform.Options) (*platform.Platform, error) {
	o.Log, o.Guest = quietLog(c), true
	return platform.New(ctx, c, o)
}

func showHoldings(cmd *cobra.Command, c *config.Config, who string) (err error) {
	p, err := openQuietly(cmd.Context(), c, platform.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closePlatform(c, p)) }()
	id, email, err := p.Accounts.Lookup(cmd.Context(), who)
	if err != nil {
		return err
	}
	h, err := p.Holdings(cmd.Context(), id)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s (%s) has %s, %s and %s\n", email, id,
		quantity(h.Agents, "agent"), quantity(h.Runs, "run"), quantity(h.Credentials, "credential"))
	return core.Errorf(core.Invalid, "nothing was deleted; --yes deletes the account with all of it")
}

func quantity(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// deleteUser begins a deletion, or finds it begun, and waits for its end. Unless
// a server has the data folder, it works on the deletion as servers do.
func deleteUser(ctx context.Context, out io.Writer, c *config.Config, who string) (err error) {
	o := platform.Options{Work: true}
	if c.Database.URL == "" {
		// One process has the data folder, so no other one can still have the user
		// in mind. If it is a server, it waits all the same.
		o.Deletion.Settle = time.Nanosecond
	}
	p, err := openQuietly(ctx, c, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closePlatform(c, p)) }()
	id, _, err := p.Accounts.Lookup(ctx, who)
	if err != nil {
		return err
	}
	if !p.DB.Guest() {
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	deletion, err := p.Accounts.Delete(ctx, id, "cli")
	if err != nil {
		return err
	}
	return watchDeletion(ctx, out, p.Accounts, deletion.ID)
}

// watchDeletion prints each step as it changes.
func watchDeletion(ctx context.Context, out io.Writer, accounts *account.Service, id string) error {
	const look = 50 * time.Millisecond
	printed := map[string]account.StepState{}
	for {
		r, err := accounts.Deletion(ctx, id)
		if ctx.Err() != nil {
			return core.Errorf(core.Unavailable, "the deletion is not finished; it goes on while a server or worker runs (agentserver users deletions)")
		}
		if err != nil {
			return err
		}
		for _, s := range r.Steps {
			if s.State != account.StepPending && s.State != printed[s.Name] {
				printed[s.Name] = s.State
				fmt.Fprintln(out, strings.TrimSpace(fmt.Sprintf("%-32s%s  %s", s.Name, s.State, s.Error)))
			}
		}
		if r.State == account.DeletionFinished {
			fmt.Fprintln(out, "the account is deleted")
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(look):
		}
	}
}

func newUsersDeletions(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "deletions",
		Short: "List the deletions of accounts, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := f.load()
			if err != nil {
				return err
			}
			p, err := openQuietly(cmd.Context(), c, platform.Options{})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, closePlatform(c, p)) }()
			return printDeletions(cmd.Context(), cmd.OutOrStdout(), p.Accounts)
		},
	}
}

func printDeletions(ctx context.Context, out io.Writer, accounts *account.Service) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tUSER\tSTATE\tREQUESTED\tBY\tFINISHED\tWAITS FOR")
	for filter := (account.DeletionFilter{Limit: 100}); ; {
		page, err := accounts.Deletions(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page.Deletions {
			d := &page.Deletions[i]
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.UserID, d.State, d.RequestedAt, d.RequestedBy, orDash(d.FinishedAt.String()), waitsFor(d))
		}
		if page.NextCursor == nil {
			return table.Flush()
		}
		filter.Cursor = *page.NextCursor
	}
}

// waitsFor names what a deletion has before it.
func waitsFor(d *account.DeletionRecord) string {
	for _, s := range d.Steps {
		switch s.State {
		case account.StepPending:
			return s.Name
		case account.StepFailing:
			return s.Name + ": " + s.Error
		}
	}
	if d.RevocationsPending > 0 {
		return quantity(d.RevocationsPending, "revocation")
	}
	return "-"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
