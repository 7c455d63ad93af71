package builtin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"agentserver/core"
)

type spreadsheetInput struct {
	Contents    *string  `json:"contents" advanced:"false" doc:"The table as text with delimiters (CSV)"`
	File        *string  `json:"file_input" type:"string(file) | null" advanced:"false" doc:"File with the table: CSV, or an Excel workbook (.xlsx) whose first sheet is read"`
	Delimiter   string   `json:"delimiter" default:"," doc:"Character between two cells"`
	Quote       string   `json:"quotechar" default:"\"" doc:"Character around cells that hold delimiters or ends of lines"`
	Escape      string   `json:"escapechar" default:"\\" doc:"Character that makes the one after it plain text"`
	Header      bool     `json:"has_header" default:"true" doc:"Whether the first row names the columns; without, they are named by their number from 0"`
	SkipRows    int      `json:"skip_rows" default:"0" doc:"Rows to leave out after the header"`
	Strip       bool     `json:"strip" default:"true" doc:"Remove white space around each cell"`
	SkipColumns []string `json:"skip_columns" factory:"[]" doc:"Names of columns to leave out"`
	Singular    bool     `json:"produce_singular_result" default:"false" doc:"Give the rows one by one instead of as one list"`
}

type spreadsheetOutput struct {
	Row  core.Pin[map[string]string]   `json:"row" doc:"Each row, by column, when they are given one by one"`
	Rows core.Pin[[]map[string]string] `json:"rows" doc:"All rows, by column"`
}

// Limits of a table. A row of a list costs some hundred bytes besides its text,
// so a list can have less than what is given row by row.
const (
	maxTableRows  = 1_000_000
	maxTableCells = 10_000_000
	maxTableText  = 100 << 20 // bytes
	maxListCells  = 2_000_000
)

var readSpreadsheet = core.NewBlock(core.BlockSpec{
	ID: "acf7625e-d2cb-4941-bfeb-2819fc6fc015", Name: "ReadSpreadsheetBlock",
	Description:  "Reads a table from CSV text, a CSV file or an Excel workbook.",
	Categories:   []core.Category{core.CategoryText, core.CategoryData},
	Contributors: []string{"Nicholas Tindle"},
}, func(ctx context.Context, run *core.Run, in *spreadsheetInput, out *spreadsheetOutput) error {
	source, closeSource, err := openTable(ctx, run, in)
	if err != nil {
		return err
	}
	defer closeSource()
	table := tableReader{source: source, in: in}
	if err := table.begin(ctx); err != nil {
		return err
	}
	rows := []map[string]string{}
	for {
		row, err := table.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			if !in.Singular {
				out.Rows.Emit(rows)
			}
			return nil
		case err != nil:
			return err
		case in.Singular:
			out.Row.Emit(row)
		case table.cells+table.rows > maxListCells:
			return core.Errorf(core.TooLarge, "the table has more than %d cells; with produce_singular_result its rows come one by one", maxListCells)
		default:
			rows = append(rows, row)
		}
	}
})

// rowSource gives the cells of a table row by row, and then io.EOF.
type rowSource interface{ row() ([]string, error) }

// openTable finds out what the table is in. A file counts more than text.
func openTable(ctx context.Context, run *core.Run, in *spreadsheetInput) (source rowSource, closeSource func(), err error) {
	if in.File == nil || *in.File == "" {
		if in.Contents == nil {
			return nil, nil, core.Errorf(core.Invalid, "Either 'contents' or 'file_input' must be provided")
		}
		source, err = newCSVReader(strings.NewReader(strings.TrimPrefix(*in.Contents, "\ufeff")), in.Delimiter, in.Quote, in.Escape)
		return source, func() {}, err
	}
	local, err := openLocal(ctx, run, *in.File)
	if err != nil {
		return nil, nil, err
	}
	if isExcel(local) {
		return openExcel(local)
	}
	file, err := readText(ctx, local)
	if err != nil {
		return nil, nil, err
	}
	if mark, _ := file.text.Peek(3); string(mark) == "\ufeff" {
		_, _ = file.text.Discard(3)
	}
	source, err = newCSVReader(bufio.NewReader(file.text), in.Delimiter, in.Quote, in.Escape)
	return source, file.close, err
}

// isExcel tells workbooks by their name, their type or their first bytes.
func isExcel(local *core.LocalFile) bool {
	for _, ext := range []string{filepath.Ext(local.Path), filepath.Ext(local.Name), core.FileExtension(local.MIME)} {
		if ext = strings.ToLower(ext); ext == ".xlsx" || ext == ".xls" {
			return true
		}
	}
	head := magic(local)
	return strings.HasPrefix(head, zipMagic) || head == xlsMagic
}

const (
	zipMagic = "PK\x03\x04"
	xlsMagic = "\xd0\xcf\x11\xe0" // of old workbooks, and of those with a password
)

func magic(local *core.LocalFile) string {
	f, err := os.Open(local.Path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 4)
	n, _ := io.ReadFull(f, head)
	return string(head[:n])
}

// tableReader names the cells of a table and bounds it.
type tableReader struct {
	source rowSource
	in     *spreadsheetInput

	header            []string
	skip              map[string]bool
	rows, cells, text int
}

// begin reads the header and the rows that are left out.
func (t *tableReader) begin(ctx context.Context) error {
	t.skip = map[string]bool{}
	for _, name := range t.in.SkipColumns {
		t.skip[t.trim(name)] = true
	}
	if t.in.Header {
		cells, err := t.read(ctx)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		for _, name := range cells {
			t.header = append(t.header, t.trim(name))
		}
	}
	for range t.in.SkipRows {
		if _, err := t.read(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (t *tableReader) trim(cell string) string {
	if t.in.Strip {
		return strings.TrimSpace(cell)
	}
	return cell
}

// next gives a row by column. Cells beyond the header are named by their number.
// Of columns with one name the last counts.
func (t *tableReader) next(ctx context.Context) (map[string]string, error) {
	cells, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	row := make(map[string]string, len(cells))
	for i, cell := range cells {
		name := ""
		if i < len(t.header) {
			name = t.header[i]
		} else {
			name = strconv.Itoa(i)
		}
		if !t.skip[name] {
			row[name] = t.trim(cell)
		}
	}
	return row, nil
}

// read reads a row and counts it.
func (t *tableReader) read(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cells, err := t.source.row()
	if err != nil {
		return nil, err
	}
	t.rows++
	t.cells += len(cells)
	for _, cell := range cells {
		t.text += len(cell)
	}
	switch {
	case t.rows > maxTableRows:
		return nil, core.Errorf(core.TooLarge, "the table has more than %d rows", maxTableRows)
	case t.cells > maxTableCells:
		return nil, core.Errorf(core.TooLarge, "the table has more than %d cells", maxTableCells)
	case t.text > maxTableText:
		return nil, core.Errorf(core.TooLarge, "the table has more than %d MB of text", maxTableText>>20)
	}
	return cells, nil
}
