package builtin

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"agentserver/core"
)

const (
	// maxWorkbook bounds a workbook when it is unpacked, in bytes.
	maxWorkbook = 200 << 20
	// maxWorkbookPart bounds what of a sheet is kept in memory; a larger one is
	// unpacked to the folder of the node run.
	maxWorkbookPart = 16 << 20
)

// excelRows gives the rows of a workbook's first sheet. Each is read twice: as it
// is stored and as it is shown, which is what tells dates from numbers.
type excelRows struct {
	book       *excelize.File
	raw, shown *excelize.Rows
	since1904  bool
	width      int // cells of the first row, which the others have at least
}

func unreadable(err error) error {
	return core.Errorf(core.Invalid, "Unable to read Excel file: %w", err)
}

var errOldExcel = errors.New("it is of the old .xls format or has a password; save it as .xlsx")

func openExcel(local *core.LocalFile) (rowSource, func(), error) {
	if magic(local) == xlsMagic {
		return nil, nil, unreadable(errOldExcel)
	}
	if err := checkZip(local.Path); err != nil {
		return nil, nil, unreadable(err)
	}
	book, err := excelize.OpenFile(local.Path, excelize.Options{
		UnzipSizeLimit: maxWorkbook, UnzipXMLSizeLimit: maxWorkbookPart, TmpDir: filepath.Dir(local.Path),
	})
	if err != nil {
		return nil, nil, unreadable(err)
	}
	r := &excelRows{book: book}
	if err := r.open(); err != nil {
		r.close()
		return nil, nil, unreadable(err)
	}
	return r, r.close, nil
}

// checkZip reads all parts once and keeps nothing of them: the library would take
// a part that is damaged, or larger than it says, for one that ends there.
func checkZip(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	var size uint64
	for _, f := range z.File {
		if size += f.UncompressedSize64; f.UncompressedSize64 > maxWorkbook || size > maxWorkbook {
			return fmt.Errorf("it unpacks to more than %d MB", maxWorkbook>>20)
		}
	}
	for _, f := range z.File {
		part, err := f.Open()
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, part) //nolint:gosec // bounded by the sizes, which the reader checks
		if err := errors.Join(err, part.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (r *excelRows) open() error {
	sheets := r.book.GetSheetList()
	if len(sheets) == 0 {
		return errors.New("it has no sheet")
	}
	props, err := r.book.GetWorkbookProps()
	if err != nil {
		return err
	}
	r.since1904 = props.Date1904 != nil && *props.Date1904
	if r.raw, err = r.book.Rows(sheets[0]); err != nil {
		return err
	}
	r.shown, err = r.book.Rows(sheets[0])
	return err
}

func (r *excelRows) close() {
	for _, rows := range []*excelize.Rows{r.raw, r.shown} {
		if rows != nil {
			_ = rows.Close()
		}
	}
	_ = r.book.Close()
}

// row gives the next row.
func (r *excelRows) row() ([]string, error) {
	if !r.raw.Next() || !r.shown.Next() {
		if err := r.raw.Error(); err != nil {
			return nil, unreadable(err)
		}
		return nil, io.EOF
	}
	raw, err := r.raw.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, unreadable(err)
	}
	shown, err := r.shown.Columns()
	if err != nil {
		return nil, unreadable(err)
	}
	if r.width == 0 {
		r.width = len(raw)
	}
	cells := make([]string, max(len(raw), r.width))
	for i := range raw {
		cells[i] = raw[i]
		if i < len(shown) && shown[i] != raw[i] {
			cells[i] = r.cell(raw[i], shown[i])
		}
	}
	return cells, nil
}

// looksLikeDate matches numbers that are shown as dates or times.
var looksLikeDate = regexp.MustCompile(`(?i)[0-9][:/-][0-9]|[a-z]-[0-9]*[a-z]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|[0-9] ?[ap]m\b`)

// cell gives a number with all its digits, however few are shown, a date in ISO
// form, and anything else as it is shown.
func (r *excelRows) cell(raw, shown string) string {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || shown == "TRUE" || shown == "FALSE" {
		return shown
	}
	if same, err := strconv.ParseFloat(shown, 64); err == nil && same == n {
		return shown
	}
	if !looksLikeDate.MatchString(shown) || n < 0 {
		return raw
	}
	at, err := excelize.ExcelDateToTime(n, r.since1904)
	if err != nil || at.Year() > 9999 {
		return raw // digits in groups, such as those of a phone number
	}
	at = at.Round(time.Second)
	switch {
	case n < 1:
		return at.Format(time.TimeOnly)
	case n == math.Trunc(n):
		return at.Format(time.DateOnly)
	}
	return at.Format(time.DateTime)
}
