package credential_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/credential"
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

// insert stores a managed credential in a transaction of its own.
func insert(t *testing.T, s *credential.Service, d *db.DB, user string, c core.Credential) error {
	t.Helper()
	return d.Tx(t.Context(), func(tx *gorm.DB) error { return s.InsertManaged(tx, user, c) })
}

func TestManaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		ctx := t.Context()
		stored := func(user string, revoked bool) core.Credential {
			t.Helper()
			c, err := s.Managed(ctx, user, "agent_mail", revoked)
			require.NoError(t, err)
			return c
		}
		require.Nil(t, stored(ada, true))
		create(t, s, ada, "agent_mail", apiKey(t, "own"))

		require.NoError(t, insert(t, s, d, ada, managed("m1", "first")))
		require.True(t, core.IsKind(insert(t, s, d, ada, managed("m2", "second")), core.Conflict), "there is one per user")
		require.Equal(t, managed("m1", "first"), stored(ada, false))
		names, err := s.ManagedProviders(ctx, ada)
		require.NoError(t, err)
		require.Equal(t, []string{"agent_mail"}, names)
		meta, err := s.Meta(ctx, ada, "agent_mail", "m1")
		require.NoError(t, err)
		require.True(t, meta.IsManaged)
		require.True(t, meta.AutoGPTManaged)
		require.Nil(t, stored(bob, true))

		refused(t, remove(t, s, ada, "agent_mail", "m1"), core.Forbidden, "AutoGPT-managed credentials cannot be deleted")
		refused(t, remove(t, s, ada, "openai", "m1"), core.NotFound, "Credentials not found")

		plain := managed("m2", "x")
		plain.Managed = false
		require.ErrorContains(t, insert(t, s, d, bob, plain), "not marked as managed")
		_, err = s.Add(ctx, ada, managed("m2", "x"))
		require.ErrorContains(t, err, "it is managed")
		require.ErrorContains(t, insert(t, s, d, bob, managed(systemID, "x")), "reserved")
	})
}

func TestReplaceManaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		require.NoError(t, insert(t, s, d, ada, managed("m1", "first")))
		replace := func(user string, c core.Credential) (id string, err error) {
			err = d.Tx(t.Context(), func(tx *gorm.DB) error {
				id, err = s.ReplaceManaged(tx, user, c)
				return err
			})
			return id, err
		}
		id, err := replace(ada, managed("other", "second"))
		require.NoError(t, err)
		require.Equal(t, "m1", id, "agents name it")
		got, err := s.Get(t.Context(), ada, "m1")
		require.NoError(t, err)
		require.Equal(t, managed("m1", "second"), got)
		_, err = replace(bob, managed("m1", "second"))
		require.True(t, core.IsKind(err, core.NotFound), "%v", err)
		_, err = replace(ada, core.UserPassword{CredentialBase: managed("m1", "").CredentialBase})
		require.ErrorContains(t, err, "of another kind")
	})
}

// A replacement that reports success is stored, while others seal everything
// anew.
func TestReplaceManagedDuringReseal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		first := open(t, d, key("a", 1))
		require.NoError(t, insert(t, first, d, ada, managed("m1", "first")))
		second := open(t, d, key("b", 2), key("a", 1))
		first = open(t, d, key("a", 1), key("b", 2))
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-stop:
					return
				default:
					_ = second.Reseal(context.Background(), nil)
					_ = first.Reseal(context.Background(), nil)
				}
			}
		}()
		for i := range 100 {
			secret := fmt.Sprintf("secret-%d", i)
			require.NoError(t, d.Tx(t.Context(), func(tx *gorm.DB) error {
				_, err := second.ReplaceManaged(tx, ada, managed("m1", secret))
				return err
			}))
			got, err := second.Get(t.Context(), ada, "m1")
			require.NoError(t, err)
			require.Equal(t, managed("m1", secret), got)
		}
		close(stop)
		<-ended
	})
}

// What is being revoked cannot be used, and is still there for the one who
// takes it back.
func TestRevokeManaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		ctx := t.Context()
		require.NoError(t, insert(t, s, d, ada, managed("m1", "first")))
		require.NoError(t, insert(t, s, d, bob, managed("m1", "bobs")))
		require.NoError(t, d.Tx(ctx, func(tx *gorm.DB) error { return s.RevokeManaged(tx, ada, "agent_mail") }))
		listed, err := s.List(ctx, ada)
		require.NoError(t, err)
		require.NotContains(t, ids(listed), "m1")
		got, err := s.Get(ctx, ada, "m1")
		require.NoError(t, err)
		require.Nil(t, got)
		_, err = s.Meta(ctx, ada, "agent_mail", "m1")
		refused(t, err, core.NotFound, "Credentials not found")
		refused(t, remove(t, s, ada, "agent_mail", "m1"), core.NotFound, "Credentials not found")
		names, err := s.ManagedProviders(ctx, ada)
		require.NoError(t, err)
		require.Empty(t, names)
		live, err := s.Managed(ctx, ada, "agent_mail", false)
		require.NoError(t, err)
		require.Nil(t, live)
		kept, err := s.Managed(ctx, ada, "agent_mail", true)
		require.NoError(t, err)
		require.Equal(t, managed("m1", "first"), kept)
		require.NoError(t, d.Tx(ctx, func(tx *gorm.DB) error { return s.DropManaged(tx, ada, "agent_mail") }))
		kept, err = s.Managed(ctx, ada, "agent_mail", true)
		require.NoError(t, err)
		require.Nil(t, kept)
		others, err := s.Managed(ctx, bob, "agent_mail", false)
		require.NoError(t, err)
		require.NotNil(t, others)
	})
}

// A second credential must not be provisioned because the first does not open.
func TestAManagedCredentialThatDoesNotOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		require.NoError(t, insert(t, s, d, ada, managed("m", "x")))
		require.NoError(t, d.Write.Exec("UPDATE credentials SET sealed = 'v1.a.AAAA'").Error)
		got, err := s.Managed(t.Context(), ada, "agent_mail", false)
		require.Error(t, err)
		require.Nil(t, got)
		var known *core.Error
		require.False(t, errors.As(err, &known), "it is an internal fault")
	})
}
