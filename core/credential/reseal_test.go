package credential_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func sealedWith(t *testing.T, d *db.DB, name string) (n int) {
	t.Helper()
	require.NoError(t, d.Read.Raw("SELECT count(*) FROM credentials WHERE key_name = ? AND sealed LIKE ?", name, "v1."+name+".%").Scan(&n).Error)
	return n
}

func TestResealStoppedHalfWay(t *testing.T) {
	const users, each = 5, 50
	total := users * each
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		old := open(t, d, key("old", 1))
		for u := range users {
			for i := range each {
				create(t, old, fmt.Sprintf("user-%d", u), "openai", apiKey(t, fmt.Sprintf("id-%d", i)))
			}
		}
		fresh := open(t, d, key("new", 2), key("old", 1))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		err := fresh.Reseal(ctx, func(done, all int) {
			require.Equal(t, []int{credential.ResealBatch, total}, []int{done, all})
			stop()
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, credential.ResealBatch, sealedWith(t, d, "new"))
		require.Equal(t, total-credential.ResealBatch, sealedWith(t, d, "old"))
		_, err = credential.Open(t.Context(), d, ring(t, key("new", 2)), registry(t), credential.Options{})
		require.ErrorIs(t, err, credential.ErrUnknownKey, "the old key is still needed")

		resumed := open(t, d, key("new", 2), key("old", 1))
		var steps [][2]int
		require.NoError(t, resumed.Reseal(t.Context(), func(done, all int) { steps = append(steps, [2]int{done, all}) }))
		require.Equal(t, [][2]int{{100, 150}, {150, 150}}, steps)
		require.Equal(t, total, sealedWith(t, d, "new"))

		alone := open(t, d, key("new", 2))
		for u := range users {
			for i := range each {
				id := fmt.Sprintf("id-%d", i)
				c, err := alone.Get(t.Context(), fmt.Sprintf("user-%d", u), id)
				require.NoError(t, err)
				require.Equal(t, "sk-canary-"+id, c.(core.APIKey).Key.Reveal())
			}
		}
		require.NoError(t, alone.Reseal(t.Context(), func(int, int) { t.Error("there is nothing to do") }))
	})
}

func TestResealLeavesWhatDoesNotOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		old := open(t, d, key("old", 1))
		for _, id := range []string{"a", "b", "c"} {
			create(t, old, ada, "openai", apiKey(t, id))
		}
		require.NoError(t, d.Write.Exec("UPDATE credentials SET sealed = 'v1.old.AAAA' WHERE id = 'b'").Error)
		s := open(t, d, key("new", 2), key("old", 1))
		err := s.Reseal(t.Context(), nil)
		require.ErrorIs(t, err, credential.ErrDamaged)
		require.ErrorContains(t, err, "credential b of user user-ada")
		require.Equal(t, 2, sealedWith(t, d, "new"))
		require.Equal(t, 1, sealedWith(t, d, "old"), "the damaged row is kept")
		_, err = credential.Open(t.Context(), d, ring(t, key("new", 2)), registry(t), credential.Options{})
		require.ErrorIs(t, err, credential.ErrUnknownKey)
	})
}

// A server that still has the old keys may write while another one reseals.
func TestResealKeepsTheCheckOfAKeyInUse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		old := open(t, d, key("old", 1))
		create(t, old, bob, "openai", apiKey(t, "x"))
		s := open(t, d, key("new", 2), key("old", 1))
		require.NoError(t, s.Reseal(t.Context(), func(int, int) { create(t, old, ada, "openai", apiKey(t, "late")) }))
		require.Equal(t, 1, sealedWith(t, d, "old"))
		_, err := credential.Open(t.Context(), d, ring(t, key("new", 2), key("old", 3)), registry(t), credential.Options{})
		require.ErrorContains(t, err, "key old is not the one of that name")
	})
}
