package workspace_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/workspace"
)

// bed is a service with a folder as its bucket.
type bed struct {
	*workspace.Service
	t      *testing.T
	db     *db.DB
	bucket *blob.Bucket
	dir    string // of the bucket
}

const limit = 1000

func each(t *testing.T, fn func(b *bed)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := filepath.Join(t.TempDir(), "files")
		bucket, err := workspace.OpenBucket(t.Context(), "", dir)
		require.NoError(t, err)
		t.Cleanup(func() { _ = bucket.Close() })
		s := workspace.NewService(workspace.Deps{DB: d, Bucket: bucket, Log: slog.New(slog.DiscardHandler), MaxStorage: limit})
		fn(&bed{s, t, d, bucket, dir})
	})
}

// local makes a file on disk.
func local(t *testing.T, content string) *core.LocalFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "local")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return &core.LocalFile{Path: path, MIME: "text/plain", Size: int64(len(content))}
}

func (b *bed) save(f workspace.NewFile, content string) *workspace.File {
	b.t.Helper()
	file, err := b.Save(b.t.Context(), f, local(b.t, content))
	require.NoError(b.t, err)
	return file
}

func (b *bed) content(userID, id string) string {
	b.t.Helper()
	_, body, err := b.Open(b.t.Context(), userID, id)
	require.NoError(b.t, err)
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	require.NoError(b.t, err)
	return string(data)
}

func (b *bed) usage(userID string) (bytes int64, files int) {
	b.t.Helper()
	u, err := b.Usage(b.t.Context(), userID)
	require.NoError(b.t, err)
	return u.UsedBytes, u.FileCount
}

// objects gives the names of all files in the bucket's folder.
func (b *bed) objects() []string {
	b.t.Helper()
	names := []string{}
	require.NoError(b.t, filepath.WalkDir(b.dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, e.Name())
		}
		return err
	}))
	return names
}

func (b *bed) rows() (n int64) {
	b.t.Helper()
	require.NoError(b.t, b.db.Read.Table("workspace_files").Count(&n).Error)
	return n
}

// empty checks that nothing is left, neither rows nor objects nor usage.
func (b *bed) empty(userID string) {
	b.t.Helper()
	require.Empty(b.t, b.objects())
	require.Zero(b.t, b.rows())
	bytes, files := b.usage(userID)
	require.Zero(b.t, bytes)
	require.Zero(b.t, files)
}

func TestModels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { dbtest.CheckModels(t, d, workspace.Models()...) })
}

func TestSaveAndDelete(t *testing.T) {
	each(t, func(b *bed) {
		one := b.save(workspace.NewFile{UserID: "ada", Path: "/a/one.txt"}, "hello")
		require.Equal(t, &workspace.File{ID: one.ID, Name: "one.txt", Path: "/a/one.txt", MIME: "text/plain", Size: 5}, one)
		require.Equal(t, "hello", b.content("ada", one.ID))
		_, _, err := b.Open(t.Context(), "eve", one.ID)
		require.True(t, core.IsKind(err, core.NotFound), "another user's file looks like none")
		require.True(t, core.IsKind(b.Delete(t.Context(), "eve", one.ID), core.NotFound))
		file, body, err := b.OpenPath(t.Context(), "ada", "/a/one.txt")
		require.NoError(t, err)
		require.NoError(t, body.Close())
		require.Equal(t, one, file)

		require.NoError(t, b.Delete(t.Context(), "ada", one.ID))
		require.True(t, core.IsKind(b.Delete(t.Context(), "ada", one.ID), core.NotFound))
		b.empty("ada")
	})
}

