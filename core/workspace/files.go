package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"agentserver/core"
)

// Defaults of [Options].
const (
	DefaultMaxFile = 100 << 20
	DefaultMaxRun  = 1 << 30
)

// fetchTimeout bounds the download of a file.
const fetchTimeout = 2 * time.Minute

// Options are what files of runs need.
type Options struct {
	// HTTP is the guarded client that downloads go through, Timeout the bound of
	// one download; 0 is two minutes.
	HTTP    core.Doer
	Timeout time.Duration
	// TempDir is where blocks get their folders.
	TempDir string
	// Service keeps files; nil when there are none to keep.
	Service *Service
	// MaxFile bounds a file and MaxRun the temporary files of a run, in bytes; 0
	// are the defaults.
	MaxFile, MaxRun int64
}

// Files opens and stores files for blocks.
type Files struct {
	http    core.Doer
	timeout time.Duration
	maxFile int64
	scratch *scratch
	service *Service
}

var _ core.Files = (*Files)(nil)

// OpenFiles makes Files, and a folder for temporary files that [Files.Close]
// removes.
func OpenFiles(o Options) (*Files, error) {
	if o.Timeout <= 0 {
		o.Timeout = fetchTimeout
	}
	if o.MaxFile <= 0 {
		o.MaxFile = DefaultMaxFile
	}
	if o.MaxRun <= 0 {
		o.MaxRun = DefaultMaxRun
	}
	s, err := openScratch(o.TempDir, o.MaxRun)
	if err != nil {
		return nil, err
	}
	return &Files{http: o.HTTP, timeout: o.Timeout, maxFile: o.MaxFile, scratch: s, service: o.Service}, nil
}

// Close removes what is left of temporary files.
func (f *Files) Close() error { return f.scratch.close() }

// Release removes the temporary files of a node run. Whoever runs a block calls
// it when the block has ended.
func (f *Files) Release(run *core.Run) error { return f.scratch.release(run) }

// Open gives the content of a reference; see [core.Files].
func (f *Files) Open(ctx context.Context, run *core.Run, ref string) (data []byte, mime, name string, err error) {
	ref = strings.TrimSpace(ref)
	switch scheme(ref) {
	case "data":
		return f.openData(ref)
	case "http", "https":
		return f.fetchAll(ctx, ref)
	case "workspace":
		if isRef(ref) {
			return f.openStored(ctx, run, ref)
		}
	}
	return nil, "", "", errNoReference
}

var errNoReference = core.Errorf(core.Invalid, "a file is given as a data: URI, an http(s) URL or a workspace:// reference")

func scheme(ref string) string {
	scheme, _, _ := strings.Cut(ref, ":")
	return strings.ToLower(scheme)
}

// openStored reads a file of the workspace into memory.
func (f *Files) openStored(ctx context.Context, run *core.Run, ref string) (data []byte, mime, name string, err error) {
	file, body, err := f.openRef(ctx, run, ref)
	if err != nil {
		return nil, "", "", err
	}
	defer func() { _ = body.Close() }()
	if file.Size > f.maxFile {
		return nil, "", "", tooLarge(f.maxFile)
	}
	data, err = io.ReadAll(io.LimitReader(body, f.maxFile))
	if err != nil {
		return nil, "", "", fmt.Errorf("reading file %s: %w", file.ID, err)
	}
	return data, file.MIME, file.Name, nil
}

// Put stores content; see [core.Files]. Without a media type it takes the one
// that the name or the content tells of.
func (f *Files) Put(ctx context.Context, run *core.Run, data []byte, mime, name string) (string, error) {
	if int64(len(data)) > f.maxFile {
		return "", tooLarge(f.maxFile)
	}
	if mime == "" {
		mime = guessType(name, data)
	}
	if !f.keeps(run) {
		return core.DataURI(data, mime), nil
	}
	local, err := f.keep(ctx, run, bytes.NewReader(data), mime, cleanName(name), f.maxFile)
	if err != nil {
		return "", err
	}
	ref, err := f.Store(ctx, run, local)
	return ref, errors.Join(err, f.scratch.remove(run, local))
}

// keeps reports whether files of a run go to the workspace: those of a block
// that runs on its own are given back as they are.
func (f *Files) keeps(run *core.Run) bool {
	return f.service != nil && run != nil && run.UserID != "" && run.GraphID != ""
}

