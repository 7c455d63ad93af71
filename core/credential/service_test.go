package credential_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func TestModels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { dbtest.CheckModels(t, d, credential.Models()...) })
}

func TestRoundTrip(t *testing.T) {
	title := "Mine"
	base := func(id, provider string) core.CredentialBase {
		return core.CredentialBase{ID: id, Provider: provider, Title: title}
	}
	at := time.Unix(1_900_000_000, 0).UTC()
	cases := []struct {
		provider, body, meta string
		want                 core.Credential
	}{
		{
			"openai", `{"id":"k","provider":"ignored","type":"api_key","title":"Mine","api_key":"canary-1","expires_at":1900000000,"is_managed":true,"metadata":{"pod_id":"x"}}`,
			`{"id":"k","provider":"openai","type":"api_key","title":"Mine","scopes":null,"username":null,"host":null,"is_managed":false,"autogpt_managed":false,"needs_reconnect":false}`,
			core.APIKey{CredentialBase: base("k", "openai"), Key: "canary-1", ExpiresAt: at},
		},
		{
			"github", `{"id":"o","provider":"github","type":"oauth2","title":"Mine","access_token":"canary-2","refresh_token":"canary-3","scopes":["repo","user"],"username":"testuser","access_token_expires_at":1900000000,"refresh_token_expires_at":null}`,
			`{"id":"o","provider":"github","type":"oauth2","title":"Mine","scopes":["repo","user"],"username":"testuser","host":null,"is_managed":false,"autogpt_managed":false,"needs_reconnect":false}`,
			core.OAuth2{CredentialBase: base("o", "github"), AccessToken: "canary-2", RefreshToken: "canary-3", Scopes: []string{"repo", "user"}, Username: "testuser", AccessExpiresAt: at},
		},
		{
			"smtp", `{"id":"u","type":"user_password","title":"Mine","username":"canary-4","password":""}`,
			`{"id":"u","provider":"smtp","type":"user_password","title":"Mine","scopes":null,"username":null,"host":null,"is_managed":false,"autogpt_managed":false,"needs_reconnect":false}`,
			core.UserPassword{CredentialBase: base("u", "smtp"), Username: "canary-4"},
		},
		{
			"http", `{"id":"h","type":"host_scoped","title":"Mine","host":"https://api.example.com","headers":{"Authorization":"canary-5","X-Other":"canary-6"}}`,
			`{"id":"h","provider":"http","type":"host_scoped","title":"Mine","scopes":null,"username":null,"host":"https://api.example.com","is_managed":false,"autogpt_managed":false,"needs_reconnect":false}`,
			core.HostScoped{CredentialBase: base("h", "http"), Host: "https://api.example.com", Headers: map[string]core.Secret{"Authorization": "canary-5", "X-Other": "canary-6"}},
		},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		for _, c := range cases {
			made := create(t, s, ada, c.provider, input(t, c.body))
			data, err := json.Marshal(made)
			require.NoError(t, err)
			require.JSONEq(t, c.meta, string(data))

			got, err := s.Get(t.Context(), ada, made.ID)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			meta, err := s.Meta(t.Context(), ada, c.provider, made.ID)
			require.NoError(t, err)
			require.Equal(t, made, meta)
			listed, err := s.ListProvider(t.Context(), ada, "ProviderName."+c.provider)
			require.NoError(t, err)
			require.Equal(t, made, listed[0])
			ref, err := s.Find(t.Context(), ada, made.ID)
			require.NoError(t, err)
			require.Equal(t, &core.CredentialRef{ID: made.ID, Provider: c.provider, Type: c.want.Type(), Title: &title}, ref)
		}
		all, err := s.List(t.Context(), ada)
		require.NoError(t, err)
		require.Len(t, all, 5)
		require.ElementsMatch(t, []string{"k", "o", "u", "h"}, ids(all[:4]))
		require.Equal(t, systemID, all[4].ID, "system credentials come last")
	})
}

func TestListsAreInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		want := []string{}
		for range 20 {
			want = append(want, create(t, s, ada, "groq", input(t, `{"type":"api_key","api_key":"x"}`)).ID)
		}
		listed, err := s.ListProvider(t.Context(), ada, "groq")
		require.NoError(t, err)
		require.Equal(t, want, ids(listed))
		require.Nil(t, listed[0].Title)
		none, err := s.ListProvider(t.Context(), ada, "no_such_provider")
		require.NoError(t, err)
		require.NotNil(t, none)
		require.Empty(t, none)
	})
}

func TestOtherUsersSeeNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		create(t, s, ada, "openai", apiKey(t, "mine"))
		got, err := s.Get(t.Context(), bob, "mine")
		require.NoError(t, err)
		require.Nil(t, got)
		ref, err := s.Find(t.Context(), bob, "mine")
		require.NoError(t, err)
		require.Nil(t, ref)
		_, err = s.Meta(t.Context(), bob, "openai", "mine")
		refused(t, err, core.NotFound, "Credentials not found")
		refused(t, remove(t, s, bob, "openai", "mine"), core.NotFound, "Credentials not found")
		_, err = s.UpdateTokens(t.Context(), bob, core.OAuth2{CredentialBase: core.CredentialBase{ID: "mine"}})
		refused(t, err, core.NotFound, "Credentials not found")
		listed, err := s.List(t.Context(), bob)
		require.NoError(t, err)
		require.Equal(t, []string{systemID}, ids(listed))
		// An id that another user has says nothing about that user.
		require.Equal(t, "mine", create(t, s, bob, "openai", apiKey(t, "mine")).ID)
		require.NoError(t, remove(t, s, bob, "openai", "mine"))
		got, err = s.Get(t.Context(), ada, "mine")
		require.NoError(t, err)
		require.Equal(t, "sk-canary-mine", got.(core.APIKey).Key.Reveal())
	})
}

func TestSystemCredentials(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		got, err := s.Get(t.Context(), ada, systemID)
		require.NoError(t, err)
		require.Equal(t, "sk-operator-canary", got.(core.APIKey).Key.Reveal())
		meta, err := s.Meta(t.Context(), ada, "openai", systemID)
		require.NoError(t, err)
		require.Equal(t, "Use Credits for OpenAI", *meta.Title)
		for _, id := range []string{unsetID, defaultID, "absent", ""} {
			got, err := s.Get(t.Context(), ada, id)
			require.NoError(t, err)
			require.Nil(t, got, id)
			ref, err := s.Find(t.Context(), ada, id)
			require.NoError(t, err)
			require.Nil(t, ref, id)
		}
		for _, place := range [][2]string{{"groq", systemID}, {"groq", unsetID}, {"openai", defaultID}} {
			_, err := s.Meta(t.Context(), ada, place[0], place[1])
			refused(t, err, core.NotFound, "Credentials not found")
		}
	})
}

func TestNoSecretIsLeftInTheOpen(t *testing.T) {
	d := dbtest.SQLite(t)
	s := open(t, d, key("a", 1))
	for _, body := range []string{
		`{"type":"api_key","api_key":"canary-key"}`,
		`{"type":"oauth2","access_token":"canary-access","refresh_token":"canary-refresh","scopes":["marker-scope"]}`,
		`{"type":"user_password","username":"canary-name","password":"canary-password"}`,
		`{"type":"host_scoped","host":"example.com","headers":{"Authorization":"canary-header"}}`,
	} {
		create(t, s, ada, "http", input(t, body))
	}
	require.NoError(t, insert(t, s, d, ada, managed("m", "canary-managed")))
	raw := rawDatabase(t, d)
	require.Contains(t, raw, "marker-scope", "the rows were read")
	require.NotContains(t, raw, "canary")
	require.NotContains(t, raw, "pod-of-ada")
}

// rawDatabase gives the bytes of the files of a SQLite database.
func rawDatabase(t *testing.T, d *db.DB) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(d.Path()), "*"))
	require.NoError(t, err)
	var raw []byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		raw = append(raw, data...)
	}
	return string(raw)
}
