// Package builtin holds the blocks that belong to the platform itself: the
// inputs and outputs of agents, logic, text, data, time, stored values, nested
// agents and language models.
package builtin

import (
	"slices"
	"time"

	"agentserver/core"
)

func init() { core.Register(Provider()) }

// Provider gives the pseudo-provider of the platform's own blocks. It is
// registered like any other, cannot be turned off, and needs no account.
func Provider() *core.Provider { return provider(time.Now) }

// provider makes the provider with a clock of the caller's.
func provider(now func() time.Time) *core.Provider {
	return &core.Provider{
		Name:  core.CoreProvider,
		Title: "Platform",
		Blocks: slices.Concat(
			inputBlocks(),
			outputBlocks(),
			basicBlocks(),
			branchBlocks(),
			mathBlocks(),
			textBlocks(),
			regexBlocks(),
			codecBlocks(),
			xmlBlocks(),
			timeBlocks(now),
			dictionaryBlocks(),
			listBlocks(),
			listSetBlocks(),
			storeBlocks(),
			fileBlocks(),
			disabledBlocks(),
			[]core.Block{agentExecutor, aiTextGenerator, dataSampling, humanInTheLoop, wikipediaSummary, readFeed(now), readSpreadsheet, sendWebRequest},
		),
	}
}

// InputSubtypes are the ids of the input blocks for one type each, which a
// setting turns off.
func InputSubtypes() []string {
	var ids []string
	for _, b := range inputBlocks() {
		if b.Spec().Name != "AgentInputBlock" {
			ids = append(ids, b.Spec().ID)
		}
	}
	return ids
}
