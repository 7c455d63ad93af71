package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agentserver/core"
	"agentserver/core/platform"
)

// maxTryInput bounds the inputs that are read, in bytes.
const maxTryInput = 64 << 20

// blockTry are the options of the try command.
type blockTry struct {
	input       string
	credentials []string
	timeout     time.Duration
}

func newBlocksTry(f *flags) *cobra.Command {
	t := &blockTry{}
	cmd := &cobra.Command{
		Use:   "try NAME|ID",
		Short: "Run one block on this machine, without a server and without a database",
		Long: "Runs the block and prints each output, as it comes, as a line of JSON: {\"pin\": …, \"value\": …}.\n" +
			"What the block would store for later runs is forgotten. The exit status is 0 only when the block\n" +
			"ends without an error.\n\n" +
			"Secrets come from environment variables, of which --credentials gives the names:\n" +
			credentialForms,
		Example: `  agentserver blocks try FillTextTemplateBlock --input '{"format": "Hello {{name}}", "values": {"name": "Ada"}}'
  agentserver blocks try SearchTheWebBlock --input @query.json --credentials credentials=api_key:JINA_KEY`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd, f, args[0]) },
	}
	cmd.Flags().StringVar(&t.input, "input", "{}", "the inputs as a JSON object, @FILE, or - for standard input")
	cmd.Flags().StringArrayVar(&t.credentials, "credentials", nil, "credentials for an input, such as credentials=api_key:VARIABLE; repeatable")
	cmd.Flags().DurationVar(&t.timeout, "timeout", 5*time.Minute, "stop the block after this time")
	return cmd
}

func (t *blockTry) run(cmd *cobra.Command, f *flags, name string) error {
	if t.timeout <= 0 {
		return core.Errorf(core.Invalid, "--timeout needs a time such as 5m")
	}
	in, err := readInput(t.input, cmd.InOrStdin())
	if err != nil {
		return err
	}
	c, err := f.load()
	if err != nil {
		return err
	}
	b, err := findBlock(core.Default, name)
	if err != nil {
		return err
	}
	if err := addCredentials(in, b.Spec(), t.credentials); err != nil {
		return err
	}
	bench, err := platform.NewBench(c, core.Default, quietLog(c))
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	return errors.Join(t.try(ctx, bench, b, in, cmd.OutOrStdout()), bench.Close())
}

func (t *blockTry) try(ctx context.Context, bench *platform.Bench, b core.Block, in core.Values, w io.Writer) error {
	if reason := notHere(bench.Registry, b); reason != "" {
		return core.Errorf(core.Forbidden, "%s cannot be used here: %s", b.Spec().Name, reason)
	}
	err := bench.Run(ctx, b, in, func(pin string, value any) error {
		line, err := core.JSON(core.NewObject("pin", pin, "value", value))
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n", line)
		}
		return err
	})
	var failure *core.BlockError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return core.Errorf(core.Unavailable, "%s did not end within %s", b.Spec().Name, t.timeout)
	case errors.Is(err, context.Canceled):
		return core.Errorf(core.Unavailable, "%s was stopped", b.Spec().Name)
	case errors.As(err, &failure) && len(failure.Stack) > 0:
		return fmt.Errorf("%w\n%s", err, failure.Stack)
	}
	return err
}

// readInput reads the inputs that are given as JSON, as @FILE or as -.
func readInput(text string, stdin io.Reader) (core.Values, error) {
	var from io.Reader = strings.NewReader(text)
	switch {
	case text == "-":
		from = stdin
	case strings.HasPrefix(text, "@"):
		file, err := os.Open(filepath.Clean(text[1:]))
		if err != nil {
			return nil, fmt.Errorf("reading the inputs: %w", err)
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxTryInput+1))
	if err != nil {
		return nil, fmt.Errorf("reading the inputs: %w", err)
	}
	if len(data) > maxTryInput {
		return nil, core.Errorf(core.TooLarge, "the inputs have more than %d MB", maxTryInput>>20)
	}
	v, err := core.DecodeJSON(data)
	if err != nil {
		return nil, core.Errorf(core.Invalid, "--input is not JSON: %w", err)
	}
	in, ok := v.(map[string]any)
	if !ok {
		return nil, core.Errorf(core.Invalid, "--input needs a JSON object, such as '{\"name\": \"value\"}'")
	}
	return in, nil
}
