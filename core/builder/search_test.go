package builder_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/builder"
	"agentserver/core/library"
)

func TestSearchForNothing(t *testing.T) {
	each(t, func(b *bed) {
		b.shelve(alice, "one", "beta", "")
		b.shelve(alice, "two", "Alpha", "")
		b.shelve(bob, "three", "Gamma", "")
		b.Store = &bazaar{agents: []builder.StoreAgent{{AgentName: "aardvark"}, {AgentName: "zebra"}}}
		results, names := b.search(alice, builder.Query{Text: "  "})
		counts, err := b.Counts(b.t.Context(), alice)
		require.NoError(b.t, err)
		require.Equal(b.t, builder.Totals{
			Blocks: counts.AllBlocks - counts.Integrations, Integrations: counts.Integrations, MarketplaceAgents: 2, MyAgents: 2,
		}, results.TotalItems)
		require.Equal(b.t, counts.AllBlocks+4, results.Pagination.TotalItems)
		require.Len(b.t, names, counts.AllBlocks+4)
		require.Equal(b.t, []string{"aardvark", "Alpha", "beta", "zebra"}, names[counts.AllBlocks:], "blocks, then agents by name")
		for i := 1; i < counts.AllBlocks; i++ {
			require.LessOrEqual(b.t, strings.ToLower(builder.SplitCamel(names[i-1])), strings.ToLower(builder.SplitCamel(names[i])))
		}
	})
}

func TestSearchFilters(t *testing.T) {
	each(t, func(b *bed) {
		b.shelve(alice, "one", "Store of mine", "")
		b.Store = &bazaar{agents: []builder.StoreAgent{{AgentName: "Store of all"}}}
		for _, c := range []struct {
			filters []string
			has     []string
			hasNot  []string
		}{
			{nil, []string{"StoreValueBlock", "AcmeSendMailBlock", "Store of mine", "Store of all"}, nil},
			{[]string{"blocks"}, []string{"StoreValueBlock"}, []string{"AcmeSendMailBlock", "Store of mine", "Store of all"}},
			{[]string{"integrations"}, []string{"AcmeSendMailBlock"}, []string{"StoreValueBlock", "Store of mine", "Store of all"}},
			{[]string{"my_agents"}, []string{"Store of mine"}, []string{"StoreValueBlock", "AcmeSendMailBlock", "Store of all"}},
			{[]string{"marketplace_agents", "my_agents"}, []string{"Store of mine", "Store of all"}, []string{"StoreValueBlock", "AcmeSendMailBlock"}},
		} {
			for _, text := range []string{"", "store"} {
				results, names := b.search(alice, builder.Query{Text: text, Filters: c.filters})
				if text != "" {
					require.Subset(b.t, append(names, "AcmeSendMailBlock"), c.has)
				} else {
					require.Subset(b.t, names, c.has)
				}
				for _, name := range c.hasNot {
					require.NotContains(b.t, names, name)
				}
				sum := results.TotalItems.Blocks + results.TotalItems.Integrations + results.TotalItems.MarketplaceAgents + results.TotalItems.MyAgents
				require.Equal(b.t, len(names), sum)
			}
		}
		_, err := b.Search(b.t.Context(), alice, builder.Query{Filters: []string{"a", "blocks", "b"}, Page: 1, Size: 1})
		require.EqualError(b.t, err, "Invalid filter value(s): a, b. Valid values are: blocks, integrations, marketplace_agents, my_agents")
		require.Equal(b.t, core.Invalid, core.KindOf(err))
	})
}

func TestSearchRanks(t *testing.T) {
	b := newSQLiteBed(t)
	_, names := b.search(alice, builder.Query{Text: "Store Value"})
	require.Equal(t, "StoreValueBlock", names[0])
	// What the inputs say counts, too.
	_, names = b.search(alice, builder.Query{Text: "whom the ZEBRA greets", Filters: []string{"integrations"}})
	require.Equal(t, "AcmeSendMailBlock", names[0])
	// The name of a block that is not listed.
	for _, text := range []string{"acme gone", "agent executor"} {
		_, names = b.search(alice, builder.Query{Text: text})
		require.NotContains(t, names, "AcmeGoneBlock")
		require.NotContains(t, names, "AgentExecutorBlock")
	}
	results, names := b.search(alice, builder.Query{Text: "qqq§§§qqq"})
	require.Empty(t, names)
	require.NotNil(t, results.Items)
	require.Equal(t, builder.Totals{}, results.TotalItems)
}

// Blocks that offer a model are found by its name, however it is written.
func TestSearchForModels(t *testing.T) {
	b := newSQLiteBed(t)
	for _, text := range []string{"gpt-5", "GPT-5", "gpt5", "gpt 5", "GPT-5 Mini", "gpt-5-mini-2025-08-07", "gpt5 2", "o3 mini", "Claude Opus 4.5", "meta-llama/Llama-3.3-70B-Instruct-Turbo"} {
		_, names := b.search(alice, builder.Query{Text: text, Filters: []string{"integrations"}})
		require.Contains(t, names, "AcmeChatBlock", text)
		require.Contains(t, names[:min(len(names), 12)], "AITextGeneratorBlock", text)
	}
	without, _ := b.search(alice, builder.Query{Text: "§", Filters: []string{"integrations"}})
	require.Zero(t, without.TotalItems.Integrations, "what has no letter is no name of a model")
}

