package credential_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func importAll(t *testing.T, s *credential.Service, user string, list []core.Credential, dry bool) credential.Imported {
	t.Helper()
	result, err := s.Import(t.Context(), user, list, dry)
	require.NoError(t, err)
	return result
}

// own makes a credential of a user's own.
func own(id string) core.Credential {
	return core.APIKey{CredentialBase: core.CredentialBase{ID: id, Provider: "openai", Title: "Key " + id}, Key: core.Secret("sk-" + id)}
}

func TestImport(t *testing.T) {
	list := record(t, `{"credentials":[
		{"id":"z","provider":"openai","type":"api_key","title":"Z","api_key":"k","expires_at":1700000000},
		{"id":"b","provider":"github","type":"oauth2","title":null,"username":"ada","access_token":"at","refresh_token":"rt","scopes":["repo"],"metadata":{"a":"x"}},
		{"id":"c","provider":"smtp","type":"user_password","title":"Mail","username":"ada","password":"pw"},
		{"id":"a","provider":"not_here","type":"host_scoped","title":"Host","host":"example.com","headers":{"X-Key":"h"}},
		{"id":"m","provider":"agent_mail","type":"api_key","title":"AgentMail (managed by AutoGPT)","api_key":"m","is_managed":true,"metadata":{"pod_id":"p"}}
	]}`).Credentials
	require.Len(t, list, 5)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("k", 1))
		require.Equal(t, credential.Imported{Added: 5}, importAll(t, s, ada, list, true))
		metas, err := s.List(t.Context(), ada)
		require.NoError(t, err)
		require.Equal(t, []string{systemID}, ids(metas), "a dry run stores nothing")

		create(t, s, ada, "openai", apiKey(t, "earlier"))
		require.Equal(t, credential.Imported{Added: 5}, importAll(t, s, ada, list, false))
		create(t, s, ada, "openai", apiKey(t, "later"))
		metas, err = s.List(t.Context(), ada)
		require.NoError(t, err)
		got := ids(metas)
		require.Equal(t, []string{"z", "b", "c", "a", "m"}, without(got, "earlier", "later", systemID), "they keep their order")
		require.Equal(t, []string{"later", systemID}, got[len(got)-2:], "what is stored next comes after them")
		require.Equal(t, map[string]bool{"m": true}, managedIDs(metas))
		for _, want := range list {
			stored, err := s.Get(t.Context(), ada, want.Base().ID)
			require.NoError(t, err)
			require.Equal(t, want, stored)
		}

		require.Equal(t, credential.Imported{Present: 5}, importAll(t, s, ada, list, false))
		require.Equal(t, credential.Imported{Present: 5}, importAll(t, s, ada, list, true))
		again, err := s.List(t.Context(), ada)
		require.NoError(t, err)
		require.Equal(t, metas, again, "a second import changes nothing")
		require.Equal(t, credential.Imported{Added: 5}, importAll(t, s, bob, list, false), "ids are unique per user only")
	})
}

func without(list []string, drop ...string) []string {
	var kept []string
	for _, s := range list {
		if !strings.Contains(" "+strings.Join(drop, " ")+" ", " "+s+" ") {
			kept = append(kept, s)
		}
	}
	return kept
}

func managedIDs(metas []credential.Meta) map[string]bool {
	found := map[string]bool{}
	for _, m := range metas {
		if m.IsManaged {
			found[m.ID] = true
		}
	}
	return found
}

// What is stored here is newer than what comes.
func TestImportLeavesWhatIsThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("k", 1))
		create(t, s, ada, "openai", input(t, `{"id":"x","type":"api_key","api_key":"newer"}`))
		require.Equal(t, 1, importAll(t, s, ada, []core.Credential{managed("here", "mine")}, false).Added)
		result := importAll(t, s, ada, []core.Credential{own("x"), managed("there", "foreign"), own("y"), own("y")}, false)
		require.Equal(t, credential.Imported{Added: 1, Present: 2, Skipped: []credential.ImportNote{
			{ID: "there", Reason: "a managed credential of agent_mail is stored already"},
		}}, result)
		c, err := s.Get(t.Context(), ada, "x")
		require.NoError(t, err)
		require.Equal(t, "newer", c.(core.APIKey).Key.Reveal())
		metas, err := s.List(t.Context(), ada)
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"here": true}, managedIDs(metas))

		result = importAll(t, s, bob, []core.Credential{managed("one", "a"), managed("two", "b")}, false)
		require.Equal(t, 1, result.Added, "one per provider, from the import too")
		require.Equal(t, []credential.ImportNote{{ID: "two", Reason: "a managed credential of agent_mail is stored already"}}, result.Skipped)
	})
}

func TestImportSkipsAndFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("k", 1))
		// Two of providers that are here, one set and one not, one of a provider
		// that is not here.
		operators := []string{systemID, unsetID, defaultID, "other-default", "96153e04-9c6c-4486-895f-5bb683b1ecec"}
		var list []core.Credential
		var skipped []credential.ImportNote
		for _, id := range operators {
			list = append(list, own(id))
			skipped = append(skipped, credential.ImportNote{ID: id, Reason: "it is the operator's, which comes from the settings here"})
		}
		list = append(list, own("kept"), own(""), core.APIKey{CredentialBase: core.CredentialBase{ID: "nowhere"}, Key: "k"})
		require.Equal(t, credential.Imported{Added: 1, Skipped: skipped, Failed: []credential.ImportNote{
			{ID: "", Reason: "it lacks its id or its provider"}, {ID: "nowhere", Reason: "it lacks its id or its provider"},
		}}, importAll(t, s, ada, list, false))
		metas, err := s.List(t.Context(), ada)
		require.NoError(t, err)
		require.Equal(t, []string{"kept", systemID}, ids(metas))

		for _, user := range []string{"", "a\x00b", strings.Repeat("u", 256)} {
			_, err := s.Import(t.Context(), user, []core.Credential{own("x")}, false)
			require.ErrorContains(t, err, "the id of the user")
		}
	})
}

func TestImportHeedsTheLimit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("k", 1))
		var list []core.Credential
		for i := range 1001 {
			list = append(list, own(fmt.Sprintf("id-%04d", i)))
		}
		want := credential.Imported{Added: 1000, Failed: []credential.ImportNote{{ID: "id-1000", Reason: "at most 1000 credentials can be stored"}}}
		require.Equal(t, want, importAll(t, s, ada, list, true))
		require.Equal(t, want, importAll(t, s, ada, list, false))
		require.Equal(t, 1000, importAll(t, s, ada, list, false).Present)
	})
}
