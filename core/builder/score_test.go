package builder_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/builder"
)

// vectors reads a file of testdata.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

func TestScores(t *testing.T) {
	var all struct {
		Primary []struct {
			Name, Text, Query string
			Score             float64
		}
		Extra []struct {
			Text, Query              string
			Contains, Similar, Score float64
		}
		Ratio []struct {
			Text, Query string
			Ratio       float64
		}
		Typed []struct{ Text, Query string }
		Split []struct{ Name, Words string }
	}
	vectors(t, "scores.json", &all)
	require.NotEmpty(t, all.Primary)
	require.NotEmpty(t, all.Extra)
	require.NotEmpty(t, all.Ratio)
	const tiny = 1e-8
	for _, c := range all.Primary {
		require.InDelta(t, c.Score, builder.Primary(c.Name, c.Text, c.Query), tiny, "%+v", c)
	}
	for _, c := range all.Extra {
		require.InDelta(t, c.Score, builder.Extra(c.Text, c.Query, c.Contains, c.Similar), tiny, "%+v", c)
	}
	for _, c := range all.Ratio {
		require.InDelta(t, c.Ratio, builder.Ratio(c.Text, c.Query), 1e-10, "%+v", c)
	}
	for _, c := range all.Typed {
		query, err := builder.Typed(c.Text)
		require.NoError(t, err)
		require.Equal(t, c.Query, query)
	}
	for _, c := range all.Split {
		require.Equal(t, c.Words, builder.SplitCamel(c.Name))
	}
}

// The cases were made with SequenceMatcher of Python's difflib, another
// implementation of the algorithm.
func TestRatios(t *testing.T) {
	var cases []struct {
		Text, Query string
		Ratio       float64
	}
	vectors(t, "ratios.json", &cases)
	require.Greater(t, len(cases), 150)
	for _, c := range cases {
		require.InDelta(t, c.Ratio, builder.Ratio(c.Text, c.Query), 1e-12, "%q and %q", c.Text, c.Query)
	}
}

// A matcher is used for one text after another.
func TestRatioOfManyTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		query := randomText(random, 100)
		ratio := builder.RatioOf(query)
		for range 5 {
			text := randomText(random, 150)
			require.InDelta(t, plainRatio([]rune(text), []rune(query)), ratio(text), 1e-12, "%q and %q", text, query)
		}
	}
}

func randomText(random *rand.Rand, longest int) string {
	letters := []rune("abcdeüß日 ")[:2+random.IntN(8)]
	var b strings.Builder
	for range random.IntN(longest + 1) {
		b.WriteRune(letters[random.IntN(len(letters))])
	}
	return b.String()
}

// plainRatio is the algorithm as it is told, without regard for what it costs.
func plainRatio(a, b []rune) float64 {
	if len(a)+len(b) == 0 {
		return 1
	}
	return 2 * float64(plainMatching(a, b)) / float64(len(a)+len(b))
}

func plainMatching(a, b []rune) int {
	best, inA, inB := 0, 0, 0
	for i := range a {
		for j := range b {
			n := 0
			for i+n < len(a) && j+n < len(b) && a[i+n] == b[j+n] {
				n++
			}
			if n > best {
				best, inA, inB = n, i, j
			}
		}
	}
	if best == 0 {
		return 0
	}
	return best + plainMatching(a[:inA], b[:inB]) + plainMatching(a[inA+best:], b[inB+best:])
}

// hardTexts are those that a comparison with a query takes longest for: one
// letter only, and letters of the query of which no two match side by side.
func hardTexts(n int) map[string][2]string {
	alphabet := make([]rune, 100)
	for i := range alphabet {
		alphabet[i] = rune('一' + i)
	}
	var apart strings.Builder
	for i := 0; apart.Len() < 3*n; i++ {
		if i < 2*len(alphabet) && i%2 == 0 {
			apart.WriteRune(alphabet[i/2])
		} else {
			apart.WriteRune(alphabet[99-i%100])
		}
	}
	return map[string][2]string{
		"one letter": {strings.Repeat("a", n), strings.Repeat("a", 100)},
		"apart":      {apart.String(), string(alphabet)},
	}
}

// BenchmarkRatio shows that the time for a text grows with its length and no
// faster, also for the hardest: a character of the text costs no more than a
// few nanoseconds for each of the query.
func BenchmarkRatio(b *testing.B) {
	run := func(name, text, query string) {
		b.Run(name, func(b *testing.B) {
			ratio := builder.RatioOf(query)
			pairs := len([]rune(text)) * len([]rune(query))
			for b.Loop() {
				ratio(text)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*pairs), "ns/pair")
		})
	}
	prose := strings.Repeat("reads the rows of a sheet and gives them one by one; limit: most rows to give; ", 200)
	for _, n := range []int{1000, 4000, 10000} {
		size := map[int]string{1000: "1k", 4000: "4k", 10000: "10k"}[n]
		run("prose/"+size, prose[:n], "google sheets")
		for name, c := range hardTexts(n) {
			run(name+"/"+size, c[0], c[1])
		}
	}
}
