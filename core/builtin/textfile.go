package builtin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"agentserver/core"
)

// textFile is a file that is read as text, without being in memory.
type textFile struct {
	local *core.LocalFile
	file  *os.File
	// text is UTF-8, whatever the file is in.
	text *bufio.Reader
}

func (f *textFile) close() { _ = f.file.Close() }

// openText opens a file as UTF-8 text or, when it is not that, as Latin-1.
func openText(ctx context.Context, run *core.Run, ref string) (*textFile, error) {
	local, err := openLocal(ctx, run, ref)
	if err != nil {
		return nil, err
	}
	return readText(ctx, local)
}

// openLocal copies a file to the disk of the node run.
func openLocal(ctx context.Context, run *core.Run, ref string) (*core.LocalFile, error) {
	local, err := run.Files.Local(ctx, run, ref)
	if core.IsKind(err, core.NotFound) && strings.HasPrefix(ref, "workspace:") {
		return nil, core.Errorf(core.NotFound, "File does not exist: %s", brief(ref))
	}
	return local, err
}

func readText(ctx context.Context, local *core.LocalFile) (*textFile, error) {
	file, err := os.Open(local.Path)
	if err != nil {
		return nil, core.WithCause(core.Internal, err, "the file cannot be opened")
	}
	var text io.Reader = file
	unicode, err := isUTF8(ctx, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	if !unicode {
		text = charmap.ISO8859_1.NewDecoder().Reader(file)
	}
	return &textFile{local: local, file: file, text: bufio.NewReader(text)}, nil
}

// isUTF8 reads to the end and reports whether all of it is UTF-8.
func isUTF8(ctx context.Context, from io.Reader) (bool, error) {
	buf := make([]byte, 64<<10)
	held := 0 // bytes of a character that the last read cut
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := from.Read(buf[held:])
		data := buf[:held+n]
		whole := len(data)
		for i := max(0, whole-utf8.UTFMax+1); i < whole; i++ {
			if utf8.RuneStart(data[i]) && !utf8.FullRune(data[i:]) {
				whole = i
				break
			}
		}
		if !utf8.Valid(data[:whole]) {
			return false, nil
		}
		held = copy(buf, data[whole:])
		if errors.Is(err, io.EOF) {
			return held == 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// skipRunes leaves out characters at the start of a text.
func skipRunes(ctx context.Context, text *bufio.Reader, n int) error {
	for i := range n {
		if i%(1<<20) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if _, _, err := text.ReadRune(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// rowReader reads the rows of a text, with what is between them.
type rowReader struct {
	ctx       context.Context
	text      *bufio.Reader
	delimiter []byte // nil when all is one row
	left      int    // rows still to read; negative for all
	rest      []byte // of the last piece
	ended     bool
}

// newRowReader makes a reader of so many rows, or of all if that is not more
// than 0.
func newRowReader(ctx context.Context, text io.Reader, delimiter string, rows int) *rowReader {
	if rows <= 0 {
		rows = -1
	}
	return &rowReader{
		ctx: ctx, text: bufio.NewReaderSize(text, max(64<<10, 4*len(delimiter))), delimiter: []byte(delimiter), left: rows,
	}
}

// skip leaves rows out, and reports whether there is one after them.
func (r *rowReader) skip(rows int) (bool, error) {
	for rows > 0 {
		_, atDelimiter, err := r.piece()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if atDelimiter {
			rows--
		}
	}
	return true, nil
}

// Read implements [io.Reader].
func (r *rowReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		piece, atDelimiter, err := r.piece()
		if err != nil {
			return 0, err
		}
		if atDelimiter && r.left > 0 {
			if r.left--; r.left == 0 {
				r.ended = true
				piece = piece[:len(piece)-len(r.delimiter)]
			}
		}
		r.rest = piece
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// piece gives the text up to the end of the next delimiter, or a part of it that
// surely holds no delimiter. It is valid until the next call.
func (r *rowReader) piece() (piece []byte, atDelimiter bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return nil, false, err
	}
	// What is in memory already is looked at first: to fill the buffer before
	// each short row would move its content each time.
	data, _ := r.text.Peek(r.text.Buffered())
	at := r.find(data)
	if at < 0 {
		data, err = r.text.Peek(r.text.Size())
		at = r.find(data)
	}
	switch {
	case at >= 0:
		piece, atDelimiter = data[:at+len(r.delimiter)], true
	case err != nil && !errors.Is(err, io.EOF):
		return nil, false, err
	case len(data) == 0:
		return nil, false, io.EOF
	case err != nil || len(r.delimiter) == 0:
		piece = data
	default:
		piece = data[:len(data)-len(r.delimiter)+1]
	}
	_, err = r.text.Discard(len(piece))
	return piece, atDelimiter, err
}

func (r *rowReader) find(data []byte) int {
	if len(r.delimiter) == 0 {
		return -1
	}
	return bytes.Index(data, r.delimiter)
}
