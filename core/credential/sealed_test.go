package credential_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func TestChangedRowsDoNotOpen(t *testing.T) {
	cases := map[string]struct {
		change string
		want   error
	}{
		"seal of another row":   {"UPDATE credentials SET sealed = (SELECT c.sealed FROM credentials c WHERE c.id = 'b') WHERE id = 'a'", credential.ErrDamaged},
		"seal of another user":  {"UPDATE credentials SET sealed = (SELECT c.sealed FROM credentials c WHERE c.user_id = 'user-bob') WHERE id = 'a'", credential.ErrDamaged},
		"row of another user":   {"DELETE FROM credentials WHERE user_id = 'user-ada'; UPDATE credentials SET user_id = 'user-ada' WHERE user_id = 'user-bob'", credential.ErrDamaged},
		"another id":            {"DELETE FROM credentials WHERE id = 'a'; UPDATE credentials SET id = 'a' WHERE id = 'b'", credential.ErrDamaged},
		"another provider":      {"UPDATE credentials SET provider = 'groq' WHERE id = 'a'", credential.ErrDamaged},
		"another type":          {"UPDATE credentials SET type = 'user_password' WHERE id = 'a'", credential.ErrDamaged},
		"made managed":          {"UPDATE credentials SET is_managed = true WHERE id = 'a'", credential.ErrDamaged},
		"emptied":               {"UPDATE credentials SET sealed = '' WHERE id = 'a'", credential.ErrDamaged},
		"a key nobody has":      {"UPDATE credentials SET sealed = 'v1.lost.AAAA' WHERE id = 'a'", credential.ErrUnknownKey},
		"plain text put inside": {`UPDATE credentials SET sealed = '{"type":"api_key","key":"canary"}' WHERE id = 'a'`, credential.ErrDamaged},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d, key("a", 1))
				create(t, s, ada, "openai", apiKey(t, "a"))
				create(t, s, ada, "openai", apiKey(t, "b"))
				create(t, s, bob, "openai", apiKey(t, "a"))
				_, err := d.SQL().ExecContext(t.Context(), c.change)
				require.NoError(t, err)
				got, err := s.Get(t.Context(), ada, "a")
				require.ErrorIs(t, err, c.want)
				require.Nil(t, got)
				require.NotContains(t, err.Error(), "canary")
				_, err = s.List(t.Context(), ada)
				require.NoError(t, err, "one bad row does not break the list")
			})
		})
	}
}

// A user can get rid of a credential that is of no use any more.
func TestADamagedCredentialCanBeDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		create(t, s, ada, "openai", apiKey(t, "x"))
		require.NoError(t, d.Write.Exec("UPDATE credentials SET sealed = ''").Error)
		require.NoError(t, remove(t, s, ada, "openai", "x"))
		got, err := s.Get(t.Context(), ada, "x")
		require.NoError(t, err)
		require.Nil(t, got)
	})
}
