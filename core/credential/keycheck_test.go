package credential_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// contents gives all that the room stores, to see that nothing was written.
func contents(t *testing.T, d *db.DB) []map[string]any {
	t.Helper()
	var all []map[string]any
	for _, table := range []string{"encryption_keys", "credentials"} {
		var rows []map[string]any
		require.NoError(t, d.Read.Raw("SELECT * FROM "+table+" ORDER BY 1, 2").Scan(&rows).Error)
		all = append(all, rows...)
	}
	return all
}

func TestOpenChecksTheKeys(t *testing.T) {
	for name, c := range map[string]struct {
		keys []credential.Key
		says string
	}{
		"the same key":                 {keys: []credential.Key{key("a", 1)}},
		"a new key before it":          {keys: []credential.Key{key("b", 2), key("a", 1)}},
		"a new key after it":           {keys: []credential.Key{key("a", 1), key("b", 2)}},
		"another key":                  {keys: []credential.Key{key("b", 2)}, says: "stored secrets are sealed with key a; add it to encryption.keys"},
		"another key of the same name": {keys: []credential.Key{key("a", 2)}, says: "key a is not the one of that name"},
		"a wrong key after a new one":  {keys: []credential.Key{key("b", 2), key("a", 3)}, says: "key a is not the one of that name"},
		"the same key without a name":  {keys: []credential.Key{key("", 1)}, says: "sealed with key a"},
	} {
		for _, used := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, d *db.DB) {
					first := open(t, d, key("a", 1))
					if used {
						create(t, first, ada, "openai", apiKey(t, "x"))
					}
					before := contents(t, d)
					s, err := credential.Open(t.Context(), d, ring(t, c.keys...), registry(t), credential.Options{})
					if c.says != "" {
						require.ErrorContains(t, err, c.says)
						require.Nil(t, s)
						require.Equal(t, before, contents(t, d), "nothing was written")
						return
					}
					require.NoError(t, err)
					if used {
						got, err := s.Get(t.Context(), ada, "x")
						require.NoError(t, err)
						require.NotNil(t, got)
					}
				})
			})
		}
	}
}

// Rows that a server with the old keys wrote after a rotation are noticed too.
func TestOpenFindsRowsOfAForgottenKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		old := open(t, d, key("a", 1))
		fresh := open(t, d, key("b", 2), key("a", 1))
		require.NoError(t, fresh.Reseal(t.Context(), nil))
		create(t, old, ada, "openai", apiKey(t, "late"))
		_, err := credential.Open(t.Context(), d, ring(t, key("b", 2)), registry(t), credential.Options{})
		require.ErrorIs(t, err, credential.ErrUnknownKey)
		require.ErrorContains(t, err, "sealed with key a")
	})
}

// Servers that start at once on an empty database, each with a key of its own,
// do not both go on.
func TestOpenAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		start, results, providers := make(chan struct{}), make(chan error, 4), registry(t)
		for i := range 4 {
			r := ring(t, key("", byte(i+1)))
			go func() {
				<-start
				_, err := credential.Open(t.Context(), d, r, providers, credential.Options{})
				results <- err
			}()
		}
		close(start)
		passed := 0
		for range 4 {
			err := <-results
			if err == nil {
				passed++
				continue
			}
			require.ErrorIs(t, err, credential.ErrUnknownKey)
		}
		require.Equal(t, 1, passed)
	})
}

// A start waits for one that is not through on another machine.
func TestOpenWaitsForAnother(t *testing.T) {
	d := dbtest.Postgres(t)
	tx := d.Write.Begin()
	require.NoError(t, tx.Error)
	defer tx.Rollback()
	require.NoError(t, tx.Exec("INSERT INTO encryption_keys (name, sealed, created_at) VALUES ('b', 'v1.b.AAAA', now())").Error)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := credential.Open(ctx, d, ring(t, key("a", 1)), registry(t), credential.Options{})
	require.Error(t, err)
	require.NoError(t, tx.Commit().Error)
	_, err = credential.Open(t.Context(), d, ring(t, key("a", 1)), registry(t), credential.Options{})
	require.ErrorIs(t, err, credential.ErrUnknownKey)
}
