package video

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestMediaDuration(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	video := film(t, dir, "a.mp4", "red", "64x48", 2, true)
	out := mustRun(t, dir, mediaDuration, core.Values{"media_in": video})
	require.InDelta(t, 2, out["duration"], 0.1)
	sound := tone(t, dir, "a.wav", 1.5)
	out = mustRun(t, dir, mediaDuration, core.Values{"media_in": sound, "is_video": false})
	require.InDelta(t, 1.5, out["duration"], 0.01)
	_, err := runBlock(t.Context(), dir, mediaDuration, core.Values{"media_in": sound})
	require.ErrorContains(t, err, "the file holds no video")
	mute := film(t, dir, "mute.webm", "red", "64x48", 1, false)
	_, err = runBlock(t.Context(), dir, mediaDuration, core.Values{"media_in": mute, "is_video": false})
	require.ErrorContains(t, err, "the file holds no audio")
}

func TestClip(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	// One second of red, one of blue.
	both := mustRun(t, dir, concat, core.Values{"videos": []any{
		film(t, dir, "red.mp4", "red", "65x49", 1, true), film(t, dir, "blue.mp4", "blue", "65x49", 1, true),
	}})["video_out"].(string)
	for _, format := range []string{"mp4", "webm", "mkv", "mov"} {
		out := mustRun(t, dir, clip, core.Values{"video_in": both, "start_time": 0.5, "end_time": 1.5, "output_format": format})
		require.Equal(t, 1.0, out["duration"])
		path := out["video_out"].(string)
		require.Equal(t, "step_clip_step_concat_red."+format, filepath.Base(path))
		m := look(t, out)
		require.InDelta(t, 1, m.seconds, 0.1, format)
		require.NotNil(t, m.audio, format)
		require.Equal(t, map[bool]string{true: "vp8", false: "h264"}[format == "webm"], m.video.Codec)
		requireColour(t, path, 0.2, red)
		requireColour(t, path, 0.8, blue)
	}
	for _, c := range []struct {
		start, end float64
		want       string
	}{
		{3, 4, "message: Failed to clip video: start_time (3.00) should be smaller than the clip's duration (2.0"},
		{1, 4, "message: Failed to clip video: end_time (4.00) should be smaller or equal to the clip's duration (2.0"},
	} {
		_, err := runBlock(t.Context(), dir, clip, core.Values{"video_in": both, "start_time": c.start, "end_time": c.end})
		require.ErrorContains(t, err, c.want)
	}
}

// Sides that are odd are no fault of the user, and neither is sound that is missing.
func TestClipOfAnOddGIF(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	gif := filepath.Join(dir, "a.gif")
	runFFmpeg(t, "-f", "lavfi", "-i", "color=blue:s=33x11:r=10:d=1,format=rgb24", gif)
	m := look(t, mustRun(t, dir, clip, core.Values{"video_in": gif, "start_time": 0, "end_time": 0.5}))
	require.Equal(t, "34x12", size(m))
	require.Nil(t, m.audio)
}

func TestLoop(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	video := film(t, dir, "a.webm", "red", "64x48", 1, true)
	for _, c := range []struct {
		name string
		in   core.Values
		want float64
	}{
		{"number", core.Values{"n_loops": 3}, 3},
		{"length", core.Values{"duration": 2.5}, 2.5},
		{"shorter than the video", core.Values{"duration": 0.5}, 0.5},
		{"length before number", core.Values{"duration": 1.5, "n_loops": 5}, 1.5},
		{"no length, number", core.Values{"duration": 0, "n_loops": 2}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in["video_in"] = video
			out := mustRun(t, dir, loop, c.in)
			path := out["video_out"].(string)
			require.Equal(t, "step_looped_a.mp4", filepath.Base(path))
			require.InDelta(t, c.want, look(t, out).seconds, 0.12)
			// The sound is repeated as well.
			require.Greater(t, loudness(t, path, c.want-0.4, c.want-0.1), 0.05)
		})
	}
}

func TestAddAudio(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	for _, video := range []string{film(t, dir, "h264.mp4", "red", "64x48", 1, false), film(t, dir, "vp9.webm", "red", "64x48", 1, true)} {
		long := mustRun(t, dir, addAudio, core.Values{"video_in": video, "audio_in": tone(t, dir, "long.mp3", 2)})
		m := look(t, long)
		require.InDelta(t, 2, m.seconds, 0.1)
		require.Equal(t, "h264", m.video.Codec)
		path := long["video_out"].(string)
		requireColour(t, path, 0.5, red)
		full := loudness(t, path, 0.2, 1.8)
		require.Greater(t, full, 0.05)

		short := mustRun(t, dir, addAudio, core.Values{"video_in": video, "audio_in": tone(t, dir, "short.wav", 0.5), "volume": 0.5})
		require.InDelta(t, 1, look(t, short).seconds, 0.1)
		require.InDelta(t, full/2, loudness(t, short["video_out"].(string), 0.1, 0.4), full/10)
	}
	mute := film(t, dir, "mute.mp4", "red", "64x48", 1, false)
	_, err := runBlock(t.Context(), dir, addAudio, core.Values{"video_in": mute, "audio_in": mute})
	require.ErrorContains(t, err, "the file holds no audio")
}

// A film of a phone, lying on its side in the file, is joined upright.
func TestTurnedVideo(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	flat := film(t, dir, "flat.mp4", "red", "64x48", 1, false)
	turned := filepath.Join(dir, "turned.mp4")
	// Newer versions turn by an option, older ones by metadata.
	if exec.Command("ffmpeg", "-nostdin", "-v", "error", "-display_rotation:v:0", "90", "-i", flat, "-c", "copy", turned).Run() != nil {
		runFFmpeg(t, "-i", flat, "-c", "copy", "-metadata:s:v", "rotate=90", turned)
	}
	require.Equal(t, "48x64", size(look(t, mustRun(t, dir, concat, core.Values{"videos": []any{turned, flat}}))))
	require.Equal(t, "48x64", size(look(t, mustRun(t, dir, clip, core.Values{"video_in": turned, "start_time": 0, "end_time": 1}))))
}
