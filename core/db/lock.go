package db

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrLocked is matched by every [LockedError].
var ErrLocked = errors.New("data folder in use")

// LockedError means that another process owns the data folder.
type LockedError struct {
	Dir string
	// PID is the owner, or 0 when it could not be read.
	PID int
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("data folder %s is in use by another agentserver process", e.Dir)
	}
	return fmt.Sprintf("data folder %s is in use by another agentserver process (pid %d)", e.Dir, e.PID)
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// folderLock marks a data folder as owned by this process. The operating system
// drops it when the process ends, however it ends.
type folderLock struct{ file *os.File }

// lockFolder takes dir for this process, or fails at once with a [LockedError].
func lockFolder(dir string) (*folderLock, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock file: %w", err)
	}
	taken, err := tryLock(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	if !taken {
		_ = f.Close()
		return nil, &LockedError{Dir: dir, PID: ownerOf(path)}
	}
	// The number is only for the message of the next process, so a failure to
	// write it does not matter.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &folderLock{file: f}, nil
}

// release gives the folder back. The file stays: removing it would let two
// processes hold locks on two files of the same name.
func (l *folderLock) release() error {
	unlock(l.file)
	err := l.file.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func ownerOf(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}
