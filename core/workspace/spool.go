package workspace

import (
	"context"
	"io"

	"github.com/google/uuid"

	"agentserver/core"
)

// Spool writes content that comes from a client to a temporary file, and gives
// it and what removes it. More than most bytes are an error of kind TooLarge.
func (f *Files) Spool(ctx context.Context, from io.Reader, name string, most int64) (file *core.LocalFile, done func(), err error) {
	// A run of its own, whose folder goes with it.
	run := &core.Run{GraphExecID: uuid.NewString(), NodeExecID: "upload"}
	n, err := f.scratch.of(run)
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = f.scratch.release(run) }
	file = &core.LocalFile{Path: n.place(name), Name: name, MIME: core.FileType(name)}
	if file.Size, err = f.scratch.write(ctx, n, file.Path, from, most); err != nil {
		done()
		return nil, nil, err
	}
	return file, done, nil
}

// FileName gives a harmless form of a name that a client has chosen, or "".
func FileName(name string) string { return cleanName(name) }
