package video

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// joined makes a video of others.
func joined(t *testing.T, dir, transition string, seconds int, videos ...any) (string, *media, float64) {
	t.Helper()
	out := mustRun(t, dir, concat, core.Values{"videos": videos, "transition": transition, "transition_duration": seconds})
	return out["video_out"].(string), look(t, out), out["total_duration"].(float64)
}

// Videos of all shapes and rates, with and without sound, become one.
func TestConcat(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	a := film(t, dir, "a.mp4", "red", "64x48", 1, false)
	b := film(t, dir, "b.webm", "blue", "30x90", 1.5, true)
	path, m, total := joined(t, dir, "none", 1, a, b, a)
	require.InDelta(t, 3.5, total, 0.1)
	require.InDelta(t, total, m.seconds, 0.1)
	require.Equal(t, "64x48", size(m))
	requireColour(t, path, 0.5, red)
	requireColour(t, path, 3, red)
	// The middle of the second is blue, and narrower than the whole.
	middle := colourAt(t, path, 1.7)
	require.Less(t, middle[0], 40)
	require.Greater(t, middle[2], 80)
	require.Less(t, loudness(t, path, 0.1, 0.8), silent)
	require.Greater(t, loudness(t, path, 1.2, 2.2), 0.05)
	require.Less(t, loudness(t, path, 2.8, 3.3), silent)

	_, m, _ = joined(t, dir, "none", 1, a, a)
	require.Nil(t, m.audio)
}

func TestCrossfade(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	a := film(t, dir, "a.mp4", "red", "64x48", 2, true)
	b := film(t, dir, "b.mp4", "blue", "64x48", 2, true)
	path, m, total := joined(t, dir, "crossfade", 1, a, b, a)
	require.InDelta(t, 4, total, 0.1)
	require.InDelta(t, total, m.seconds, 0.1)
	requireColour(t, path, 0.5, red)
	requireColour(t, path, 2, blue)
	requireColour(t, path, 3.5, red)
	requireColour(t, path, 1.5, [3]int{128, 0, 128})
	for _, transition := range []string{"crossfade", "fade_black"} {
		_, err := runBlock(t.Context(), dir, concat, core.Values{"videos": []any{a, b}, "transition": transition, "transition_duration": 10})
		require.ErrorContains(t, err, "message: transition_duration (10s) must be shorter than the shortest clip (2.0")
	}
	_, _, total = joined(t, dir, "crossfade", 0, a, b)
	require.InDelta(t, 4, total, 0.1, "no time for a transition, no transition")
}

func TestFadeBlack(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	a := film(t, dir, "a.mp4", "red", "64x48", 2.5, false)
	path, m, total := joined(t, dir, "fade_black", 1, a, a)
	require.InDelta(t, 5, total, 0.1)
	require.InDelta(t, total, m.seconds, 0.1)
	for at, want := range map[float64][3]int{0: black, 1.2: red, 2.4: black, 2.5: black, 3.8: red, 4.9: black} {
		requireColour(t, path, at, want)
	}
}

// The arithmetic of the lengths, without ffmpeg.
func TestTotals(t *testing.T) {
	tens := []*media{{seconds: 10}, {seconds: 10}, {seconds: 10}}
	for transition, want := range map[string]float64{"none": 30, "fade_black": 30, "crossfade": 28} {
		j, err := newJoin(tens, transition, 1)
		require.NoError(t, err)
		require.Equal(t, want, j.total, transition)
	}
	_, err := newJoin(tens, "crossfade", 10)
	require.EqualError(t, err, "transition_duration (10s) must be shorter than the shortest clip (10.00s)")
	_, err = newJoin(tens, "none", 10)
	require.NoError(t, err)
}

// Which video is at fault is told.
func TestConcatTellsWhichVideo(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	a := film(t, dir, "a.mp4", "red", "64x48", 1, false)
	_, err := runBlock(t.Context(), dir, concat, core.Values{"videos": []any{a, write(t, dir, "b.mp4", "not a video")}})
	require.ErrorContains(t, err, "message: Failed to concatenate videos: video 2: the file is not readable as video or audio: ")
	require.NotContains(t, err.Error(), dir)
}