// Local copies a file to the node's folder; see [core.Files].
func (f *Files) Local(ctx context.Context, run *core.Run, ref string) (*core.LocalFile, error) {
	ref = strings.TrimSpace(ref)
	if s := scheme(ref); s == "http" || s == "https" {
		d, err := f.fetch(ctx, ref)
		if err != nil {
			return nil, err
		}
		defer d.close()
		file, err := f.keep(ctx, run, d.body, d.kind, d.name, f.maxFile)
		var known *core.Error
		if err != nil && !errors.As(err, &known) {
			return nil, d.fail(err)
		}
		return file, err
	}
	if isRef(ref) {
		file, body, err := f.openRef(ctx, run, ref)
		if err != nil {
			return nil, err
		}
		defer func() { _ = body.Close() }()
		// Whoever kept it had a limit; what counts now is the space on disk.
		return f.keep(ctx, run, body, file.MIME, file.Name, math.MaxInt64)
	}
	data, mime, name, err := f.Open(ctx, run, ref)
	if err != nil {
		return nil, err
	}
	return f.keep(ctx, run, bytes.NewReader(data), mime, name, f.maxFile)
}

// keep writes content to the node's folder, if it has no more bytes than most.
func (f *Files) keep(ctx context.Context, run *core.Run, from io.Reader, kind, name string, most int64) (*core.LocalFile, error) {
	n, err := f.scratch.of(run)
	if err != nil {
		return nil, err
	}
	// The type of what says nothing of itself shows in its first bytes.
	head := make([]byte, 512)
	k, err := io.ReadFull(from, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = head[:k]
	kind = knownType(kind, name, head)
	file := &core.LocalFile{Path: n.place(localName(name, kind)), MIME: kind, Name: name}
	file.Size, err = f.scratch.write(ctx, n, file.Path, io.MultiReader(bytes.NewReader(head), from), most)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// localName gives a name with the extension of the type when it has none.
func localName(name, kind string) string {
	if strings.Contains(name, ".") {
		return name
	}
	base, _, _ := strings.Cut(kind, ";")
	return name + core.FileExtension(base)
}

// Create gives the place of a file that the block makes; see [core.Files].
func (f *Files) Create(_ context.Context, run *core.Run, name string) (*core.LocalFile, error) {
	n, err := f.scratch.of(run)
	if err != nil {
		return nil, err
	}
	name = cleanName(name)
	return &core.LocalFile{Path: n.place(name), Name: name, MIME: core.FileType(name)}, nil
}

// Store stores a file of the node's folder; see [core.Files].
func (f *Files) Store(ctx context.Context, run *core.Run, file *core.LocalFile) (string, error) {
	info, err := os.Stat(file.Path)
	if err != nil {
		return "", core.WithCause(core.NotFound, err, "the file was not made")
	}
	if info.Size() > f.maxFile {
		return "", tooLarge(f.maxFile)
	}
	if !f.keeps(run) {
		data, err := os.ReadFile(file.Path)
		if err != nil {
			return "", fmt.Errorf("reading a temporary file: %w", err)
		}
		return core.DataURI(data, file.MIME), nil
	}
	name := cleanName(file.Name)
	if name == "" {
		name = localName("file", file.MIME)
	}
	// A folder for each run, so that no run replaces what another one gave.
	saved, err := f.service.Save(ctx, NewFile{UserID: run.UserID, Path: "/runs/" + run.GraphExecID + "/" + name, Beside: true},
		&core.LocalFile{Path: file.Path, MIME: file.MIME, Name: name, Size: info.Size()})
	if err != nil {
		return "", err
	}
	return saved.Reference(), nil
}

func (f *Files) openData(ref string) (data []byte, mime, name string, err error) {
	// Four letters of base64 are three bytes; escapes and blanks only add to it.
	// What is certainly too large is not decoded.
	if int64(len(ref)) > 3*f.maxFile+1024 {
		return nil, "", "", tooLarge(f.maxFile)
	}
	data, mime, err = core.ParseDataURI(ref)
	if err != nil {
		return nil, "", "", err
	}
	if int64(len(data)) > f.maxFile {
		return nil, "", "", tooLarge(f.maxFile)
	}
	mime, name = cleanType(mime)
	if mime == "" {
		mime = guessType(name, data)
	}
	return data, mime, name, nil
}

func tooLarge(limit int64) error {
	if limit < 1<<20 {
		return core.Errorf(core.TooLarge, "the file is larger than %d bytes", limit)
	}
	return core.Errorf(core.TooLarge, "the file is larger than %d MB", limit>>20)
}
