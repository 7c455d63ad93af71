package credential_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func TestDeleteUser(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		ctx := t.Context()
		const many = 250 // more than one batch
		for i := range many {
			create(t, s, ada, "openai", apiKey(t, fmt.Sprint(i)))
		}
		require.NoError(t, insert(t, s, d, ada, managed("m", "secret")))
		create(t, s, bob, "openai", apiKey(t, "1"))
		n, err := s.CountUser(ctx, ada)
		require.NoError(t, err)
		require.Equal(t, many+1, n)

		n, err = s.DeleteUser(ctx, ada)
		require.NoError(t, err)
		require.Equal(t, many, n)
		left, err := s.Managed(ctx, ada, "agent_mail", false)
		require.NoError(t, err)
		require.Equal(t, managed("m", "secret"), left, "it is needed to undo it at the vendor")
		n, err = s.CountUser(ctx, ada)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = s.CountUser(ctx, bob)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}
