package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"agentserver/config"
	"agentserver/core"
)

func newProviders(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "providers",
		Short: "List the providers that are compiled in: which are on, and what they lack",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			return printProviders(cmd.OutOrStdout(), c, core.Default)
		},
	}
}

func printProviders(w io.Writer, c *config.Config, registry *core.Registry) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROVIDER\tSTATE\tBLOCKS\tUSERS CONNECT BY\tOPERATOR'S CREDENTIAL")
	for _, p := range registry.Providers() {
		if p.Name == core.CoreProvider {
			continue
		}
		if p.Settings != nil {
			if err := c.FillSettings(p.Name, p.Settings); err != nil {
				return err
			}
		}
		state := "on"
		if !c.Providers.On(p.Name) {
			state = "off"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", p.Name, state, len(p.Blocks), authNames(p), systemState(c, p))
	}
	return table.Flush()
}

func authNames(p *core.Provider) string {
	names := make([]string, len(p.Auth))
	for i, m := range p.Auth {
		names[i] = string(m.CredentialType())
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ", ")
}

// systemState says whether the operator's credential is set, or that with which
// each user is given one, or where to set it.
func systemState(c *config.Config, p *core.Provider) string {
	missing := "not set (" + strings.Join(c.Unset(p.Name, p.Settings), ", ") + ")"
	for _, s := range p.System {
		if s.Load() == nil {
			return missing
		}
	}
	switch {
	case len(p.System) > 0:
		return "set"
	case p.Managed == nil:
		return "-"
	case p.Managed.Available():
		return "set, gives each user one"
	default:
		return missing
	}
}
