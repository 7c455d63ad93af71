package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/credential"
)

func newImport(f *flags) *cobra.Command {
	return group("import", "Bring over data from an AutoGPT Platform", newImportCredentials(f))
}

func newImportCredentials(f *flags) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "credentials",
		Short: "Store the credentials that users have in an AutoGPT Platform",
		Long: "Reads users' credentials from the database of an AutoGPT Platform, or from a CSV file with its columns id\n" +
			"and integrations, and stores them here, sealed with the first key of encryption.keys. The key that sealed\n" +
			"them there, its ENCRYPTION_KEY, is read from " + config.ImportKey + " or from a file.\n\n" +
			"What is stored already is left as it is, so the command can be run again. A credential that cannot be\n" +
			"stored does not stop the others; standard error names it, and the exit status is 1.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return importCredentials(cmd, f, o) },
	}
	cmd.Flags().StringVar(&o.file, "file", "", "CSV file with a header; - is standard input")
	cmd.Flags().StringVar(&o.from, "from", "", "postgres:// address of the database, with ?schema=platform where that is its schema")
	cmd.Flags().StringVar(&o.keyFile, "key-file", "", "file with the key; without it "+config.ImportKey+" holds the key")
	cmd.Flags().BoolVar(&o.dry, "dry-run", false, "store nothing, and say what would be stored")
	cmd.MarkFlagsOneRequired("file", "from")
	cmd.MarkFlagsMutuallyExclusive("file", "from")
	return cmd
}

type importOptions struct {
	file, from, keyFile string
	dry                 bool
}

func importCredentials(cmd *cobra.Command, f *flags, o importOptions) (err error) {
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	key, err := importKey(o.keyFile)
	if err != nil {
		return err
	}
	rows, closeSource, err := openImportSource(ctx, cmd.InOrStdin(), o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	store, err := openCredentials(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	i := &credentialImport{store: store.Service, accounts: account.NewService(store.db), key: key, dry: o.dry, notes: cmd.ErrOrStderr()}
	err = i.all(ctx, rows)
	i.summary(cmd.OutOrStdout())
	switch {
	case err != nil:
		return fmt.Errorf("the import stopped, and can be run again: %w", err)
	case i.failed > 0:
		return errors.New("not everything could be imported; the lines above say what, and why")
	}
	return nil
}

// importKey reads the key from a file, or from the environment. It is never a
// flag, because lists of processes show those.
func importKey(file string) (credential.RecordKey, error) {
	text := os.Getenv(config.ImportKey)
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return credential.RecordKey{}, fmt.Errorf("reading the key: %w", err)
		}
		text = string(data)
	}
	if strings.TrimSpace(text) == "" {
		return credential.RecordKey{}, core.Errorf(core.Invalid,
			"the key is missing: put the ENCRYPTION_KEY of the AutoGPT Platform into %s, or into a file for --key-file", config.ImportKey)
	}
	return credential.ParseRecordKey(core.Secret(text))
}

// credentialImport is one run of the command.
type credentialImport struct {
	store    *credential.Service
	accounts *account.Service
	key      credential.RecordKey
	dry      bool
	notes    io.Writer

	users, added, present, skipped, failed, ayrshare int
}

// progressEvery is how many users go by between two lines of progress.
const progressEvery = 1000

// all imports row by row. Its error ends the import.
func (i *credentialImport) all(ctx context.Context, rows importRows) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		if row.problem != "" {
			i.fail(row.problem)
			continue
		}
		i.users++
		if err := i.user(ctx, row); err != nil {
			return err
		}
		if i.users%progressEvery == 0 {
			fmt.Fprintf(i.notes, "%d users done\n", i.users)
		}
	}
	return nil
}

// user imports the credentials of one user.
func (i *credentialImport) user(ctx context.Context, row importRow) error {
	record, err := i.key.Open(row.integrations)
	if err != nil {
		i.fail(fmt.Sprintf("user %q: %v", row.userID, err))
		return nil
	}
	if record.AyrshareProfile {
		i.ayrshare++
	}
	left, err := i.accounts.Left(ctx, row.userID)
	if err != nil {
		return err
	}
	if left {
		i.skipped += len(record.Credentials)
		fmt.Fprintf(i.notes, "user %q is skipped: the account was deleted here\n", row.userID)
		return nil
	}
	var result credential.Imported
	if len(record.Credentials) > 0 {
		result, err = i.store.Import(ctx, row.userID, record.Credentials, i.dry)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		i.fail(fmt.Sprintf("user %q: %v", row.userID, err))
		return nil
	}
	i.added += result.Added
	i.present += result.Present
	i.skipped += len(result.Skipped)
	for _, note := range result.Skipped {
		fmt.Fprintf(i.notes, "user %q, credential %q is skipped: %s\n", row.userID, note.ID, note.Reason)
	}
	for _, note := range append(record.Failed, result.Failed...) {
		i.fail(fmt.Sprintf("user %q, credential %q: %s", row.userID, note.ID, note.Reason))
	}
	return nil
}

func (i *credentialImport) fail(line string) {
	i.failed++
	fmt.Fprintln(i.notes, line)
}

func (i *credentialImport) summary(w io.Writer) {
	if i.ayrshare > 0 {
		fmt.Fprintf(w, "profile keys of Ayrshare, left behind because there is no such provider here: %d\n", i.ayrshare)
	}
	imported := "imported"
	if i.dry {
		imported = "would be imported"
	}
	fmt.Fprintf(w, "users: %d, %s: %d, already there: %d, skipped: %d, failed: %d\n",
		i.users, imported, i.added, i.present, i.skipped, i.failed)
}
