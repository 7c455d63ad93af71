package bench

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binary builds the command once for the benchmarks of whole processes.
func binary(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "agentserver")
	build := exec.Command("go", "build", "-o", path, "agentserver")
	out, err := build.CombinedOutput()
	require.NoError(b, err, "%s", out)
	return path
}

// freePort gives an address that nothing listens on.
func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	return l.Addr().String()
}

// launch starts the server on an empty folder and waits for its first answer.
func launch(b *testing.B, path, dir string) (cmd *exec.Cmd, address string) {
	b.Helper()
	address = freePort(b)
	cmd = exec.Command(path, "serve", "--listen", address)
	cmd.Dir = dir
	require.NoError(b, cmd.Start())
	for {
		res, err := http.Get("http://" + address + "/health")
		if err == nil {
			require.NoError(b, res.Body.Close())
			return cmd, address
		}
		time.Sleep(time.Millisecond)
	}
}

func end(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	require.NoError(b, cmd.Process.Kill())
	_ = cmd.Wait()
}

// BenchmarkStart measures the time from the start of the process on an empty
// folder, and on one that is up to date, to its first answer.
func BenchmarkStart(b *testing.B) {
	path := binary(b)
	b.Run("empty folder", func(b *testing.B) {
		for range b.N {
			cmd, _ := launch(b, path, b.TempDir())
			end(b, cmd)
		}
	})
	b.Run("again", func(b *testing.B) {
		dir := b.TempDir()
		cmd, _ := launch(b, path, dir)
		end(b, cmd)
		b.ResetTimer()
		for range b.N {
			cmd, _ := launch(b, path, dir)
			end(b, cmd)
		}
	})
}

// BenchmarkFirstRun measures the time from the start of the process on an
// empty folder to the first finished run, through the run command.
func BenchmarkFirstRun(b *testing.B) {
	path := binary(b)
	agent, err := filepath.Abs("../examples/greeting.json")
	require.NoError(b, err)
	b.ResetTimer()
	for range b.N {
		cmd := exec.Command(path, "run", agent, "-i", "name=Ada")
		cmd.Dir = b.TempDir()
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
}

// BenchmarkIdleMemory reports the resident memory of a server that has been
// idle for three seconds.
func BenchmarkIdleMemory(b *testing.B) {
	path := binary(b)
	cmd, _ := launch(b, path, b.TempDir())
	time.Sleep(3 * time.Second)
	b.ReportMetric(memory(b, cmd, "VmRSS:"), "MB")
	end(b, cmd)
}

// memory is one of the figures that Linux gives of a process, in MB: VmRSS for
// the memory that it has, VmHWM for the most that it has had.
func memory(b *testing.B, cmd *exec.Cmd, name string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	require.NoError(b, err)
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, name); ok {
			var kb float64
			_, err := fmt.Sscan(text, &kb)
			require.NoError(b, err)
			return kb / 1024
		}
	}
	b.Fatalf("the process has no figure %s", name)
	return 0
}
