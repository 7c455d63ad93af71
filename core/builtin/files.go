package builtin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"agentserver/core"
)

func fileBlocks() []core.Block { return []core.Block{fileStore(), fileRead()} }

func fileStore() core.Block {
	type input struct {
		File   string `json:"file_in" format:"file" doc:"File to store: a URL, a data URI or a reference"`
		Base64 bool   `json:"base_64" default:"false" doc:"Give the content itself as a data URI instead of a reference"`
	}
	type output struct {
		File core.Pin[string] `json:"file_out" format:"file" doc:"The stored file, kept for every later use"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "cbb50872-625b-42f0-8203-a2ae78242d8a", Name: "FileStoreBlock", Static: true,
		Description: "Stores a file, so that later steps can use it as often as they need.",
		Categories:  []core.Category{core.CategoryBasic, core.CategoryMultimedia},
	}, func(ctx context.Context, run *core.Run, in *input, out *output) error {
		ref, err := storeFile(ctx, run, in.File, in.Base64)
		if err != nil {
			return err
		}
		out.File.Emit(ref)
		return nil
	})
}

// maxChunks bounds how many pieces of a text go out. The size of each is bounded
// by maxText.
const maxChunks = 10_000

func fileRead() core.Block {
	type input struct {
		File      string `json:"file_input" format:"file" doc:"File to read: a URL, a data URI or a reference"`
		Delimiter string `json:"delimiter" default:"" doc:"What ends a row; without it the file is one row"`
		Size      int    `json:"size_limit" default:"0" doc:"Characters that one output may have; 0 gives everything in one"`
		Rows      int    `json:"row_limit" default:"0" doc:"Rows to read; 0 reads all"`
		SkipSize  int    `json:"skip_size" default:"0" doc:"Characters to leave out at the start"`
		SkipRows  int    `json:"skip_rows" default:"0" doc:"Rows to leave out at the start, after those characters"`
	}
	type output struct {
		Content core.Pin[string] `json:"content" doc:"The text, whole or piece by piece"`
	}
	spec := textSpec("3735a31f-7e18-4aca-9e90-08a7120674bc", "FileReadBlock",
		"Reads a file as text, whole or in pieces. Text that is not UTF-8 is taken as Latin-1.")
	spec.Categories = append(spec.Categories, core.CategoryData)
	return core.NewBlock(spec, func(ctx context.Context, run *core.Run, in *input, out *output) error {
		file, err := openText(ctx, run, in.File)
		if err != nil {
			return err
		}
		defer file.close()
		if err := skipRunes(ctx, file.text, in.SkipSize); err != nil {
			return err
		}
		rows := newRowReader(ctx, file.text, in.Delimiter, in.Rows)
		there, err := rows.skip(in.SkipRows)
		if err != nil {
			return err
		}
		if !there { // no row is left, which is not the same as an empty one
			out.Content.Emit("")
			return nil
		}
		text := bufio.NewReader(rows)
		for n := 0; ; n++ {
			chunk, err := readChunk(text, in.Size)
			switch {
			case err != nil:
				return err
			case chunk == "":
				return nil
			case n == maxChunks:
				return core.Errorf(core.TooLarge, "the text gives more than %d outputs; a larger size_limit makes them fewer", maxChunks)
			}
			out.Content.Emit(chunk)
		}
	})
}

// readChunk reads a number of characters, or all that are left if that is 0. At
// the end it gives "".
func readChunk(text *bufio.Reader, size int) (string, error) {
	var b strings.Builder
	if size <= 0 {
		if _, err := io.CopyN(&b, text, maxText+1); err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
	}
	for n := 0; n < size && b.Len() <= maxText; n++ {
		r, _, err := text.ReadRune()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
	}
	if b.Len() > maxText {
		return "", core.Errorf(core.TooLarge, "the text is larger than %d bytes; with a smaller size_limit it comes in pieces", maxText)
	}
	return b.String(), nil
}
