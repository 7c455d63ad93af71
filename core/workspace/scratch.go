package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"agentserver/core"
)

// scratch is the space on disk that blocks have while they run: a folder for
// each node run, in one for the process.
type scratch struct {
	root   string
	lock   *flock.Flock
	maxRun int64 // bytes of all nodes of a run together

	mu   sync.Mutex
	runs map[string]*usage
}

// usage is what a run has on disk.
type usage struct {
	bytes atomic.Int64
	nodes map[string]*node
}

// node is what one node run has on disk.
type node struct {
	run   *usage
	dir   string
	bytes atomic.Int64
}

// openScratch makes the process's folder below base and removes those of
// processes that are gone, whose locks nobody holds.
func openScratch(base string, maxRun int64) (*scratch, error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for temporary files: %w", err)
	}
	root, err := filepath.Abs(filepath.Join(base, uuid.NewString()))
	if err != nil {
		return nil, fmt.Errorf("making the folder for temporary files: %w", err)
	}
	// The lock comes first, so that no other process takes the folder for left.
	lock := flock.New(root + ".lock")
	if _, err := lock.TryLock(); err != nil {
		return nil, fmt.Errorf("locking the folder for temporary files: %w", err)
	}
	if err := os.Mkdir(root, 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("making the folder for temporary files: %w", err), lock.Unlock())
	}
	removeLeft(base, root)
	return &scratch{root: root, lock: lock, maxRun: maxRun, runs: map[string]*usage{}}, nil
}

// newbornAge is how old a lock must be before it can be one that was left: a
// process that is starting has made its file a moment before it holds it.
const newbornAge = time.Minute

// removeLeft removes the folders whose processes are gone. What cannot be
// removed stays for the next start.
func removeLeft(base, own string) {
	locks, _ := filepath.Glob(filepath.Join(base, "*.lock"))
	for _, file := range locks {
		root := strings.TrimSuffix(file, ".lock")
		info, err := os.Stat(file)
		if root == own || err != nil || time.Since(info.ModTime()) < newbornAge {
			continue
		}
		lock := flock.New(file)
		if held, err := lock.TryLock(); err != nil || !held {
			continue
		}
		if os.RemoveAll(root) == nil {
			_ = os.Remove(file)
		}
		_ = lock.Unlock()
	}
}

// close removes the process's folder.
func (s *scratch) close() error {
	err := os.RemoveAll(s.root)
	return errors.Join(err, os.Remove(s.lock.Path()), s.lock.Unlock())
}

// safeID are ids that are good names of folders.
var safeID = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// of gives the space of a node run, making its folder at the first call.
func (s *scratch) of(run *core.Run) (*node, error) {
	if !safeID.MatchString(run.GraphExecID) || !safeID.MatchString(run.NodeExecID) {
		return nil, core.Errorf(core.Unavailable, "files need a run")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.runs[run.GraphExecID]
	if u == nil {
		u = &usage{nodes: map[string]*node{}}
		s.runs[run.GraphExecID] = u
	}
	n := u.nodes[run.NodeExecID]
	if n == nil {
		n = &node{run: u, dir: filepath.Join(s.root, run.GraphExecID, run.NodeExecID)}
		if err := os.MkdirAll(n.dir, 0o700); err != nil {
			return nil, fmt.Errorf("making a folder for temporary files: %w", err)
		}
		u.nodes[run.NodeExecID] = n
	}
	return n, nil
}

// release removes what a node run has.
func (s *scratch) release(run *core.Run) error {
	n := s.forget(run)
	if n == nil {
		return nil
	}
	err := os.RemoveAll(n.dir) // which may take a while, so others are not kept waiting
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs[run.GraphExecID] == nil {
		_ = os.Remove(filepath.Dir(n.dir))
	}
	return err
}

// forget takes a node run out of the books.
func (s *scratch) forget(run *core.Run) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.runs[run.GraphExecID]
	if u == nil || u.nodes[run.NodeExecID] == nil {
		return nil
	}
	n := u.nodes[run.NodeExecID]
	delete(u.nodes, run.NodeExecID)
	u.bytes.Add(-n.bytes.Load())
	if len(u.nodes) == 0 {
		delete(s.runs, run.GraphExecID)
	}
	return n
}

// remove removes one file of a node run.
func (s *scratch) remove(run *core.Run, file *core.LocalFile) error {
	n, err := s.of(run)
	if err != nil {
		return err
	}
	n.bytes.Add(-file.Size)
	n.run.bytes.Add(-file.Size)
	return os.Remove(file.Path)
}

// place gives a free place in the folder for a file of that name. Only its
// extension is taken over: names of users never become names on disk.
func (n *node) place(name string) string {
	ext := filepath.Ext(name)
	if !safeExt.MatchString(ext) {
		ext = ""
	}
	return filepath.Join(n.dir, uuid.NewString()+strings.ToLower(ext))
}

var safeExt = regexp.MustCompile(`^\.[0-9A-Za-z]{1,10}$`)

// write copies content to a file and gives its size. It stops with an error of
// kind TooLarge after most bytes, or beyond what the run may have.
func (s *scratch) write(ctx context.Context, n *node, path string, from io.Reader, most int64) (size int64, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("making a temporary file: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			_ = os.Remove(path)
			n.bytes.Add(-size)
			n.run.bytes.Add(-size)
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return size, err
		}
		k, readErr := from.Read(buf)
		if k > 0 {
			size += int64(k)
			n.bytes.Add(int64(k))
			all := n.run.bytes.Add(int64(k))
			switch {
			case size > most:
				return size, tooLarge(most)
			case all > s.maxRun:
				return size, core.Errorf(core.TooLarge, "the run has more than %d MB of temporary files", s.maxRun>>20)
			}
			if _, err := f.Write(buf[:k]); err != nil {
				return size, fmt.Errorf("writing a temporary file: %w", err)
			}
		}
		if errors.Is(readErr, io.EOF) {
			return size, nil
		}
		if readErr != nil {
			return size, readErr
		}
	}
}
