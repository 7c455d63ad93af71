package builtin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

// noon is the moment at which the vectors of the time blocks run.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 35, 22, 37_370_000, time.UTC) }

// registered gives the provider with its blocks prepared.
func registered(t *testing.T) (*core.Provider, *core.Registry) {
	t.Helper()
	p, r := provider(noon), &core.Registry{}
	require.NoError(t, r.Add(p))
	return p, r
}

func TestVectors(t *testing.T) {
	p, _ := registered(t)
	coretest.Run(t, p)
}
