package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func TestContains(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, c := range []struct {
			text, part string
			want       bool
		}{
			{"My Agent", "agent", true},
			{"ÄRGER über Ölpreise", "ärger ÜBER", false}, // the text asked for is in small letters
			{"ÄRGER ÜBER Ölpreise", "ärger über", true},
			{"100% of it", "0% o", true},
			{"100 of it", "1%", false},
			{"a_b", "a_b", true},
			{"axb", "a_b", false},
			{`it's`, `t's`, true},
			{`back\slash`, `k\s`, true},
			{"", "", true},
			{"", "a", false},
			{"a", "", true},
		} {
			var got bool
			require.NoError(t, d.Read.Raw("SELECT "+d.Contains("t.v")+" FROM (SELECT CAST(? AS text) AS v) t", c.part, c.text).Scan(&got).Error)
			require.Equal(t, c.want, got, "%q in %q", c.part, c.text)
		}
		var got *bool
		require.NoError(t, d.Read.Raw("SELECT true WHERE "+d.Contains("NULL"), "a").Scan(&got).Error)
		require.Nil(t, got, "nothing holds nothing")
	})
}
