package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/builder"
	"agentserver/core/platform"
)

// newBlocks makes the commands about blocks. Without one of them, blocks are
// listed.
func newBlocks(f *flags) *cobra.Command {
	l := &blockList{}
	cmd := &cobra.Command{
		Use:   "blocks",
		Short: "List the blocks that agents can use, show one, or try one",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return l.print(cmd.OutOrStdout(), f) },
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the blocks that agents can use",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return l.print(cmd.OutOrStdout(), f) },
	}
	for _, c := range []*cobra.Command{cmd, list} {
		c.Flags().StringVar(&l.provider, "provider", "", "only those of this provider; core are the platform's own")
		c.Flags().StringVar(&l.category, "category", "", "only those of this category, such as text")
		c.Flags().BoolVar(&l.all, "all", false, "also those that cannot be used here, and why")
		c.Flags().BoolVar(&l.asJSON, "json", false, "print them as GET /api/blocks does")
	}
	cmd.AddCommand(list, newBlocksShow(f), newBlocksTry(f))
	return cmd
}

// blockList are the options of the list.
type blockList struct {
	provider, category string
	all, asJSON        bool
}

// listedBlock is a block as GET /api/blocks lists it, and why it cannot be used.
type listedBlock struct {
	builder.BlockInfo
	Disabled string `json:"disabled,omitempty"`

	provider string
}

func (l *blockList) print(w io.Writer, f *flags) error {
	c, err := f.load()
	if err != nil {
		return err
	}
	active, err := platform.ActiveProviders(c, core.Default)
	if err != nil {
		return err
	}
	if err := l.check(core.Default); err != nil {
		return err
	}
	list := l.choose(active, core.Default)
	if l.asJSON {
		data, err := core.JSON(list)
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n", data)
		}
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tPROVIDER\tDESCRIPTION")
	for _, b := range list {
		description := b.Description
		if b.Disabled != "" {
			description = "[not here: " + b.Disabled + "] " + description
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", b.ID, b.Name, b.provider, strings.ReplaceAll(description, "\n", " "))
	}
	return table.Flush()
}

// check refuses names that no block could have.
func (l *blockList) check(all *core.Registry) error {
	var providers, categories []string
	for _, p := range all.Providers() {
		providers = append(providers, p.Name)
	}
	if l.provider != "" && !slices.Contains(providers, l.provider) {
		return core.Errorf(core.Invalid, "--provider: unknown provider %q%s", l.provider, config.DidYouMean(l.provider, providers))
	}
	for _, b := range all.Blocks() {
		for _, c := range b.Spec().Categories {
			categories = append(categories, strings.ToLower(string(c)))
		}
	}
	if name := strings.ToLower(l.category); name != "" && !slices.Contains(categories, name) {
		return core.Errorf(core.Invalid, "--category: no block is in the category %q%s", l.category, config.DidYouMean(name, categories))
	}
	return nil
}

// choose gives the blocks that can be used, in their order, and with all the
// others after them.
func (l *blockList) choose(active, all *core.Registry) []listedBlock {
	list := []listedBlock{}
	for _, info := range builder.BlockInfos(active) {
		b, _ := active.Block(info.ID)
		if l.wants(b.Spec()) {
			list = append(list, listedBlock{BlockInfo: info, provider: b.Spec().Provider})
		}
	}
	if !l.all {
		return list
	}
	for _, b := range all.Blocks() {
		spec := b.Spec()
		if reason := notHere(active, b); reason != "" && l.wants(spec) {
			list = append(list, listedBlock{BlockInfo: builder.Describe(active, spec), Disabled: reason, provider: spec.Provider})
		}
	}
	return list
}

// notHere says why a block that is compiled in cannot be used, or gives "".
func notHere(active *core.Registry, b core.Block) string {
	if reason := active.BlockOff(b.Spec().ID); reason != "" {
		return reason
	}
	return active.Disabled(b)
}

func (l *blockList) wants(spec *core.BlockSpec) bool {
	if l.provider != "" && spec.Provider != l.provider {
		return false
	}
	return l.category == "" || slices.ContainsFunc(spec.Categories, func(c core.Category) bool {
		return strings.EqualFold(string(c), l.category)
	})
}

// findBlock gives a block by its id or its name, in any case and with or without
// "Block" at its end.
func findBlock(all *core.Registry, name string) (core.Block, error) {
	if b, ok := all.Block(name); ok {
		return b, nil
	}
	var known []string
	for _, b := range all.Blocks() {
		full := b.Spec().Name
		if strings.EqualFold(name, full) || strings.EqualFold(name+"Block", full) {
			return b, nil
		}
		known = append(known, full)
	}
	guess := config.DidYouMean(name, known)
	if guess == "" {
		guess = config.DidYouMean(name+"Block", known)
	}
	return nil, core.Errorf(core.NotFound, "there is no block %q%s", name, guess)
}
