package openweathermap

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

func TestSystemCredential(t *testing.T) {
	require.Nil(t, (&settings{}).credential())
	c := (&settings{APIKey: "k"}).credential()
	require.Equal(t, "8b3d4e5f-6a7b-8c9d-0e1f-2a3b4c5d6e7f", c.Base().ID)
	require.Equal(t, "openweathermap", c.Base().Provider)
	require.Equal(t, "Use Credits for OpenWeatherMap", c.Base().Title)
	require.Equal(t, "Bearer k", c.Authorization())
	require.Nil(t, provider.System[0].Load(), "no key is set")
}
