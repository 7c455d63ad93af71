// Package builtin holds the blocks that belong to the platform itself: the
// inputs and outputs of agents, logic, text, data, time and stored values.
package builtin

import (
	"slices"
	"time"

	"agentserver/core"
)

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
		),
	}
}
