package core_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestAbsentServices(t *testing.T) {
	_, err := execute(t, core.BlockSpec{}, nil, func(ctx context.Context, run *core.Run, _ *runIn, _ *runOut) error {
		require.Equal(t, time.UTC, run.Timezone)
		run.Log.Info("nobody hears this")
		run.Stats.Add(core.StatsData{})
		_, doErr := run.HTTP.Do(&http.Request{}) //nolint:bodyclose // there is no answer
		_, _, loadErr := run.Store.Load(ctx, "", "")
		_, modelErr := run.Models.Generate(ctx, core.ModelRequest{})
		_, askErr := run.Review.Ask(ctx, run, nil, "", false)
		_, _, _, openErr := run.Files.Open(ctx, run, "")
		_, putErr := run.Files.Put(ctx, run, nil, "", "")
		for _, err := range []error{
			doErr, loadErr, run.Store.Save(ctx, "", "", "", nil), modelErr, askErr, openErr, putErr,
			run.Agents.RunAgent(ctx, run, core.AgentCall{}, nil),
		} {
			require.ErrorContains(t, err, "not available here")
			require.True(t, core.IsKind(err, core.Unavailable))
		}
		return nil
	})
	require.NoError(t, err)
}

func TestStats(t *testing.T) {
	var none *core.Stats
	none.Add(core.StatsData{InputTokens: 1})
	require.Zero(t, none.Data())
	s := &core.Stats{}
	s.Add(core.StatsData{InputTokens: 1, OutputTokens: 2, ModelCalls: 1, ExtraCost: 3, WallTime: 0.5, Error: "first"})
	s.Add(core.StatsData{InputTokens: 1, ModelRetries: 1, ExtraSteps: 4, InputSize: 5, OutputSize: 6, Error: "last"})
	s.Add(core.StatsData{WallTime: 0.25})
	require.Equal(t, core.StatsData{
		InputTokens: 2, OutputTokens: 2, ModelCalls: 1, ModelRetries: 1, ExtraCost: 3, ExtraSteps: 4,
		WallTime: 0.75, InputSize: 5, OutputSize: 6, Error: "last",
	}, s.Data())
}
