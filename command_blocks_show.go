package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"agentserver/core"
	"agentserver/core/builder"
	"agentserver/core/platform"
	"agentserver/internal/blockdocs"
)

func newBlocksShow(f *flags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show NAME|ID",
		Short: "Show a block: its inputs, outputs, credentials and fees",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			active, err := platform.ActiveProviders(c, core.Default)
			if err != nil {
				return err
			}
			b, err := findBlock(core.Default, args[0])
			if err != nil {
				return err
			}
			reason := notHere(active, b)
			if !asJSON {
				return showBlock(cmd.OutOrStdout(), b.Spec(), reason)
			}
			data, err := core.JSON(listedBlock{BlockInfo: builder.Describe(active, b.Spec()), Disabled: reason})
			if err == nil {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", data)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as GET /api/blocks does")
	return cmd
}

func showBlock(w io.Writer, spec *core.BlockSpec, reason string) error {
	fmt.Fprintf(w, "%s  %s\n%s\n", spec.Name, spec.ID, spec.Description)
	if reason != "" {
		fmt.Fprintf(w, "It cannot be used here: %s.\n", reason)
	}
	about := []string{"Provider " + spec.Provider}
	for _, c := range spec.Categories {
		about = append(about, strings.ToLower(string(c)))
	}
	fmt.Fprintln(w, strings.Join(append(about, blockdocs.Traits(spec)...), "; "))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if rows := blockdocs.Inputs(spec); len(rows) > 0 {
		fmt.Fprintln(table, "\nINPUT\tTYPE\tDEFAULT\tMEANING")
		for _, r := range rows {
			fallback := r.Default
			if r.Required {
				fallback = "(required)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Name, plainType(r.Type), shorten(fallback), r.Meaning)
		}
	}
	if rows := blockdocs.Outputs(spec); len(rows) > 0 {
		fmt.Fprintln(table, "\nOUTPUT\tTYPE\tMEANING")
		for _, r := range rows {
			fmt.Fprintf(table, "%s\t%s\t%s\n", r.Name, plainType(r.Type), r.Meaning)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range blockdocs.CredentialsOf(spec) {
		fmt.Fprintf(w, "\nCREDENTIALS %s: %s\n", c.Input, plainType(c.String()))
	}
	for i, fee := range blockdocs.Fees(spec) {
		if i == 0 {
			fmt.Fprintln(w, "\nFEES")
		}
		fmt.Fprintln(w, plainType(fee))
	}
	return nil
}

// plainType is text of the reference as a terminal shows it.
func plainType(text string) string { return strings.ReplaceAll(text, "`", "") }

// shorten keeps a value within its column.
func shorten(text string) string {
	if letters := []rune(text); len(letters) > 40 {
		return string(letters[:40]) + "…"
	}
	return text
}
