package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newKeys(f *flags) *cobra.Command {
	return group("keys", "Look after the keys of stored secrets", newKeysReseal(f))
}

func newKeysReseal(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "reseal",
		Short: "Seal everything with the first key of encryption.keys, and say which keys can go",
		Long: "Servers do this in the background after a start with a new first key; the command is for those who want\n" +
			"to wait for the end. It can be stopped at any time, and goes on when it is run again.\n\n" +
			"The exit status is 0 when no stored secret needs the other keys any more.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return reseal(cmd, f) },
	}
}

func reseal(cmd *cobra.Command, f *flags) (err error) {
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	store, err := openCredentials(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	err = store.Reseal(ctx, progress(cmd.ErrOrStderr()))
	if ctx.Err() != nil {
		return errors.New("stopped before the end; run it again to go on")
	}
	if err != nil {
		// One line for each credential that does not open.
		fmt.Fprintln(cmd.ErrOrStderr(), err)
	}
	return store.report(ctx, cmd.OutOrStdout())
}

// resealLine is how many credentials go by between two lines of progress.
const resealLine = 1000

// progress writes how far it is.
func progress(w io.Writer) func(done, total int) {
	return func(done, total int) {
		if done%resealLine == 0 || done == total {
			fmt.Fprintf(w, "resealed %d of %d\n", done, total)
		}
	}
}

// report says which keys are needed. It is an error when another one than the
// first is.
func (s *credentialStore) report(ctx context.Context, w io.Writer) error {
	sealed, err := s.Sealed(ctx)
	if err != nil {
		return err
	}
	var idle, needed []string
	for i, name := range s.keys[1:] {
		if label := fmt.Sprintf("number %d (%s)", i+2, name); sealed[name] > 0 {
			needed = append(needed, fmt.Sprintf("%s, for %s", label, quantity(sealed[name], "credential")))
		} else {
			idle = append(idle, label)
		}
	}
	fmt.Fprintf(w, "sealed with the first key, %s: %s\n", s.keys[0], quantity(sealed[s.keys[0]], "credential"))
	if len(idle) > 0 {
		fmt.Fprintln(w, "not needed any more, may be removed from encryption.keys: "+strings.Join(idle, ", "))
	}
	if len(needed) > 0 {
		return fmt.Errorf("still needed in encryption.keys: %s; what they sealed is damaged, or a server with an older first key writes meanwhile",
			strings.Join(needed, "; "))
	}
	return nil
}
