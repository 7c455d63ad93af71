package compass

import (
	"testing"

	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

func FuzzReceive(f *testing.F) { coretest.FuzzReceive(f, provider) }
