package workspace_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/rest"
	"agentserver/core/workspace"
)

func node(id string) *core.Run {
	return &core.Run{UserID: "ada", GraphID: "graph", GraphExecID: "run", NodeExecID: id}
}

func TestLocal(t *testing.T) {
	temp := t.TempDir()
	files, err := workspace.OpenFiles(workspace.Options{TempDir: temp, MaxFile: 1000, MaxRun: 2500})
	require.NoError(t, err)
	f, err := files.Local(t.Context(), node("n1"), core.DataURI([]byte(png), "image/png"))
	require.NoError(t, err)
	require.Equal(t, ".png", filepath.Ext(f.Path))
	require.Equal(t, "image/png", f.MIME)
	require.EqualValues(t, len(png), f.Size)
	data, err := os.ReadFile(f.Path)
	require.NoError(t, err)
	require.Equal(t, png, string(data))

	again, err := files.Local(t.Context(), node("n1"), core.DataURI([]byte(png), "image/png"))
	require.NoError(t, err)
	require.NotEqual(t, f.Path, again.Path, "whoever changes one does not change the other")

	made, err := files.Create(t.Context(), node("n2"), "../../etc/pass wd.MP4")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(made.Path, temp), made.Path)
	require.Equal(t, ".mp4", filepath.Ext(made.Path))
	require.Equal(t, "pass wd.MP4", made.Name)
	_, err = files.Store(t.Context(), node("n2"), made)
	require.ErrorContains(t, err, "the file was not made")

	// Each file, and all of a run together, have limits.
	big := core.DataURI(make([]byte, 1000), "text/plain")
	_, err = files.Local(t.Context(), node("n2"), core.DataURI(make([]byte, 1001), "text/plain"))
	require.True(t, core.IsKind(err, core.TooLarge), "%v", err)
	for range 2 {
		_, err = files.Local(t.Context(), node("n2"), big)
		require.NoError(t, err)
	}
	_, err = files.Local(t.Context(), node("n1"), big)
	require.ErrorContains(t, err, "of temporary files")

	// What a node has goes when it ends, and makes room.
	require.NoError(t, files.Release(node("n2")))
	require.NoError(t, files.Release(node("n2")))
	require.NoDirExists(t, filepath.Dir(made.Path))
	require.FileExists(t, f.Path)
	_, err = files.Local(t.Context(), node("n1"), big)
	require.NoError(t, err)
	require.NoError(t, files.Close())
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left)
}

