package video

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"agentserver/core"
)

// locate gives the absolute path of a program that the settings name. Its
// error says that the program is not installed.
func locate(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", core.WithCause(core.NotConfigured, err, "ffmpeg is not installed on this server")
	}
	return path, nil
}

// installed is an error when one of the programs is missing. Blocks ask before
// they copy files.
func installed() error {
	if _, err := locate(config.FFmpeg); err != nil {
		return err
	}
	_, err := locate(config.FFprobe)
	return err
}

// Bounds of what programs may write to their standard output and error, of
// which the rest is dropped.
const (
	maxStdout = 1 << 20
	maxStderr = 4 << 10
)

// failure is what a program said when it failed.
type failure struct{ text string }

func (f *failure) Error() string { return f.text }

// execute runs a program in a folder until it ends, ctx ends or the time is up,
// and gives what it printed. No child of it survives. When the program itself
// fails, the error is a [*failure].
func execute(ctx context.Context, limit time.Duration, program, dir string, args []string) ([]byte, error) {
	path, err := locate(program)
	if err != nil {
		return nil, err
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stdout, stderr := &head{most: maxStdout}, &head{most: maxStderr}
	cmd := exec.CommandContext(timed, path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, stdout, stderr
	// Not this process's environment, which may hold secrets.
	cmd.Env = []string{"LC_ALL=C"}
	cmd.WaitDelay = 5 * time.Second
	ownGroup(cmd)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case timed.Err() != nil:
		return nil, core.Errorf(core.Timeout, "it takes longer than %s", limit)
	case errors.As(err, &exit):
		return nil, &failure{complaint(stderr.String(), dir)}
	}
	return nil, core.WithCause(core.Internal, err, filepath.Base(program)+" could not be run on this server")
}

// head keeps the first bytes of what is written to it.
type head struct {
	bytes.Buffer
	most int
}

// Write takes everything, so that the program goes on.
func (h *head) Write(p []byte) (int, error) {
	if room := h.most - h.Len(); room > 0 {
		_, _ = h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// speaker is what ffmpeg puts before its messages: the part that speaks, and
// its address in memory.
var speaker = regexp.MustCompile(`(?m)^(\[[^\]\n]* @ 0x[0-9a-f]+\] ?)+`)

// complaint shortens what a program wrote on its standard error for people:
// its first lines, each once, without the place of files on this machine.
func complaint(stderr, dir string) string {
	stderr = strings.ReplaceAll(stderr, "file:", "")
	stderr = strings.ReplaceAll(stderr, dir+string(filepath.Separator), "")
	stderr = strings.ReplaceAll(stderr, dir, "")
	stderr = speaker.ReplaceAllString(stderr, "")
	var lines []string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(strings.ToValidUTF8(line, "?"))
		if line != "" && len(lines) < 3 && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	text := []rune(strings.Join(lines, "; "))
	if len(text) == 0 {
		return "ffmpeg failed without saying why"
	}
	return string(text[:min(len(text), 500)])
}
