package builtin

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTwister compares with what CPython 3.11 gave for the same calls after
// random.seed(seed).
func TestTwister(t *testing.T) {
	data, err := os.ReadFile("testdata/random/python.json")
	require.NoError(t, err)
	var cases []struct {
		Seed       int64                `json:"seed"`
		Random     []float64            `json:"random"`
		Random1000 float64              `json:"random_1000"`
		Bits       [][2]json.RawMessage `json:"bits"`    // [k, text]
		RandInt    [][3]int             `json:"randint"` // [low, high, result]
		Sample     [][3]json.RawMessage `json:"sample"`  // [n, k, result]
		Choices    [][3]json.RawMessage `json:"choices"` // [weights, k, result]
	}
	require.NoError(t, json.Unmarshal(data, &cases))
	require.NotEmpty(t, cases)
	for _, c := range cases {
		t.Run(strconv.FormatInt(c.Seed, 10), func(t *testing.T) {
			r := newTwister(c.Seed)
			for _, want := range c.Random {
				require.Equal(t, want, r.random())
			}
			r = newTwister(c.Seed)
			for range 1000 {
				r.random()
			}
			require.Equal(t, c.Random1000, r.random())
			r = newTwister(c.Seed)
			for _, call := range c.Bits {
				require.Equal(t, read[string](t, call[1]), strconv.FormatUint(r.bits(read[int](t, call[0])), 10))
			}
			r = newTwister(c.Seed)
			for _, call := range c.RandInt {
				require.Equal(t, call[2], r.between(call[0], call[1]))
			}
			r = newTwister(c.Seed)
			for _, call := range c.Sample {
				require.Equal(t, read[[]int](t, call[2]), r.sample(read[int](t, call[0]), read[int](t, call[1])), "sample of %s", call[0])
			}
			r = newTwister(c.Seed)
			for _, call := range c.Choices {
				require.Equal(t, read[[]int](t, call[2]), r.choices(read[[]float64](t, call[0]), read[int](t, call[1])), "choices of %s", call[0])
			}
		})
	}
}

func read[T any](t *testing.T, data json.RawMessage) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}
