package builtin

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// readAll reads a text that is small enough for every limit.
func readAll(t *testing.T, text, delimiter, quote, escape string) (rows [][]string) {
	t.Helper()
	r, err := newCSVReader(strings.NewReader(text), delimiter, quote, escape)
	require.NoError(t, err)
	for {
		row, err := r.row()
		if errors.Is(err, io.EOF) {
			return rows
		}
		require.NoError(t, err)
		rows = append(rows, row)
	}
}

// FuzzCSV reads any text with any characters, and reads back what the standard
// library has written.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"a, b, c\n1,2,3\n4,5,6", "a,\"b\"\"c\"\r\n\"d\ne\",f", "\"x\"y,\"", "a\\,b\\", "\"\\\"\"", "\r\r\n\n", ",,\n,", "\ufeffa,b", "a;'b;c'", "\x00,\xff",
	} {
		f.Add(s, ",", "\"", "\\")
		f.Add(s, ";", "'", "")
		f.Add(s, "b", "a", "a")
	}
	f.Fuzz(func(t *testing.T, text, delimiter, quote, escape string) {
		if len(text) > maxColumns {
			return
		}
		if _, err := newCSVReader(strings.NewReader(""), delimiter, quote, escape); err != nil {
			require.True(t, core.IsKind(err, core.Invalid))
			delimiter, quote, escape = ",", "\"", ""
		}
		rows := readAll(t, text, delimiter, quote, escape)
		size := len(rows)
		for _, row := range rows {
			for _, cell := range row {
				size += len(cell)
			}
		}
		require.LessOrEqual(t, size, 3*len(text)+1, "a reader makes up no text")

		var written strings.Builder
		w := csv.NewWriter(&written)
		var want [][]string
		for _, row := range rows {
			if len(row) == 0 || len(row) == 1 && row[0] == "" {
				continue // both are an empty line
			}
			require.NoError(t, w.Write(row))
			want = append(want, row)
		}
		w.Flush()
		require.Equal(t, want, readAll(t, written.String(), ",", "\"", ""))
	})
}

// FuzzDates gives any text to what reads and writes dates and times.
func FuzzDates(f *testing.F) {
	f.Add("2026-11-23", "09:30", "%Y-%m-%d %H:%M:%S", "7")
	f.Add("2026-11-23T00:00:00Z", "23:59:60", "%-d.%-m.%y %p %Z %z %j %U %W %V %G %c %x %X %% %E %", "-2912116")
	f.Add("0000-01-01", "24:00", "%10Y%^a%#b%:z\xff%\x00", "1_0")
	f.Add("2024-02-30", "9:3", "%e%l%k%f%L%N%s%Q%u%w%C%g%h%n%t%D%F%R%r%T%v%+", "99999999999999999999")
	p := provider(noon)
	require.NoError(f, (&core.Registry{}).Add(p))
	registry := map[string]core.Block{}
	for _, b := range p.Blocks {
		registry[b.Spec().Name] = b
	}
	f.Fuzz(func(t *testing.T, date, clock, format, offset string) {
		if text, err := parseDate(date); err == nil {
			again, err := parseDate(text)
			require.NoError(t, err)
			require.Equal(t, text, again)
		}
		if text, err := parseClock(clock); err == nil {
			_, err := time.Parse(time.TimeOnly, strings.SplitN(text, ".", 2)[0][:len(time.TimeOnly)])
			require.NoError(t, err)
		}
		layout := map[string]any{"discriminator": "strftime", "format": format, "timezone": "Asia/Kathmandu"}
		err := core.Execute(t.Context(), registry["GetCurrentDateBlock"], &core.Run{},
			core.Values{"trigger": "", "offset": offset, "format_type": layout}, func(_ string, v any) error {
				text, ok := v.(string)
				require.True(t, ok)
				require.LessOrEqual(t, len(text), 64*len(format)+len(dateLayout)+2)
				if !strings.Contains(format, "%") && format != "" && utf8.ValidString(format) {
					require.Equal(t, format, text)
				}
				return nil
			})
		if err != nil {
			require.ErrorContains(t, err, "date value out of range")
		}
	})
}