// Nodes of one run come and go side by side.
func TestLocalAtOnce(t *testing.T) {
	temp := t.TempDir()
	files, err := workspace.OpenFiles(workspace.Options{TempDir: temp})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			run := node(fmt.Sprint("n", i))
			for range 50 {
				if _, err := files.Local(context.Background(), run, core.DataURI([]byte(png), "image/png")); err != nil {
					t.Error(err)
				}
				if err := files.Release(run); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	left, err := filepath.Glob(filepath.Join(temp, "*", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoError(t, files.Close())
}

func TestLocalRefusesOddRuns(t *testing.T) {
	files := open(t, nil, 0)
	for _, run := range []*core.Run{{GraphExecID: "..", NodeExecID: "n"}, {GraphExecID: "r", NodeExecID: "a/b"}, {}} {
		_, err := files.Local(t.Context(), run, core.DataURI([]byte("x"), "text/plain"))
		require.Error(t, err)
	}
}

// A stream without end fills neither disk nor memory.
func TestLocalStopsEndlessDownloads(t *testing.T) {
	files, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<20)
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	_, err := files.Local(t.Context(), node("n"), base+"/film.mp4")
	require.True(t, core.IsKind(err, core.TooLarge), "%v", err)
	require.ErrorContains(t, err, "100 MB")
}

// The folder of a process that was killed goes when another one starts.
func TestFoldersOfDeadProcesses(t *testing.T) {
	temp := t.TempDir()
	dead := filepath.Join(temp, "dead")
	require.NoError(t, os.MkdirAll(filepath.Join(dead, "run"), 0o700))
	require.NoError(t, os.WriteFile(dead+".lock", nil, 0o600))
	alive, err := workspace.OpenFiles(workspace.Options{TempDir: temp})
	require.NoError(t, err)
	require.DirExists(t, dead, "it may be starting")
	f, err := alive.Local(t.Context(), node("n"), core.DataURI([]byte("x"), "text/plain"))
	require.NoError(t, err)
	hourAgo := time.Now().Add(-time.Hour)
	locks, err := filepath.Glob(filepath.Join(temp, "*.lock"))
	require.NoError(t, err)
	require.Len(t, locks, 2)
	for _, lock := range locks {
		require.NoError(t, os.Chtimes(lock, hourAgo, hourAgo))
	}
	next, err := workspace.OpenFiles(workspace.Options{TempDir: temp})
	require.NoError(t, err)
	require.NoDirExists(t, dead)
	require.NoFileExists(t, dead+".lock")
	require.FileExists(t, f.Path)
	require.NoError(t, next.Close())
	require.NoError(t, alive.Close())
}

func TestWorkspaceReferences(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		bucket, err := workspace.OpenBucket(t.Context(), "", t.TempDir())
		require.NoError(t, err)
		service := workspace.NewService(workspace.Deps{DB: d, Bucket: bucket, Log: slog.New(slog.DiscardHandler)})
		files, err := workspace.OpenFiles(workspace.Options{
			HTTP: rest.NewClient(rest.Options{}), TempDir: t.TempDir(), Service: service, MaxFile: 1000,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, files.Close()) })

		ref, err := files.Put(t.Context(), node("n"), []byte("hello"), "", "a b.txt")
		require.NoError(t, err)
		require.Regexp(t, `^workspace://[0-9a-f-]{36}#text/plain$`, ref)
		for _, c := range []struct{ ref, kind string }{
			{ref, "text/plain"},
			{strings.TrimSuffix(ref, "#text/plain"), "text/plain"},
			{strings.Replace(ref, "text/plain", "", 1), "text/plain"},
			{strings.Replace(ref, "text/plain", "Video/MP4", 1), "video/mp4"},
			{"workspace:///runs/run/a b.txt#x/y", "x/y"},
			{"WORKSPACE:///runs/run/./a b.txt", "text/plain"},
		} {
			data, kind, name, err := files.Open(t.Context(), node("m"), c.ref)
			require.NoError(t, err, c.ref)
			require.Equal(t, []string{"hello", c.kind, "a b.txt"}, []string{string(data), kind, name}, c.ref)
			onDisk, err := files.Local(t.Context(), node("m"), c.ref)
			require.NoError(t, err)
			require.EqualValues(t, 5, onDisk.Size)
		}
		stranger := node("n")
		stranger.UserID = "eve"
		for _, bad := range []struct {
			run *core.Run
			ref string
		}{{stranger, ref}, {node("n"), "workspace://"}, {node("n"), "workspace://nope"}, {node("n"), "workspace:///../../etc/passwd"}} {
			_, _, _, err := files.Open(t.Context(), bad.run, bad.ref)
			require.True(t, core.IsKind(err, core.NotFound), bad.ref)
			_, err = files.Local(t.Context(), bad.run, bad.ref)
			require.True(t, core.IsKind(err, core.NotFound), bad.ref)
		}
		_, _, _, err = files.Open(t.Context(), &core.Run{}, ref)
		require.True(t, core.IsKind(err, core.Unavailable))

		// A later file of the same name does not replace the first.
		made, err := files.Create(t.Context(), node("n"), "a b.txt")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(made.Path, []byte("second"), 0o600))
		second, err := files.Store(t.Context(), node("n"), made)
		require.NoError(t, err)
		data, _, name, err := files.Open(t.Context(), node("n"), second)
		require.NoError(t, err)
		require.Equal(t, "second a b-2.txt", string(data)+" "+name)
		_, _, _, err = files.Open(t.Context(), node("n"), ref)
		require.NoError(t, err)

		// A block on its own gives its files as they are.
		alone := &core.Run{UserID: "ada", GraphExecID: "x", NodeExecID: "y"}
		inline, err := files.Put(t.Context(), alone, []byte("hello"), "text/plain", "a.txt")
		require.NoError(t, err)
		require.Equal(t, "data:text/plain;base64,aGVsbG8=", inline)
		require.NoError(t, files.Release(alone))

		// What is larger than a block may hold in memory is read from disk.
		file, done, err := files.Spool(t.Context(), io.LimitReader(zeros{}, 1500), "big.bin", 2000)
		require.NoError(t, err)
		defer done()
		big, err := service.Save(t.Context(), workspace.NewFile{UserID: "ada", Path: "/big.bin"}, file)
		require.NoError(t, err)
		_, _, _, err = files.Open(t.Context(), node("n"), big.Reference())
		require.True(t, core.IsKind(err, core.TooLarge))
		onDisk, err := files.Local(t.Context(), node("n"), big.Reference())
		require.NoError(t, err)
		require.EqualValues(t, 1500, onDisk.Size)
	})
}

// zeros is a stream without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