func TestSaveWhereAFileIs(t *testing.T) {
	each(t, func(b *bed) {
		at := workspace.NewFile{UserID: "ada", Path: "/x.tar.gz"}
		one := b.save(at, "one")
		_, err := b.Save(t.Context(), at, local(t, "two"))
		require.True(t, core.IsKind(err, core.Conflict))
		require.ErrorContains(t, err, "File already exists at path: /x.tar.gz")
		require.Len(t, b.objects(), 1, "what was refused leaves nothing")

		at.Beside = true
		require.Equal(t, "/x.tar-2.gz", b.save(at, "two").Path)
		require.Equal(t, "x.tar-3.gz", b.save(at, "three").Name)

		at.Beside, at.Overwrite = false, true
		four := b.save(at, "four")
		require.Equal(t, "/x.tar.gz", four.Path)
		_, err = b.Get(t.Context(), "ada", one.ID)
		require.True(t, core.IsKind(err, core.NotFound))
		require.Len(t, b.objects(), 3)
		bytes, files := b.usage("ada")
		require.EqualValues(t, len("two"+"three"+"four"), bytes)
		require.Equal(t, 3, files)
		b.save(workspace.NewFile{UserID: "eve", Path: "/x.tar.gz"}, "another's")
	})
}

func TestPathsAreClean(t *testing.T) {
	each(t, func(b *bed) {
		for _, path := range []string{"", "/", "a", "/a/../b", "/a//b", "/a/", "/" + strings.Repeat("a", 1024)} {
			_, err := b.Save(t.Context(), workspace.NewFile{UserID: "ada", Path: path}, local(t, "x"))
			require.True(t, core.IsKind(err, core.Invalid), path)
		}
		b.empty("ada")
	})
}

// Many uploads at a time do not add up to more than the limit.
func TestLimitHolds(t *testing.T) {
	each(t, func(b *bed) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		saved := 0
		for i := range 20 {
			file := local(t, strings.Repeat("x", 300))
			wg.Go(func() {
				_, err := b.Save(context.Background(), workspace.NewFile{UserID: "ada", Path: "/same.txt", Beside: true}, file)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					saved++
					return
				}
				if !core.IsKind(err, core.TooLarge) {
					t.Errorf("upload %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 3, saved)
		bytes, files := b.usage("ada")
		require.EqualValues(t, 900, bytes)
		require.Equal(t, 3, files)
		require.Len(t, b.objects(), 3)
		_, err := b.Save(t.Context(), workspace.NewFile{UserID: "ada", Path: "/y"}, local(t, strings.Repeat("x", 101)))
		var full *core.Error
		require.ErrorAs(t, err, &full)
		require.Equal(t, map[string]any{"message": "Storage limit exceeded", "used_bytes": int64(900), "limit_bytes": int64(limit), "used_percent": 90.0}, full.Detail)
		b.save(workspace.NewFile{UserID: "ada", Path: "/y"}, strings.Repeat("x", 100))
	})
}

// age makes the rows of a state older.
func (b *bed) age(state string, by time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.db.Write.Table("workspace_files").Where("state = ?", state).Update("updated_at", db.At(time.Now().Add(-by))).Error)
}

// What a killed process leaves, between any two steps, goes with the sweep.
func TestSweepAfterCrashes(t *testing.T) {
	set := func(b *bed, id, state string) {
		require.NoError(b.t, b.db.Write.Table("workspace_files").Where("id = ?", id).Update("state", state).Error)
	}
	for _, c := range []struct {
		name, state string
		age         time.Duration
		left        func(b *bed, id string)
	}{
		{"killed before the object", "writing", 2 * time.Hour, func(b *bed, id string) {
			require.NoError(b.t, b.bucket.Delete(context.Background(), id[:2]+"/"+id))
			set(b, id, "writing")
		}},
		{"killed after the object", "writing", 2 * time.Hour, func(b *bed, id string) { set(b, id, "writing") }},
		{"killed before the object was removed", "deleting", 2 * time.Minute, func(b *bed, id string) {
			set(b, id, "deleting")
			require.NoError(b.t, b.db.Write.Exec("UPDATE workspaces SET used_bytes = used_bytes - 5, file_count = file_count - 1").Error)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(b *bed) {
				file := b.save(workspace.NewFile{UserID: "ada", Path: "/a"}, "hello")
				c.left(b, file.ID)
				_, err := b.Get(t.Context(), "ada", file.ID)
				require.True(t, core.IsKind(err, core.NotFound))
				require.NoError(t, b.Sweep(t.Context()))
				require.EqualValues(t, 1, b.rows(), "it may still be at work")
				b.age(c.state, c.age)
				require.NoError(t, b.Sweep(t.Context()))
				b.empty("ada")
			})
		})
	}
}

func TestExpiry(t *testing.T) {
	each(t, func(b *bed) {
		soon := b.save(workspace.NewFile{UserID: "ada", Path: "/soon", Expires: time.Now().Add(time.Hour)}, "x")
		gone := b.save(workspace.NewFile{UserID: "ada", Path: "/gone", Expires: time.Now().Add(-time.Second)}, "x")
		_, err := b.Get(t.Context(), "ada", gone.ID)
		require.True(t, core.IsKind(err, core.NotFound), "not even before the sweep")
		require.NoError(t, b.Sweep(t.Context()))
		require.Equal(t, []string{soon.ID}, b.objects())
		_, err = b.Get(t.Context(), "ada", soon.ID)
		require.NoError(t, err)
	})
}

// A bucket that does not work makes the upload fail, and costs nothing.
func TestBrokenBucket(t *testing.T) {
	each(t, func(b *bed) {
		require.NoError(t, os.RemoveAll(b.dir))
		require.NoError(t, os.WriteFile(b.dir, nil, 0o600), "a file where the folder was")
		_, err := b.Save(t.Context(), workspace.NewFile{UserID: "ada", Path: "/a"}, local(t, "hello"))
		require.Error(t, err)
		bytes, files := b.usage("ada")
		require.Zero(t, bytes)
		require.Zero(t, files)
		require.NoError(t, os.Remove(b.dir))
		require.NoError(t, os.Mkdir(b.dir, 0o700))
		b.age("deleting", time.Hour)
		require.NoError(t, b.Sweep(t.Context()))
		b.empty("ada")
	})
}

func TestStoppedUploadLeavesNothing(t *testing.T) {
	each(t, func(b *bed) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := b.Save(ctx, workspace.NewFile{UserID: "ada", Path: "/a"}, local(t, "hello"))
		require.Error(t, err)
		b.empty("ada")
	})
}

