package core_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

const testID = "b67469b2-7748-4d81-a223-4ebd332cca89"

// complete fills in what every block needs and a case does not care about.
func complete(spec core.BlockSpec) core.BlockSpec {
	if spec.ID == "" {
		spec.ID = testID
	}
	if spec.Name == "" {
		spec.Name = "TestBlock"
	}
	if spec.Description == "" {
		spec.Description = "Does something for a test."
	}
	return spec
}

// blockOf makes a block that does nothing.
func blockOf[In, Out any](spec core.BlockSpec) core.Block {
	return core.NewBlock(spec, func(context.Context, *core.Run, *In, *Out) error { return nil })
}

// providerOf makes a provider of blocks.
func providerOf(blocks ...core.Block) *core.Provider {
	return &core.Provider{Name: "acme", Title: "Acme", Blocks: blocks}
}

// specOf registers a block and gives its finished spec.
func specOf[In, Out any](tb testing.TB, spec core.BlockSpec) *core.BlockSpec {
	tb.Helper()
	b := blockOf[In, Out](complete(spec))
	register(tb, b)
	return b.Spec()
}

// register adds blocks to a registry of their own.
func register(tb testing.TB, blocks ...core.Block) *core.Registry {
	tb.Helper()
	r := &core.Registry{}
	require.NoError(tb, r.Add(providerOf(blocks...)))
	return r
}

// encoded is the JSON of a value, as the API sends it.
func encoded(tb testing.TB, v any) string {
	tb.Helper()
	data, err := core.JSON(v)
	require.NoError(tb, err)
	return string(data)
}
