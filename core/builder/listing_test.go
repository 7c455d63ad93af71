package builder_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/builder"
)

// listed gives the blocks that can be picked, as they are described.
func (b *bed) listed() (list []builder.BlockInfo) {
	for _, info := range builder.BlockInfos(b.registry) {
		if info.ID != agentID {
			list = append(list, info)
		}
	}
	return list
}

func ids(blocks []*builder.Block) []string {
	list := []string{}
	for _, b := range blocks {
		list = append(list, b.ID)
	}
	return list
}

// What is encoded once is what would be encoded each time.
func TestList(t *testing.T) {
	b := newBed(t, nil)
	infos := builder.BlockInfos(b.registry)
	want, err := core.JSON(infos)
	require.NoError(t, err)
	got, err := b.List()
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))

	var all []string
	for _, info := range infos {
		all = append(all, info.ID)
	}
	require.Contains(t, all, agentID)
	require.NotContains(t, all, goneID)
	blocks, err := b.ByID(all)
	require.NoError(t, err)
	got, err = core.JSON(blocks)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestByID(t *testing.T) {
	b := newBed(t, nil)
	blocks, err := b.ByID([]string{storeID, "nonexistent", goneID, agentID, "", storeID})
	require.NoError(t, err)
	require.Equal(t, []string{storeID, goneID, agentID, storeID}, ids(blocks))
	require.Equal(t, "AcmeGoneBlock", nameOf(t, blocks[1]), "also those that cannot be used")
	blocks, err = b.ByID(nil)
	require.NoError(t, err)
	require.NotNil(t, blocks)
}

func TestBlocks(t *testing.T) {
	b := newBed(t, nil)
	all := b.listed()
	of := func(want func(builder.BlockInfo) bool) []string {
		list := []string{}
		for _, info := range all {
			if want(info) {
				list = append(list, info.ID)
			}
		}
		return list
	}
	inCategory := func(name string) []string {
		return of(func(i builder.BlockInfo) bool {
			return slices.ContainsFunc(i.Categories, func(c map[string]string) bool { return c["category"] == name })
		})
	}
	inputs := of(func(i builder.BlockInfo) bool { return i.UIType == core.UIInput })
	require.Len(t, inputs, 11)
	for _, c := range []struct {
		name string
		sel  builder.Selection
		want []string
	}{
		{"everything", builder.Selection{}, of(func(builder.BlockInfo) bool { return true })},
		{"all", builder.Selection{Kind: builder.All}, of(func(builder.BlockInfo) bool { return true })},
		{"inputs", builder.Selection{Kind: builder.Input}, inputs},
		{"outputs", builder.Selection{Kind: builder.Output}, []string{outputID}},
		{"actions", builder.Selection{Kind: builder.Action}, of(func(i builder.BlockInfo) bool { return i.UIType != core.UIInput && i.UIType != core.UIOutput })},
		{"category", builder.Selection{Category: "text"}, inCategory("TEXT")},
		{"category of two words", builder.Selection{Category: "developer_tools"}, inCategory("DEVELOPER_TOOLS")},
		{"category in capitals", builder.Selection{Category: "TEXT"}, inCategory("TEXT")},
		{"unknown category", builder.Selection{Category: "x"}, []string{}},
		{"category of disabled blocks only", builder.Selection{Category: "hardware"}, []string{}},
		{"provider", builder.Selection{Provider: "acme"}, []string{mailID, chatID}},
		{"one of several providers", builder.Selection{Provider: "other"}, []string{chatID}},
		{"unknown provider", builder.Selection{Provider: "x"}, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			page, err := b.Blocks(c.sel, 1, builder.MaxPageSize)
			require.NoError(t, err)
			require.Equal(t, c.want, ids(page.Blocks))
			require.Equal(t, len(c.want), page.Pagination.TotalItems)
		})
	}
	page, err := b.Blocks(builder.Selection{Provider: "google"}, 1, builder.MaxPageSize)
	require.NoError(t, err)
	require.Contains(t, ids(page.Blocks), sheetID, "files bring credentials along")
	for _, sel := range []builder.Selection{
		{Category: "ai", Kind: builder.Input}, {Category: "ai", Kind: builder.All}, {Kind: builder.All, Provider: "acme"}, {Category: "ai", Provider: "acme"},
	} {
		_, err := b.Blocks(sel, 1, 10)
		require.EqualError(t, err, "Only one of category, type, or provider can be specified")
		require.Equal(t, core.Invalid, core.KindOf(err))
	}
}

