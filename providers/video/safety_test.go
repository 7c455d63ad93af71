package video

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// Files that are lists of further files and addresses, whatever their names
// say, are not followed. Each would work if they were: the file and the server
// that they name have video.
func TestPlaylistsAreNotFollowed(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	secret := film(t, dir, "secret.ts", "red", "64x48", 1, true)
	innocent := film(t, dir, "innocent.mp4", "blue", "64x48", 1, true)
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.ServeFile(w, r, secret)
	}))
	t.Cleanup(server.Close)

	hls := func(uri string) string {
		return "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n" + uri + "\n#EXT-X-ENDLIST\n"
	}
	dash := func(uri string) string {
		return `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">` +
			`<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>` + uri + `</BaseURL></Representation></AdaptationSet></Period></MPD>`
	}
	for _, c := range []struct{ name, ext, text string }{
		{"hls of a file", ".m3u8", hls("secret.ts")},
		{"hls of a path", ".m3u8", hls("file://" + secret)},
		{"hls of an address", ".m3u8", hls(server.URL + "/a.ts")},
		{"hls of passwd", ".m3u8", hls("/etc/passwd")},
		{"concat of a file", ".ffconcat", "ffconcat version 1.0\nfile secret.ts\n"},
		{"concat of passwd", ".ffconcat", "ffconcat version 1.0\nfile /etc/passwd\n"},
		{"concat of an address", ".ffconcat", "ffconcat version 1.0\nfile " + server.URL + "/a.ts\n"},
		{"dash of an address", ".mpd", dash(server.URL + "/a.mp4")},
		{"dash of a file", ".mpd", dash("innocent.mp4")},
		{"sdp", ".sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := write(t, dir, "bad.mp4", c.text)
			for block, in := range map[core.Block]core.Values{
				mediaDuration: {"media_in": bad},
				clip:          {"video_in": bad, "start_time": 0, "end_time": 0.5},
				loop:          {"video_in": bad, "n_loops": 1},
				addAudio:      {"video_in": innocent, "audio_in": bad},
				concat:        {"videos": []any{innocent, bad}},
			} {
				out, err := runBlock(t.Context(), dir, block, in)
				require.ErrorContains(t, err, "the file is ", block.Spec().Name)
				require.NotContains(t, err.Error(), "root:")
				require.Empty(t, out)
			}
			named := write(t, dir, "bad"+c.ext, c.text)
			_, err := probe(t.Context(), &core.LocalFile{Path: named})
			require.True(t, core.IsKind(err, core.Invalid), "%v", err)
			// Nor does ffmpeg follow them, when ffprobe has not refused them before.
			made := &core.LocalFile{Path: filepath.Join(dir, "made.mp4")}
			err = ffmpeg(t.Context(), made, "mp4", 1, [][]string{inputOf(&media{file: &core.LocalFile{Path: named}})})
			require.True(t, core.IsKind(err, core.Invalid), "%v", err)
		})
	}
	require.Zero(t, asked.Load(), "requests to the server")
}

// The name of an input is no pattern and no address for ffmpeg.
func TestNamesAreNames(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	for _, name := range []string{"concat:a|b.mp4", "-y.mp4", "%03d.mp4", "http:host.mp4"} {
		made := film(t, dir, "plain.mp4", "red", "64x48", 1, false)
		odd := filepath.Join(dir, name)
		require.NoError(t, os.Link(made, odd))
		out := mustRun(t, dir, mediaDuration, core.Values{"media_in": odd})
		require.InDelta(t, 1, out["duration"], 0.1, name)
	}
}

func TestTooMuchWork(t *testing.T) {
	needFFmpeg(t)
	config.MaxSeconds = 3
	dir := t.TempDir()
	small := film(t, dir, "small.mp4", "red", "64x48", 2, true)
	large := film(t, dir, "large.avi", "red", "8190x1200", 0.2, false)
	for name, c := range map[string]struct {
		block core.Block
		in    core.Values
		want  string
	}{
		"long loop":   {loop, core.Values{"video_in": small, "n_loops": 10}, "the video would be 20."},
		"long film":   {loop, core.Values{"video_in": small, "duration": 3600}, "the video would be 3600.00 seconds long, and the most here is 3"},
		"long join":   {concat, core.Values{"videos": []any{small, small}}, "Failed to concatenate videos: the video would be 4."},
		"long sound":  {addAudio, core.Values{"video_in": small, "audio_in": tone(t, dir, "long.wav", 5)}, "the video would be 5.00 seconds long"},
		"large clip":  {clip, core.Values{"video_in": large, "start_time": 0, "end_time": 0.1}, "Failed to clip video: the video has 8190 by 1200 pixels"},
		"large join":  {concat, core.Values{"videos": []any{small, large}}, "video 2: the video has 8190 by 1200 pixels"},
		"large film":  {addAudio, core.Values{"video_in": large, "audio_in": small}, "the video has 8190 by 1200 pixels"},
		"large round": {loop, core.Values{"video_in": large, "n_loops": 1}, "the video has 8190 by 1200 pixels"},
	} {
		_, err := runBlock(t.Context(), dir, c.block, c.in)
		require.ErrorContains(t, err, c.want, name)
	}
	// ffmpeg itself refuses pictures that grow after the first.
	m := &media{file: &core.LocalFile{Path: large}, video: &stream{}}
	err := ffmpeg(t.Context(), &core.LocalFile{Path: filepath.Join(dir, "x.mp4")}, "mp4", 1, [][]string{inputOf(m)})
	require.ErrorContains(t, err, "Picture size")
}

func TestWork(t *testing.T) {
	hd := &media{seconds: 3600, video: &stream{Width: 1920, Height: 1080, AverageRate: "30/1"}}
	configure(t, settings{MaxSeconds: 3600, Jobs: 1})
	require.NoError(t, hd.checkWork(3600))
	hd.video.AverageRate = "60/1"
	require.ErrorContains(t, hd.checkWork(3600), "too many pixels")
	require.NoError(t, hd.checkWork(1800))
	for _, size := range [][2]int{{0, 10}, {10, -1}, {1 << 31, 1 << 31}, {1 << 62, 4}} {
		require.Error(t, (&stream{Width: size[0], Height: size[1]}).checkSize())
	}
}
