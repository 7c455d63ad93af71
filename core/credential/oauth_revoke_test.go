package credential_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func yes() *bool {
	b := true
	return &b
}

func no() *bool { return new(bool) }

func TestDeleteRevokes(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		gone := func(s *credential.Service, provider, id string) *bool {
			b.t.Helper()
			done, err := s.Delete(b.t.Context(), ada, provider, id, false)
			require.NoError(b.t, err)
			require.False(b.t, done.NeedsConfirmation)
			c, err := s.Find(b.t.Context(), ada, id)
			require.NoError(b.t, err)
			require.Nil(b.t, c)
			return done.Revoked
		}
		create(b.t, b.service, ada, "openai", apiKey(b.t, "key"))
		require.Nil(b.t, gone(b.service, "openai", "key"))

		id := b.connect(ada).ID
		token := b.token(ada, id)
		require.Equal(b.t, yes(), gone(b.service, "acme", id))
		require.False(b.t, b.vendor.Works(token.AccessToken.Reveal()))
		require.Equal(b.t, 2, b.vendor.Count("revoke"), "the refresh token, then the access token")

		// What has no refresh token.
		token.ID, token.RefreshToken = "bare", ""
		_, err := b.service.Add(b.t.Context(), ada, token)
		require.NoError(b.t, err)
		require.Equal(b.t, yes(), gone(b.service, "acme", "bare"))
		require.Equal(b.t, 3, b.vendor.Count("revoke"))

		for name, fault := range map[string]oauthtest.Fault{
			"refused": oauthtest.Refuse(400, "invalid_token", ""), "error": oauthtest.Say(500, "text/html", "canary"), "broken": oauthtest.Drop, "echo": echo,
		} {
			id := b.connect(ada).ID
			b.vendor.SetFault(fault)
			require.Equal(b.t, no(), gone(b.service, "acme", id), name)
			b.vendor.SetFault(nil)
		}

		// A damaged one can go, and nobody can revoke it.
		id = b.connect(ada).ID
		require.NoError(b.t, d.Write.Exec("UPDATE credentials SET sealed = ''").Error)
		require.Equal(b.t, no(), gone(b.service, "acme", id))

		id = b.connect(ada).ID
		off := b.open(d, registryOf(b.t, oauthtest.Auth("https://vendor.example")).Without(map[string]string{"acme": "off"}), frontend)
		require.Equal(b.t, no(), gone(off, "acme", id))
	})
}

// Some vendors refuse the access token once its refresh token is revoked; that
// is what was wanted.
func TestRevokingWhatIsGone(t *testing.T) {
	for status, want := range map[int]*bool{400: yes(), 503: no()} {
		b := newSignIn(t, dbtest.SQLite(t), plainServer(), nil)
		id := b.connect(ada).ID
		b.vendor.SetFault(func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
			return form.Get("token_type_hint") == "access_token" && oauthtest.Refuse(status, "invalid_token", "")(w, r, form)
		})
		done, err := b.service.Delete(t.Context(), ada, "acme", id, false)
		require.NoError(t, err)
		require.Equal(t, want, done.Revoked)
	}
}

func TestRevokeOfAProvider(t *testing.T) {
	for name, c := range map[string]struct {
		revoke func(token core.OAuth2) error
		want   *bool
	}{
		"works":   {func(core.OAuth2) error { return nil }, yes()},
		"fails":   {func(token core.OAuth2) error { return errors.New(token.AccessToken.Reveal()) }, no()},
		"crashes": {func(token core.OAuth2) error { panic(token.AccessToken.Reveal()) }, no()},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSignIn(t, dbtest.SQLite(t), plainServer(), func(a *core.OAuth2Auth) {
				a.Revoke = func(_ context.Context, _ core.Doer, token core.OAuth2) error { return c.revoke(token) }
			})
			id := b.connect(ada).ID
			done, err := b.service.Delete(t.Context(), ada, "acme", id, false)
			require.NoError(t, err)
			require.Equal(t, c.want, done.Revoked)
			require.Zero(t, b.vendor.Count("revoke"))
		})
	}
}

