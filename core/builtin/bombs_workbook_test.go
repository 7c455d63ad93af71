package builtin

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// workbook makes one of a sheet and shared strings.
func workbook(t *testing.T, dir string, sheet io.Reader, strings io.Reader, add func(*zip.Writer)) string {
	t.Helper()
	const (
		relations = "http://schemas.openxmlformats.org/package/2006/relationships"
		office    = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
		main      = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
		xlsx      = "application/vnd.openxmlformats-officedocument.spreadsheetml."
	)
	f, err := os.CreateTemp(dir, "")
	require.NoError(t, err)
	z := zip.NewWriter(f)
	part := func(name string, content io.Reader) {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.Copy(w, content)
		require.NoError(t, err)
	}
	text := func(s string) io.Reader { return bytes.NewBufferString(s) }
	part("[Content_Types].xml", text(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>`+
		`<Override PartName="/xl/workbook.xml" ContentType="`+xlsx+`sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="`+xlsx+`worksheet+xml"/>`+
		`<Override PartName="/xl/sharedStrings.xml" ContentType="`+xlsx+`sharedStrings+xml"/></Types>`))
	part("_rels/.rels", text(`<Relationships xmlns="`+relations+`"><Relationship Id="rId1" Type="`+office+`/officeDocument" Target="xl/workbook.xml"/></Relationships>`))
	part("xl/workbook.xml", text(`<workbook xmlns="`+main+`" xmlns:r="`+office+`"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`))
	part("xl/_rels/workbook.xml.rels", text(`<Relationships xmlns="`+relations+`"><Relationship Id="rId1" Type="`+office+`/worksheet" Target="worksheets/sheet1.xml"/>`+
		`<Relationship Id="rId2" Type="`+office+`/sharedStrings" Target="sharedStrings.xml"/></Relationships>`))
	part("xl/sharedStrings.xml", io.MultiReader(text(`<sst xmlns="`+main+`">`), strings, text("</sst>")))
	part("xl/worksheets/sheet1.xml", io.MultiReader(text(`<worksheet xmlns="`+main+`"><sheetData>`), sheet, text("</sheetData></worksheet>")))
	if add != nil {
		add(z)
	}
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	return f.Name()
}

// zipBomb makes a workbook with a part of 1 MB which is said to be of another size.
func zipBomb(t *testing.T, dir string, size uint64) string {
	t.Helper()
	return workbook(t, dir, strings.NewReader(""), strings.NewReader(""), func(z *zip.Writer) {
		var packed bytes.Buffer
		inner := zip.NewWriter(&packed)
		w, err := inner.Create("xl/styles.xml")
		require.NoError(t, err)
		_, err = io.Copy(w, io.LimitReader(newAgain(" "), 1<<20))
		require.NoError(t, err)
		require.NoError(t, inner.Close())
		r, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
		require.NoError(t, err)
		header := r.File[0].FileHeader
		header.UncompressedSize64 = size
		raw, err := r.File[0].OpenRaw()
		require.NoError(t, err)
		out, err := z.CreateRaw(&header)
		require.NoError(t, err)
		_, err = io.Copy(out, raw)
		require.NoError(t, err)
	})
}

// wideWorkbook makes one with rows whose only cell is the last that a row can have.
func wideWorkbook(t *testing.T, dir string) string {
	t.Helper()
	var rows strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rows, `<row r="%d"><c r="XFD%[1]d"><v>1</v></c></row>`, i+1)
	}
	return workbook(t, dir, strings.NewReader(rows.String()), strings.NewReader(""), nil)
}

// repeatedWorkbook makes one of whose cells all are one long text.
func repeatedWorkbook(t *testing.T, dir string) string {
	t.Helper()
	var rows strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%[1]d" t="s"><v>0</v></c></row>`, i+1)
	}
	return workbook(t, dir, strings.NewReader(rows.String()), strings.NewReader("<si><t>"+strings.Repeat("x", 32_000)+"</t></si>"), nil)
}