func TestSearchPages(t *testing.T) {
	b := newSQLiteBed(t)
	b.shelve(alice, "one", "Text of mine", "")
	whole, names := b.search(alice, builder.Query{Text: "text"})
	require.Greater(t, len(names), 20)
	var paged []string
	id := ""
	for page := 1; page <= (len(names)+6)/7; page++ {
		results, some := b.search(alice, builder.Query{Text: "text", SearchID: id, Page: page, Size: 7})
		require.Equal(t, whole.TotalItems, results.TotalItems)
		require.Equal(t, []int{len(names), (len(names) + 6) / 7, page, 7},
			[]int{results.Pagination.TotalItems, results.Pagination.TotalPages, results.Pagination.CurrentPage, results.Pagination.PageSize})
		id = results.SearchID
		paged = append(paged, some...)
	}
	require.Equal(t, names, paged)
}

func TestSearchMyAgents(t *testing.T) {
	each(t, func(b *bed) {
		b.shelve(alice, "name", "Zebra counter", "Counts.")
		b.shelve(alice, "text", "Counter", "Counts every zebra, 100% of them.")
		b.shelve(alice, "none", "Other", "Does other things.")
		b.shelve(bob, "his", "Zebra of bob", "")
		b.shelve(alice, "long", "Long", strings.Repeat("blah ", 4000)+"ÄHRE")
		mine := []string{"my_agents"}
		results, names := b.search(alice, builder.Query{Text: "zebra", Filters: mine})
		require.Equal(b.t, []string{"Zebra counter", "Counter"}, names)
		require.Equal(b.t, 2, results.TotalItems.MyAgents)
		agent := results.Items[1].Value.(*library.Agent)
		require.Equal(b.t, []any{"text", "graph-text", 1, "Counts every zebra, 100% of them.", true},
			[]any{agent.ID, agent.GraphID, agent.GraphVersion, agent.Description, agent.CanAccessGraph})

		_, names = b.search(alice, builder.Query{Text: "0%", Filters: mine})
		require.Equal(b.t, []string{"Counter"}, names, "signs mean themselves")
		results, names = b.search(alice, builder.Query{Text: "ähre", Filters: mine})
		require.Equal(b.t, []string{"Long"}, names, "also where it is not compared")
		require.Equal(b.t, 1, results.TotalItems.MyAgents)
		_, names = b.search(alice, builder.Query{Text: strings.Repeat("zebra", 100), Filters: mine})
		require.Empty(b.t, names, "a text that is too long is cut")
	})
}

// What is beyond the bound of a search counts all the same.
func TestSearchCountsAll(t *testing.T) {
	each(t, func(b *bed) {
		for i, name := range numbered(520, "Zebra") {
			b.shelve(alice, fmt.Sprint("z", i), name, "")
		}
		b.Store = &bazaar{agents: []builder.StoreAgent{{AgentName: "Zebra"}, {AgentName: "qqq"}}, more: 900}
		for _, text := range []string{"", "zebra"} {
			results, names := b.search(alice, builder.Query{Text: text, Filters: []string{"my_agents"}})
			require.Equal(b.t, 520, results.TotalItems.MyAgents)
			require.Equal(b.t, 500, results.Pagination.TotalItems)
			require.Len(b.t, names, 500)
		}
		results, names := b.search(alice, builder.Query{Text: "zebra", Filters: []string{"marketplace_agents"}})
		require.Equal(b.t, []string{"Zebra"}, names)
		require.Equal(b.t, 901, results.TotalItems.MarketplaceAgents, "what is not like it does not count")
	})
}

func TestSearchMarketplace(t *testing.T) {
	b := newSQLiteBed(t)
	store := &bazaar{agents: []builder.StoreAgent{
		{Slug: "a", AgentName: "Something", SubHeading: "with a zebra", Creator: "cleo"},
		{Slug: "b", AgentName: "Zebra", Creator: "cleo"},
		{Slug: "c", AgentName: "Nothing", Creator: "Zebra"},
	}}
	b.Store = store
	results, names := b.search(alice, builder.Query{Text: " it's a_zebra", Creators: []string{"cleo", "dora"}, Filters: []string{"marketplace_agents"}})
	require.Equal(t, "it's a_zebra", store.query, "as it was typed")
	require.Equal(t, []string{"cleo", "dora"}, store.creators)
	require.Equal(t, len(names), results.TotalItems.MarketplaceAgents)
	_, names = b.search(alice, builder.Query{Text: "zebra", Filters: []string{"marketplace_agents"}})
	require.Equal(t, []string{"Zebra", "Something", "Nothing"}, names)

	for _, creators := range [][]string{numbered(51, "c"), {strings.Repeat("c", 201)}} {
		_, err := b.Search(t.Context(), alice, builder.Query{Creators: creators, Page: 1, Size: 1})
		require.Equal(t, core.Invalid, core.KindOf(err))
	}
	store.broken = true
	_, err := b.Search(t.Context(), alice, builder.Query{Page: 1, Size: 1})
	require.ErrorContains(t, err, "the bazaar is closed")
}

// BenchmarkSearch scores as many blocks as the platform may have.
func BenchmarkSearch(b *testing.B) {
	for _, text := range []string{"a", "github", "send a message to a channel", strings.Repeat("an e-mail with attachments ", 4)} {
		b.Run(fmt.Sprintf("%d letters", len(text)), func(b *testing.B) {
			find := builder.FindBlocks(manyBlocks(b, 537))
			b.ResetTimer()
			for b.Loop() {
				find(text)
			}
		})
	}
}
