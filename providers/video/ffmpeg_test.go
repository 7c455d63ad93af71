package video

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// needFFmpeg skips on machines without the programs, and otherwise sets the
// provider up with them.
func needFFmpeg(t *testing.T) {
	t.Helper()
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("this test needs %s", program)
		}
	}
	configure(t, settings{FFmpeg: "ffmpeg", FFprobe: "ffprobe", MaxSeconds: 60, Jobs: 2, Threads: 1})
}

// disk are files whose references are their paths.
type disk struct{ dir string }

var _ core.Files = disk{}

func (d disk) Local(_ context.Context, _ *core.Run, ref string) (*core.LocalFile, error) {
	return &core.LocalFile{Path: ref, Name: filepath.Base(ref)}, nil
}

func (d disk) Create(_ context.Context, _ *core.Run, name string) (*core.LocalFile, error) {
	return &core.LocalFile{Path: filepath.Join(d.dir, name), Name: name}, nil
}

func (d disk) Store(_ context.Context, _ *core.Run, file *core.LocalFile) (string, error) {
	return file.Path, nil
}

func (d disk) Open(context.Context, *core.Run, string) (data []byte, mime, name string, err error) {
	return nil, "", "", core.Errorf(core.Unavailable, "blocks work with files on disk")
}

func (d disk) Put(context.Context, *core.Run, []byte, string, string) (string, error) {
	return "", core.Errorf(core.Unavailable, "blocks work with files on disk")
}

// result are the outputs of a block by pin.
type result map[string]any

// runBlock runs a block on files of a folder.
func runBlock(ctx context.Context, dir string, b core.Block, in core.Values) (result, error) {
	out := result{}
	run := &core.Run{GraphExecID: "run", NodeExecID: "step", Files: disk{dir}}
	err := core.Execute(ctx, b, run, in, func(pin string, value any) error {
		out[pin] = value
		return nil
	})
	return out, err
}

// mustRun runs a block that must not fail.
func mustRun(t *testing.T, dir string, b core.Block, in core.Values) result {
	t.Helper()
	out, err := runBlock(t.Context(), dir, b, in)
	require.NoError(t, err)
	return out
}

// runFFmpeg runs ffmpeg for a test and gives what it prints.
func runFFmpeg(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...)...)
	out, err := cmd.Output()
	require.NoError(t, err, "%v", err)
	return out
}

// film makes a video of one colour, with a tone if it is to have one, and gives
// its path.
func film(t *testing.T, dir, name, colour, size string, length float64, tone bool) string {
	t.Helper()
	path := filepath.Join(dir, name)
	args := []string{"-f", "lavfi", "-i", "color=" + colour + ":s=" + size + ":r=10:d=" + decimal(length)}
	if tone {
		args = append(args, "-f", "lavfi", "-i", "sine=frequency=440:duration="+decimal(length))
	}
	runFFmpeg(t, append(args, path)...)
	return path
}

// tone makes a sound file.
func tone(t *testing.T, dir, name string, length float64) string {
	t.Helper()
	path := filepath.Join(dir, name)
	runFFmpeg(t, "-f", "lavfi", "-i", "sine=frequency=440:duration="+decimal(length), path)
	return path
}

// look tells what is in a file that a block made.
func look(t *testing.T, out result) *media {
	t.Helper()
	path, _ := out["video_out"].(string)
	m, err := probe(t.Context(), &core.LocalFile{Path: path})
	require.NoError(t, err)
	return m
}

// colourAt gives red, green and blue of a video at a time, on average over the
// middle of the picture.
func colourAt(t *testing.T, path string, at float64) [3]int {
	t.Helper()
	rgb := runFFmpeg(t, "-ss", decimal(at), "-i", path, "-frames:v", "1", "-vf", "crop=iw/2:ih/2,scale=1:1:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
	require.Len(t, rgb, 3, "no picture at %v", at)
	return [3]int{int(rgb[0]), int(rgb[1]), int(rgb[2])}
}

func requireColour(t *testing.T, path string, at float64, want [3]int) {
	t.Helper()
	got := colourAt(t, path, at)
	for i := range want {
		require.InDelta(t, want[i], got[i], 40, "colour %v at %v, not %v", got, at, want)
	}
}

var (
	red   = [3]int{255, 0, 0}
	blue  = [3]int{0, 0, 255}
	black = [3]int{0, 0, 0}
)

// loudness gives the root mean square of the sound from one time to another,
// full scale being 1.
func loudness(t *testing.T, path string, from, to float64) float64 {
	t.Helper()
	pcm := runFFmpeg(t, "-i", path, "-map", "0:a:0", "-af", "atrim="+decimal(from)+":"+decimal(to), "-ac", "1", "-f", "s16le", "-")
	samples := len(pcm) / 2
	require.NotZero(t, samples, "no sound from %v to %v", from, to)
	var sum float64
	for i := range samples {
		x := float64(int16(binary.LittleEndian.Uint16(pcm[2*i:]))) / 32768
		sum += x * x
	}
	return math.Sqrt(sum / float64(samples))
}

// silent is what is taken for silence; the tones of tests are above 0.05.
const silent = 0.005

func size(m *media) string {
	return strconv.Itoa(m.video.Width) + "x" + strconv.Itoa(m.video.Height)
}

// write makes a file of a text.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
