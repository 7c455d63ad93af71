// Command agentserver is a platform server for agents in one binary: it keeps
// agents, connects them to other services and runs them durably.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	if err := newRoot().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "agentserver: "+strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}

// newRoot builds the commands. Without one, the server starts.
func newRoot() *cobra.Command {
	f := &flags{}
	root := &cobra.Command{
		Use:   "agentserver",
		Short: "A platform server for agents",
		Long: "agentserver keeps agents, connects them to other services and runs them durably.\n" +
			"Without a command it starts the server, as serve does.",
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), f) },
	}
	f.bind(root)
	root.AddCommand(
		newServe(f), newWorker(f), newMigrate(f), newRun(f), newProviders(f), newBlocks(f), newManaged(f), newUsers(f), newKeys(f),
		newImport(f), newToken(f), newConfig(f), newOpenAPI(f), newHealth(f), newVersion(), newDev(), newNewProvider(),
	)
	return root
}
