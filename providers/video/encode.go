package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"agentserver/core"
)

// maxOutput is the most bytes of a video that a block makes.
const maxOutput = 100 << 20

// baseTime is how long ffmpeg may take for any video, to which the length of
// the video is added.
const baseTime = 10 * time.Minute

// inputOf gives the arguments that open a file, options of its own before it.
func inputOf(m *media, options ...string) []string {
	args := []string{
		"-protocol_whitelist", "file", "-format_whitelist", readable,
		// What a file says of itself may change on the way.
		"-max_pixels", strconv.Itoa(maxPixels),
		"-threads", strconv.Itoa(config.Threads),
	}
	args = append(args, options...)
	return append(args, "-i", "file:"+m.file.Path)
}

// mapOf gives the arguments that take a stream of the n-th input.
func mapOf(n int, s *stream) []string {
	if s == nil {
		return nil
	}
	return []string{"-map", strconv.Itoa(n) + ":" + strconv.Itoa(s.Index)}
}

// steady gives the filter that makes a video's pictures come at one rate and
// its sides even.
func steady(s *stream) string {
	return fmt.Sprintf("fps=%s,scale=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p", s.rate())
}

// encode lets ffmpeg make a video of so many seconds at most, waiting for its
// turn, stores it, and gives its reference. args are those of inputs, streams and
// encoders; op and source name the file.
func encode(ctx context.Context, run *core.Run, op string, source *media, format string, seconds float64, args ...[]string) (string, error) {
	out, err := run.Files.Create(ctx, run, outputName(run, op, source.file, format))
	if err != nil {
		return "", err
	}
	if err := jobs.Acquire(ctx, 1); err != nil {
		return "", err
	}
	err = ffmpeg(ctx, out, format, seconds, args)
	jobs.Release(1)
	if err != nil {
		return "", err
	}
	return run.Files.Store(ctx, run, out)
}

// ffmpeg makes a video. A result that was cut off at its largest size is an
// error.
func ffmpeg(ctx context.Context, out *core.LocalFile, format string, seconds float64, args [][]string) error {
	threads := strconv.Itoa(config.Threads)
	line := []string{
		"-nostdin", "-hide_banner", "-v", "error", "-y", "-max_alloc", strconv.Itoa(512 << 20),
		"-filter_threads", threads, "-filter_complex_threads", threads, "-abort_on", "empty_output",
	}
	for _, a := range args {
		line = append(line, a...)
	}
	line = append(
		line, "-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn",
		"-t", decimal(seconds), "-fs", strconv.Itoa(maxOutput), "-threads", threads,
	)
	if format == "mp4" {
		line = append(line, "-movflags", "+faststart")
	}
	line = append(line, "-f", muxers[format], "file:"+out.Path)
	limit := baseTime + time.Duration(seconds*float64(time.Second))
	_, err := execute(ctx, limit, config.FFmpeg, filepath.Dir(out.Path), line)
	var failed *failure
	if errors.As(err, &failed) {
		return core.Errorf(core.Invalid, "%s", failed.text)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(out.Path)
	if err != nil {
		return fmt.Errorf("looking at the video made: %w", err)
	}
	if info.Size() >= maxOutput {
		return core.Errorf(core.TooLarge, "the video would be larger than %d MB", maxOutput>>20)
	}
	return nil
}

// failing puts what failed before an error, but not before those that are not
// about the video: of ctx, and of programs that are missing.
func failing(what string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || core.IsKind(err, core.NotConfigured) {
		return err
	}
	return core.Errorf(core.KindOf(err), "Failed to %s: %w", what, err)
}
