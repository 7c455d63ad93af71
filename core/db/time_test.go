package db_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
)

func TestTimeJSON(t *testing.T) {
	berlin := time.FixedZone("", 2*3600)
	for name, c := range map[string]struct {
		in   db.Time
		want string
	}{
		"three digits":         {db.At(time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)), `"2025-01-02T03:04:05.000Z"`},
		"cut, not rounded":     {db.At(time.Date(2025, 1, 2, 3, 4, 5, 999_999_999, time.UTC)), `"2025-01-02T03:04:05.999Z"`},
		"zones become UTC":     {db.At(time.Date(2025, 1, 2, 3, 4, 5, 6e6, berlin)), `"2025-01-02T01:04:05.006Z"`},
		"built without At":     {db.Time{Time: time.Date(2025, 1, 2, 3, 4, 5, 6e6, berlin)}, `"2025-01-02T01:04:05.006Z"`},
		"zero":                 {db.Time{}, `null`},
		"zero through At":      {db.At(time.Time{}), `null`},
		"first of the century": {db.At(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), `"2000-01-01T00:00:00.000Z"`},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, string(data))
			var back db.Time
			require.NoError(t, json.Unmarshal(data, &back))
			require.Equal(t, db.At(c.in.Time), back)
		})
	}
}

func TestTimeReads(t *testing.T) {
	want := db.At(time.Date(2025, 1, 2, 3, 4, 5, 120e6, time.UTC))
	for name, src := range map[string]any{
		"time":              time.Date(2025, 1, 2, 4, 4, 5, 120_400_000, time.FixedZone("", 3600)),
		"text of SQLite":    "2025-01-02 03:04:05.12+00:00",
		"text with offset":  "2025-01-02 04:04:05.12+01:00",
		"text without zone": []byte("2025-01-02 03:04:05.12"),
		"ISO":               "2025-01-02T03:04:05.120Z",
		"ISO without zone":  "2025-01-02T03:04:05.120",
	} {
		t.Run(name, func(t *testing.T) {
			var got db.Time
			require.NoError(t, got.Scan(src))
			require.Equal(t, want, got)
		})
	}
	got := want
	require.NoError(t, got.Scan(nil))
	require.True(t, got.IsZero())
	require.ErrorContains(t, got.Scan("yesterday"), "is not one")
	require.ErrorContains(t, got.Scan(12), "got int")
	require.Error(t, json.Unmarshal([]byte(`12`), &got))
}
