package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand makes the test binary behave as the command itself, so that tests
// can start, kill and restart real processes.
const asCommand = "TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		registerTestBlocks()
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a running command.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	done   chan struct{}
}

// command prepares the command with arguments. Its environment is clean but
// for what env adds.
func command(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{asCommand + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir()}, env...)
	return cmd
}

// output runs a command to its end.
func output(t *testing.T, dir string, env []string, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	cmd := command(t, dir, env, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// start starts a command that runs until it is stopped.
func start(t *testing.T, dir string, env []string, args ...string) *process {
	p := &process{t: t, cmd: command(t, dir, env, args...), stderr: &bytes.Buffer{}, done: make(chan struct{})}
	pipe, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		_, _ = io.Copy(p.stderr, bufio.NewReader(pipe))
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	_ = p.cmd.Wait()
}

// stop asks the process to end and gives its exit code.
func (p *process) stop() int {
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.done
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// freeAddress gives an address that nothing listens on.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// api calls a server.
type api struct {
	t       *testing.T
	address string
	token   string
}

// serving starts a server in a folder and waits until it is well.
func serving(t *testing.T, dir, address string, env ...string) (*process, *api) {
	p := start(t, dir, append(env, "AGENTSERVER_LISTEN="+address), "serve")
	a := &api{t: t, address: address}
	a.awaitHealth(p)
	out, _, code := output(t, dir, env, "token", "--email", "test@example.com")
	require.Zero(t, code)
	a.token = strings.TrimSpace(out)
	return p, a
}

func (a *api) awaitHealth(p *process) {
	require.Eventually(a.t, func() bool {
		select {
		case <-p.done:
			require.FailNow(a.t, "the server ended", "%s", p.stderr)
		default:
		}
		res, err := http.Get("http://" + a.address + "/health")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, time.Minute, 20*time.Millisecond, "the server does not become healthy")
}

// try sends a request.
func (a *api) try(method, path string, body any) (int, []byte, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	default:
		data, err := json.Marshal(b)
		require.NoError(a.t, err)
		r = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+a.address+path, r)
	require.NoError(a.t, err)
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res.StatusCode, data, err
}

// call sends a request that must succeed, and reads its answer.
func (a *api) call(method, path string, body, out any) {
	status, data, err := a.try(method, path, body)
	require.NoError(a.t, err)
	require.Less(a.t, status, 300, "%s %s: %s", method, path, data)
	if out != nil {
		require.NoError(a.t, json.Unmarshal(data, out), "%s", data)
	}
}

// run is a run as the API tells of it.
type run struct {
	ID             string           `json:"id"`
	Status         string           `json:"status"`
	Outputs        map[string][]any `json:"outputs"`
	NodeExecutions []struct {
		ID     string `json:"node_exec_id"`
		NodeID string `json:"node_id"`
		Status string `json:"status"`
	} `json:"node_executions"`
}

// await gives a run at its end.
func (a *api) await(graphID, runID string) run {
	var r run
	require.Eventually(a.t, func() bool {
		a.call("GET", fmt.Sprintf("/api/graphs/%s/executions/%s", graphID, runID), nil, &r)
		return r.Status == "COMPLETED" || r.Status == "FAILED" || r.Status == "TERMINATED"
	}, 2*time.Minute, 20*time.Millisecond, "the run does not end")
	return r
}
