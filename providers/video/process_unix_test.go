//go:build unix

package video

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// script makes a program of a shell script.
func script(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
	return path
}

// What a program has started goes with it when the run is stopped, or when it
// takes too long.
func TestNothingIsLeftRunning(t *testing.T) {
	for name, limit := range map[string]time.Duration{"stopped": time.Hour, "too long": 300 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program := script(t, dir, "sleep 1000 &\necho $! >child.new\nmv child.new child\nwait")
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			ended := make(chan error, 1)
			go func() {
				_, err := execute(ctx, limit, program, dir, nil)
				ended <- err
			}()
			var child int
			if limit == time.Hour {
				require.Eventually(t, func() bool {
					text, err := os.ReadFile(filepath.Join(dir, "child"))
					child, _ = strconv.Atoi(strings.TrimSpace(string(text)))
					return err == nil
				}, time.Minute, 5*time.Millisecond)
				require.NoError(t, syscall.Kill(child, 0))
				stop()
				require.ErrorIs(t, <-ended, context.Canceled)
				require.Eventually(t, func() bool { return !alive(child) }, time.Minute, 5*time.Millisecond)
				return
			}
			err := <-ended
			require.True(t, core.IsKind(err, core.Timeout), "%v", err)
			require.ErrorContains(t, err, "it takes longer than 300ms")
		})
	}
}

// alive tells whether a process runs: one that ended and that nobody has waited
// for does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestExecute(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SECRET", "abc")
	out, err := execute(t.Context(), time.Minute, script(t, dir, `echo "$SECRET$1"; pwd; cat`), dir, []string{"a b;c"})
	require.NoError(t, err)
	require.Equal(t, "a b;c\n"+dir+"\n", string(out), "argument, folder, no environment and no input")

	_, err = execute(t.Context(), time.Minute, script(t, dir, `echo "$PWD/x.mp4: broken" >&2; yes >&2 & head -c 99999 /dev/zero >&2; kill $!; exit 1`), dir, nil)
	var failed *failure
	require.ErrorAs(t, err, &failed)
	require.True(t, strings.HasPrefix(failed.text, "x.mp4: broken; "), failed.text)
	require.LessOrEqual(t, len(failed.text), 500)

	_, err = execute(t.Context(), time.Minute, filepath.Join(dir, "none"), dir, nil)
	require.EqualError(t, err, "ffmpeg is not installed on this server")
}

// What was cut off at the largest size is not taken for the whole.
func TestOutputTooLarge(t *testing.T) {
	dir := t.TempDir()
	configure(t, settings{FFmpeg: script(t, dir, fmt.Sprintf(`for out; do :; done; truncate -s %d "${out#file:}"`, maxOutput)), Jobs: 1, Threads: 1})
	err := ffmpeg(t.Context(), &core.LocalFile{Path: filepath.Join(dir, "a.mp4")}, "mp4", 1, nil)
	require.True(t, core.IsKind(err, core.TooLarge), "%v", err)
}

// No more videos are made at a time than the operator allows, and who waits
// can be stopped.
func TestJobs(t *testing.T) {
	dir := t.TempDir()
	configure(t, settings{FFmpeg: script(t, dir, `for out; do :; done
mkdir lock || exit 1
sleep 0.05
rmdir lock
echo x >"${out#file:}"`), Jobs: 1, Threads: 1})
	m := &media{file: &core.LocalFile{Path: "in.mp4", Name: "in.mp4"}}
	encodeOne := func(ctx context.Context, node string) error {
		_, err := encode(ctx, &core.Run{NodeExecID: node, Files: disk{dir}}, "clip", m, "mp4", 1)
		return err
	}
	ended := make(chan error, 5)
	for i := range 5 {
		go func() { ended <- encodeOne(context.Background(), strconv.Itoa(i)) }()
	}
	for range 5 {
		require.NoError(t, <-ended)
	}

	require.NoError(t, jobs.Acquire(t.Context(), 1))
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- encodeOne(ctx, "waits") }()
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
}