func TestDeleteUser(t *testing.T) {
	each(t, func(b *bed) {
		for _, path := range []string{"/a", "/b", "/c"} {
			b.save(workspace.NewFile{UserID: "ada", Path: path}, "x")
		}
		kept := b.save(workspace.NewFile{UserID: "eve", Path: "/a"}, "y")
		fenced := db.WithFence(t.Context(), func(*gorm.DB) error { return context.Canceled })
		_, err := b.DeleteUser(fenced, "ada")
		require.Error(t, err)
		require.Len(t, b.objects(), 4, "a process that was taken for dead removes nothing")
		n, err := b.DeleteUser(t.Context(), "ada")
		require.NoError(t, err)
		require.Equal(t, 3, n)
		require.Equal(t, []string{kept.ID}, b.objects())
		var spaces []string
		require.NoError(t, b.db.Read.Table("workspaces").Pluck("user_id", &spaces).Error)
		require.Equal(t, []string{"eve"}, spaces)
		n, err = b.DeleteUser(t.Context(), "ada")
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestOpenBucket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my files")
	for _, address := range []string{"", "file://" + filepath.ToSlash(dir)} {
		b, err := workspace.OpenBucket(t.Context(), address, dir)
		require.NoError(t, err)
		require.NoError(t, b.WriteAll(t.Context(), "k", []byte("v"), nil))
		require.NoError(t, b.Close())
		require.FileExists(t, filepath.Join(dir, "k"))
	}
	_, err := workspace.OpenBucket(t.Context(), "ftp://user:canary@host/x", dir)
	require.ErrorContains(t, err, "not for ftp://")
	require.NotContains(t, err.Error(), "canary")
	_, err = workspace.OpenBucket(t.Context(), "://canary", dir)
	require.ErrorContains(t, err, "files.url is not a URL")
}