// A client that leaves does not keep its tokens from being revoked.
func TestRevokedForWhoLeft(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, _ *db.DB) {
		id := b.connect(ada).ID
		token := b.token(ada, id)
		ctx, leave := context.WithCancel(b.t.Context())
		b.vendor.SetFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
			leave()
			return false
		})
		done, err := b.service.Delete(ctx, ada, "acme", id, false)
		require.NoError(b.t, err)
		require.Equal(b.t, yes(), done.Revoked)
		require.False(b.t, b.vendor.Works(token.AccessToken.Reveal()))
	})
}

func TestBeforeDelete(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, _ *db.DB) {
		ctx := b.t.Context()
		meta := b.connect(ada)
		var asked []any
		b.service.BeforeDelete = func(_ context.Context, userID string, c core.CredentialRef, force bool) (bool, error) {
			asked = append(asked, userID, c, force)
			return !force, nil
		}
		done, err := b.service.Delete(ctx, ada, "acme", meta.ID, false)
		require.NoError(b.t, err)
		require.Equal(b.t, credential.Deletion{NeedsConfirmation: true}, done)
		b.token(ada, meta.ID)
		done, err = b.service.Delete(ctx, ada, "acme", meta.ID, true)
		require.NoError(b.t, err)
		require.Equal(b.t, credential.Deletion{Revoked: yes()}, done)
		ref := core.CredentialRef{ID: meta.ID, Provider: "acme", Type: core.TypeOAuth2}
		require.Equal(b.t, []any{ada, ref, false, ada, ref, true}, asked)

		kept := b.connect(ada).ID
		b.service.BeforeDelete = func(context.Context, string, core.CredentialRef, bool) (bool, error) {
			return true, errors.New("the webhooks stay")
		}
		done, err = b.service.Delete(ctx, ada, "acme", kept, true)
		require.EqualError(b.t, err, "the webhooks stay")
		require.Equal(b.t, credential.Deletion{}, done)
		b.token(ada, kept)
		refused(b.t, remove(b.t, b.service, bob, "acme", kept), core.NotFound, "Credentials not found")
	})
}

func TestRevokeAll(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		ctx := b.t.Context()
		failed, err := b.service.RevokeAll(ctx, ada)
		require.NoError(b.t, err)
		require.Zero(b.t, failed)

		create(b.t, b.service, ada, "openai", apiKey(b.t, "key"))
		var tokens []core.OAuth2
		for range 6 {
			tokens = append(tokens, b.token(ada, b.connect(ada).ID))
		}
		bobs := b.token(bob, b.connect(bob).ID)
		require.NoError(b.t, d.Write.Exec("UPDATE credentials SET sealed = '' WHERE id = ?", tokens[0].ID).Error)
		failed, err = b.service.RevokeAll(ctx, ada)
		require.NoError(b.t, err)
		require.Equal(b.t, 1, failed, "the damaged one")
		require.True(b.t, b.vendor.Works(tokens[0].AccessToken.Reveal()))
		for _, token := range tokens[1:] {
			require.False(b.t, b.vendor.Works(token.AccessToken.Reveal()))
		}
		require.True(b.t, b.vendor.Works(bobs.AccessToken.Reveal()))
		listed, err := b.service.ListProvider(ctx, ada, "acme")
		require.NoError(b.t, err)
		require.Len(b.t, listed, 6, "it deletes nothing")

		limited, cancel := context.WithCancel(ctx)
		defer cancel()
		b.vendor.SetFault(func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
			cancel()
			return oauthtest.Hold(nil)(w, r, form) // never answers
		})
		failed, err = b.service.RevokeAll(limited, ada)
		require.NoError(b.t, err)
		require.Equal(b.t, 6, failed, "it ends with its context")
	})
}

func TestRevokeAllWithoutRevocation(t *testing.T) {
	b := newSignIn(t, dbtest.SQLite(t), plainServer(), func(a *core.OAuth2Auth) { a.RevokeURL = "" })
	b.connect(ada)
	failed, err := b.service.RevokeAll(t.Context(), ada)
	require.NoError(t, err)
	require.Zero(t, failed, "there is nothing that could fail")
}
