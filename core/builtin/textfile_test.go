package builtin

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRowReader compares with splitting the whole text, over texts that are
// larger than the buffer and delimiters that the buffer's end cuts.
func TestRowReader(t *testing.T) {
	random := newTwister(1)
	var b strings.Builder
	for range 60_000 {
		b.WriteByte("abé\n"[random.below(5)])
	}
	for _, delimiter := range []string{"\n", "ab", "aab", "\xc3", strings.Repeat("ab", 20_000), "x"} {
		text := b.String() + delimiter + b.String()
		all := strings.Split(text, delimiter)
		for _, skip := range []int{0, 1, 2, 1000, len(all) - 1, len(all)} {
			for _, limit := range []int{0, 1, 3, 5000} {
				r := newRowReader(t.Context(), strings.NewReader(text), delimiter, limit)
				there, err := r.skip(skip)
				require.NoError(t, err)
				rows := all[min(skip, len(all)):]
				require.Equal(t, len(rows) > 0, there)
				if limit > 0 {
					rows = rows[:min(limit, len(rows))]
				}
				got, err := io.ReadAll(r)
				require.NoError(t, err)
				require.True(t, strings.Join(rows, delimiter) == string(got), "%.10q, skip %d, limit %d", delimiter, skip, limit)
			}
		}
	}
}

func TestIsUTF8(t *testing.T) {
	whole := []byte(strings.Repeat("é世😀", 30_000)) // characters cross the ends of reads
	for shift := range 4 {
		ok, err := isUTF8(t.Context(), bytes.NewReader(append(make([]byte, shift), whole...)))
		require.NoError(t, err)
		require.True(t, ok)
		ok, err = isUTF8(t.Context(), bytes.NewReader(append(append(make([]byte, shift), whole...), 0xff)))
		require.NoError(t, err)
		require.False(t, ok)
		ok, err = isUTF8(t.Context(), bytes.NewReader(append(make([]byte, shift), whole[:len(whole)-1]...)))
		require.NoError(t, err)
		require.False(t, ok, "the last character is cut")
	}
}
