package video

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

// TestProvider runs the vectors, which show what blocks say without ffmpeg, on
// any machine.
func TestProvider(t *testing.T) {
	configure(t, settings{FFmpeg: "no-such-ffmpeg", FFprobe: "no-such-ffprobe", MaxSeconds: 3600, Jobs: 2, Threads: 1})
	coretest.Run(t, provider)
}

// configure sets the settings for one test, as the platform does at its start.
func configure(t *testing.T, s settings) {
	t.Helper()
	before := *config
	t.Cleanup(func() { *config = before })
	*config = s
	require.NoError(t, provider.Start(t.Context(), nil))
}

// Agents that hold these blocks can be opened, and not run.
func TestDisabled(t *testing.T) {
	for _, b := range []core.Block{textOverlay, download} {
		require.NotEmpty(t, b.Spec().Disabled)
		err := b.Run(t.Context(), &core.Run{}, core.Values{"video_in": "a", "url": "https://video.example", "text": "b"}, nil)
		require.True(t, core.IsKind(err, core.Unavailable), "%v", err)
	}
}

func TestSourceName(t *testing.T) {
	const id = "123e4567-e89b-12d3-a456-426614174000"
	for name, want := range map[string]string{
		"holiday.mp4":                              "holiday",
		id + "_clip_holiday.mp4":                   "holiday",
		id + "_looped_" + id + "_clip_holiday.mp4": "holiday",
		id + "_My Title.mp4":                       "My Title",
		id + "_My_Title.mp4":                       "Title",
		id + "_clip_.mp4":                          "video",
		id + "_narration.mp3":                      "narration",
		id + ".mp4":                                id,
		id + "_clip_a_concat_b.mp4":                "b",
		"":                                         "video",
		".mp4":                                     "video",
		"../../etc/passwd":                         "passwd",
		"ééééééééééééééééééééééééééééééééééééééééééééééééééééé.mp4": "éééééééééééééééééééééééééééééééééééééééééééééééééé",
	} {
		require.Equal(t, want, sourceName(name), name)
	}
	run := &core.Run{NodeExecID: "step"}
	require.Equal(t, "step_clip_holiday.webm", outputName(run, "clip", &core.LocalFile{Name: "holiday.mp4"}, "webm"))
}

func TestCodecs(t *testing.T) {
	require.Contains(t, videoCodec("webm"), "libvpx")
	require.Contains(t, audioCodec("webm"), "libvorbis")
	for _, format := range []string{"mp4", "mkv", "mov"} {
		require.Contains(t, videoCodec(format), "libx264")
		require.Contains(t, audioCodec(format), "aac")
		require.NotEmpty(t, muxers[format])
	}
}

func TestRate(t *testing.T) {
	for given, want := range map[string]string{
		"30000/1001": "30000/1001", "25": "25", "0/0": "25", "": "25", "90000/1": "120", "1/0": "25", "-5/1": "25", "1;2": "25",
	} {
		require.Equal(t, want, (&stream{AverageRate: given}).rate(), given)
	}
}

func TestComplaint(t *testing.T) {
	require.Equal(t, "moov atom not found; x.mp4: Invalid data found when processing input",
		complaint("[mov,mp4 @ 0x55d0] moov atom not found\nfile:/var/tmp/run/x.mp4: Invalid data found when processing input\n", "/var/tmp/run"))
	require.Equal(t, "ffmpeg failed without saying why", complaint("\n", "/tmp"))
}
