package credential_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func managed(id, secret string) core.APIKey {
	return core.APIKey{
		CredentialBase: core.CredentialBase{
			ID: id, Provider: "agent_mail", Title: "AgentMail (managed by AutoGPT)", Managed: true,
			Metadata: map[string]any{"pod_id": "pod-of-ada"},
		},
		Key: core.Secret(secret),
	}
}

func TestManaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		ctx := t.Context()
		none, err := s.Managed(ctx, ada, "agent_mail")
		require.NoError(t, err)
		require.Nil(t, none)
		create(t, s, ada, "agent_mail", apiKey(t, "own"))

		_, err = s.AddManaged(ctx, ada, managed("m1", "first"))
		require.NoError(t, err)
		meta, err := s.AddManaged(ctx, ada, managed("", "second"))
		require.NoError(t, err)
		require.True(t, meta.IsManaged)
		require.True(t, meta.AutoGPTManaged)
		require.NotEmpty(t, meta.ID)

		got, err := s.Managed(ctx, ada, "agent_mail")
		require.NoError(t, err)
		require.Equal(t, managed(meta.ID, "second"), got)
		listed, err := s.ListProvider(ctx, ada, "agent_mail")
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"own", meta.ID}, ids(listed), "the first one was replaced, the user's own was not")
		other, err := s.Managed(ctx, bob, "agent_mail")
		require.NoError(t, err)
		require.Nil(t, other)

		refused(t, remove(t, s, ada, "agent_mail", meta.ID), core.Forbidden, "AutoGPT-managed credentials cannot be deleted")
		refused(t, remove(t, s, ada, "openai", meta.ID), core.NotFound, "Credentials not found")

		plain := managed("m2", "x")
		plain.Managed = false
		_, err = s.AddManaged(ctx, ada, plain)
		require.ErrorContains(t, err, "not marked as managed")
		_, err = s.Add(ctx, ada, managed("m2", "x"))
		require.ErrorContains(t, err, "it is managed")
		_, err = s.AddManaged(ctx, ada, managed(systemID, "x"))
		require.ErrorContains(t, err, "reserved")
		_, err = s.AddManaged(ctx, ada, managed("own", "x"))
		require.True(t, core.IsKind(err, core.Conflict), "%v", err)
		got, err = s.Managed(ctx, ada, "agent_mail")
		require.NoError(t, err)
		require.Equal(t, managed(meta.ID, "second"), got, "a failed replacement keeps the old one")
	})
}

func TestThereIsOneManagedCredential(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() { _, errs[i] = s.AddManaged(t.Context(), ada, managed("", "x")) })
		}
		wg.Wait()
		for _, err := range errs {
			require.True(t, err == nil || core.IsKind(err, core.Conflict), "%v", err)
		}
		require.Contains(t, errs, error(nil))
		listed, err := s.ListProvider(t.Context(), ada, "agent_mail")
		require.NoError(t, err)
		require.Len(t, listed, 1)
	})
}

// A second credential must not be provisioned because the first does not open.
func TestAManagedCredentialThatDoesNotOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		_, err := s.AddManaged(t.Context(), ada, managed("m", "x"))
		require.NoError(t, err)
		require.NoError(t, d.Write.Exec("UPDATE credentials SET sealed = 'v1.a.AAAA'").Error)
		got, err := s.Managed(t.Context(), ada, "agent_mail")
		require.Error(t, err)
		require.Nil(t, got)
		var known *core.Error
		require.False(t, errors.As(err, &known), "it is an internal fault")
	})
}