func TestPages(t *testing.T) {
	b := newBed(t, nil)
	total := len(b.listed())
	var seen []string
	pages := (total + 9) / 10
	for page := 1; page <= pages+2; page++ {
		p, err := b.Blocks(builder.Selection{}, page, 10)
		require.NoError(t, err)
		require.NotNil(t, p.Blocks)
		require.Equal(t, []int{total, pages, page, 10}, []int{p.Pagination.TotalItems, p.Pagination.TotalPages, p.Pagination.CurrentPage, p.Pagination.PageSize})
		if page > pages {
			require.Empty(t, p.Blocks)
		}
		seen = append(seen, ids(p.Blocks)...)
	}
	whole, err := b.Blocks(builder.Selection{}, 1, builder.MaxPageSize)
	require.NoError(t, err)
	require.Equal(t, ids(whole.Blocks), seen)
	far, err := b.Blocks(builder.Selection{}, 1<<62, builder.MaxPageSize)
	require.NoError(t, err)
	require.Empty(t, far.Blocks)
	none, err := b.Blocks(builder.Selection{Category: "x"}, 1, 10)
	require.NoError(t, err)
	require.Zero(t, none.Pagination.TotalPages)
}

func TestCategories(t *testing.T) {
	b := newBed(t, nil)
	want := map[string][]string{}
	for _, info := range b.listed() {
		for _, c := range info.Categories {
			want[c["category"]] = append(want[c["category"]], info.ID)
		}
	}
	list, err := b.Categories(2)
	require.NoError(t, err)
	require.Len(t, list, len(want))
	names := []string{}
	for _, c := range list {
		names = append(names, c.Name)
		upper := strings.ToUpper(c.Name)
		require.Equal(t, len(want[upper]), c.TotalBlocks, c.Name)
		require.Equal(t, want[upper][:min(2, len(want[upper]))], ids(c.Blocks), c.Name)
	}
	require.True(t, slices.IsSorted(names))
	require.Contains(t, names, "developer_tools")
	require.NotContains(t, names, "hardware")

	list, err = b.Categories(0)
	require.NoError(t, err)
	for _, c := range list {
		require.NotNil(t, c.Blocks)
		require.Empty(t, c.Blocks)
		require.Positive(t, c.TotalBlocks)
	}
}

func TestProviders(t *testing.T) {
	b := newBed(t, nil)
	page, err := b.Providers(1, builder.MaxPageSize)
	require.NoError(t, err)
	counts := map[string]int{}
	var order []string
	for _, info := range b.listed() {
		block, _ := b.registry.Block(info.ID)
		for _, f := range block.Spec().Fields() {
			if f.Credentials == nil {
				continue
			}
			for _, name := range f.Credentials.Providers {
				if counts[name]++; counts[name] == 1 {
					order = append(order, name)
				}
			}
		}
	}
	var got []string
	for _, p := range page.Providers {
		got = append(got, p.Name)
		require.Equal(t, counts[p.Name], p.IntegrationCount, p.Name)
		require.Empty(t, p.Description)
	}
	require.Equal(t, order, got)
	require.Equal(t, 3, counts["acme"], "each credentials input counts")
	second, err := b.Providers(2, 1)
	require.NoError(t, err)
	require.Equal(t, page.Providers[1:2], second.Providers)
}

func TestCounts(t *testing.T) {
	each(t, func(b *bed) {
		b.shelve(alice, "one", "One", "")
		b.shelve(alice, "two", "Two", "")
		b.shelve(alice, "three", "Three", "")
		b.shelve(bob, "four", "Four", "")
		require.NoError(b.t, b.db.Write.Exec("UPDATE library_agents SET is_deleted = true WHERE id = 'two'").Error)
		require.NoError(b.t, b.db.Write.Exec("UPDATE library_agents SET is_archived = true WHERE id = 'three'").Error)
		integrations := 0
		for _, info := range b.listed() {
			block, _ := b.registry.Block(info.ID)
			if slices.ContainsFunc(block.Spec().Fields(), func(f *core.InputField) bool { return f.Credentials != nil }) {
				integrations++
			}
		}
		all := len(b.listed())
		want := builder.Counts{AllBlocks: all, InputBlocks: 11, OutputBlocks: 1, ActionBlocks: all - 12, Integrations: integrations, MyAgents: 1}
		got, err := b.Counts(b.t.Context(), alice)
		require.NoError(b.t, err)
		require.Equal(b.t, want, *got)

		store := &bazaar{more: 7}
		b.Store = store
		got, err = b.Counts(b.t.Context(), alice)
		require.NoError(b.t, err)
		require.Equal(b.t, 7, got.MarketplaceAgents)
		store.broken = true
		_, err = b.Counts(b.t.Context(), alice)
		require.ErrorContains(b.t, err, "the bazaar is closed")
	})
}
