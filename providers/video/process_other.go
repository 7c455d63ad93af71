//go:build !unix

package video

import "os/exec"

// ownGroup does nothing where there are no process groups: the program itself
// is killed, and ffmpeg starts no others.
func ownGroup(*exec.Cmd) {}
