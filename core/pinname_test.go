package core_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// pinCases are the cases of testdata/pins.json. A number in front of a name is
// the case's number in the description of the reference server.
type pinCases struct {
	Base   [][2]string `json:"base"`
	Select []struct {
		Name, Emitted, Source, Node, Pin string
		Value, Want                      any
		Silent                           bool
	} `json:"select"`
	Merge []struct {
		Name, Error string
		Keys        []string
		Data, Adds  core.Values
	} `json:"merge"`
}

func loadPinCases(tb testing.TB) pinCases {
	tb.Helper()
	data, err := os.ReadFile("testdata/pins.json")
	require.NoError(tb, err)
	var cases pinCases
	require.NoError(tb, json.Unmarshal(data, &cases))
	require.NotEmpty(tb, cases.Base)
	require.NotEmpty(tb, cases.Select)
	require.NotEmpty(tb, cases.Merge)
	return cases
}

func TestBasePin(t *testing.T) {
	for _, c := range loadPinCases(t).Base {
		require.Equal(t, c[1], core.BasePin(c[0]), c[0])
	}
}

func TestToolPinName(t *testing.T) {
	require.Equal(t, "tools_^_n1_~_q", core.ToolPinName("n1", "q"))
	require.True(t, core.IsToolPin(core.ToolPinName("n1", "q")))
	require.True(t, core.IsToolPin("tools"))
	require.False(t, core.IsToolPin("tools_"))
}

func TestSelectOutput(t *testing.T) {
	for _, c := range loadPinCases(t).Select {
		t.Run(c.Name, func(t *testing.T) {
			got, fires := core.SelectOutput(c.Emitted, c.Value, c.Source, c.Node, c.Pin)
			require.Equal(t, !c.Silent, fires)
			if fires {
				require.Equal(t, c.Want, got)
			}
		})
	}
}

func TestMergePins(t *testing.T) {
	for _, c := range loadPinCases(t).Merge {
		t.Run(c.Name, func(t *testing.T) {
			before, err := core.JSON(c.Data)
			require.NoError(t, err)
			got, err := core.MergePins(c.Keys, c.Data)
			after, encodeErr := core.JSON(c.Data)
			require.NoError(t, encodeErr)
			require.Equal(t, string(before), string(after), "the data given must not change")
			if c.Error != "" {
				require.EqualError(t, err, c.Error)
				require.True(t, core.IsKind(err, core.Invalid))
				return
			}
			require.NoError(t, err)
			want := c.Data.Clone()
			for k, v := range c.Adds {
				want[k] = v
			}
			require.Equal(t, want, got)
		})
	}
}
