//go:build unix

package video

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a program the head of a process group that is killed as a
// whole, with whatever the program has started.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
