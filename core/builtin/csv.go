package builtin

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"agentserver/core"
)

const (
	// maxColumns bounds the cells of a row: as many as spreadsheets have.
	maxColumns = 16_384
	// maxCell bounds the text of a cell, in bytes.
	maxCell = 1 << 20
)

// csvReader reads rows of text as most spreadsheets write them. It differs from
// encoding/csv in that quotes can be any character, that a character can be
// escaped, and that nothing is an error: what is odd is text.
//
// Inside quotes, ends of lines and delimiters are text and two quotes are one.
// A quote that does not begin a cell is text. A line ends with \n, \r or both.
type csvReader struct {
	in                       io.RuneReader
	delimiter, quote, escape rune // quote and escape are 0 when there is none

	cells  []string
	cell   strings.Builder
	skipLF bool // the last line ended with \r
}

// newCSVReader checks the characters, each of which is given as text.
func newCSVReader(in io.RuneReader, delimiter, quote, escape string) (*csvReader, error) {
	r := &csvReader{in: in}
	for _, c := range []struct {
		name, text string
		to         *rune
		optional   bool
	}{{"delimiter", delimiter, &r.delimiter, false}, {"quotechar", quote, &r.quote, true}, {"escapechar", escape, &r.escape, true}} {
		if c.optional && c.text == "" {
			continue
		}
		if utf8.RuneCountInString(c.text) != 1 || strings.ContainsAny(c.text, "\r\n\x00") {
			return nil, core.Errorf(core.Invalid, "\"%s\" must be a 1-character string, and no end of a line", c.name)
		}
		*c.to, _ = utf8.DecodeRuneInString(c.text)
	}
	if r.delimiter == r.quote || r.delimiter == r.escape {
		return nil, core.Errorf(core.Invalid, "\"delimiter\" must differ from \"quotechar\" and \"escapechar\"")
	}
	if r.escape == r.quote {
		r.escape = 0 // two quotes are one in any case
	}
	return r, nil
}

type csvState int

const (
	csvLine    csvState = iota // before a row
	csvCell                    // before a cell
	csvText                    // in a cell
	csvEscaped                 // after the escape in a cell
	csvQuoted                  // in quotes
	csvQuotedEscaped
	csvQuoteInQuotes // after a quote in quotes: the end, or the first of two
)

// row gives the next row, which is empty for an empty line, or io.EOF.
func (r *csvReader) row() ([]string, error) {
	r.cells = nil
	r.cell.Reset()
	state := csvLine
	for {
		c, _, err := r.in.ReadRune()
		if errors.Is(err, io.EOF) {
			return r.atEnd(state)
		}
		if err != nil {
			return nil, err
		}
		if r.skipLF {
			r.skipLF = false
			if c == '\n' {
				continue
			}
		}
		next, ended := r.step(state, c)
		if ended {
			r.skipLF = c == '\r'
			return r.cells, nil
		}
		if state = next; r.cell.Len() > maxCell {
			return nil, core.Errorf(core.TooLarge, "a cell has more than %d bytes; perhaps a quote is not closed", maxCell)
		}
		if len(r.cells) > maxColumns {
			return nil, core.Errorf(core.TooLarge, "a row has more than %d columns", maxColumns)
		}
	}
}

// atEnd gives what is left at the end of the text.
func (r *csvReader) atEnd(state csvState) ([]string, error) {
	switch state {
	case csvLine:
		return nil, io.EOF
	case csvEscaped, csvQuotedEscaped:
		r.cell.WriteRune(r.escape)
	}
	r.save()
	return r.cells, nil
}

// step takes a character, and gives the state after it or that the row ended.
func (r *csvReader) step(state csvState, c rune) (next csvState, ended bool) {
	newline := c == '\n' || c == '\r'
	switch state {
	case csvLine, csvCell:
		switch {
		case newline && state == csvLine:
			return state, true
		case c == r.quote && c != 0:
			return csvQuoted, false
		}
		return r.text(c)
	case csvQuoted:
		switch {
		case c == r.escape && c != 0:
			return csvQuotedEscaped, false
		case c == r.quote:
			return csvQuoteInQuotes, false
		}
		r.cell.WriteRune(c)
		return csvQuoted, false
	case csvQuotedEscaped:
		r.cell.WriteRune(c)
		return csvQuoted, false
	case csvQuoteInQuotes:
		if c == r.quote {
			r.cell.WriteRune(c)
			return csvQuoted, false
		}
		if newline || c == r.delimiter {
			return r.text(c)
		}
	case csvText:
		return r.text(c)
	}
	r.cell.WriteRune(c) // escaped, or after the quotes
	return csvText, false
}

// text takes a character outside quotes.
func (r *csvReader) text(c rune) (next csvState, ended bool) {
	switch {
	case c == '\n' || c == '\r':
		r.save()
		return csvLine, true
	case c == r.escape && c != 0:
		return csvEscaped, false
	case c == r.delimiter:
		r.save()
		return csvCell, false
	}
	r.cell.WriteRune(c)
	return csvText, false
}

func (r *csvReader) save() {
	r.cells = append(r.cells, r.cell.String())
	r.cell.Reset()
}
