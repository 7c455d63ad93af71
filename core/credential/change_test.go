package credential_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

func TestCreateRefusesIDs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		create(t, s, ada, "openai", apiKey(t, "taken"))
		for id, c := range map[string]struct {
			kind core.Kind
			text string
		}{
			"taken":       {core.Internal, "Failed to store credentials"},
			systemID:      {core.Internal, "Failed to store credentials"},
			unsetID:       {core.Internal, "Failed to store credentials"},
			absentID:      {core.Internal, "Failed to store credentials"},
			"new-default": {core.Forbidden, "Cannot create credentials with a reserved ID"},
			defaultID:     {core.Forbidden, "Cannot create credentials with a reserved ID"},
		} {
			_, err := s.Create(t.Context(), ada, "groq", apiKey(t, id))
			refused(t, err, c.kind, c.text)
		}
		listed, err := s.List(t.Context(), ada)
		require.NoError(t, err)
		require.Equal(t, []string{"taken", systemID}, ids(listed))
		got, err := s.Get(t.Context(), ada, "taken")
		require.NoError(t, err)
		require.Equal(t, "openai", got.Base().Provider, "it is still the first one")
	})
}

func TestCreateChecksItsInput(t *testing.T) {
	s := open(t, dbtest.SQLite(t), key("a", 1))
	long := func(n int) string { return strings.Repeat("canary", n/6+1)[:n] }
	headers := func(n int) string {
		all := map[string]string{}
		for i := range n {
			all[fmt.Sprintf("X-%d", i)] = "canary"
		}
		data, err := json.Marshal(all)
		require.NoError(t, err)
		return string(data)
	}
	secret := 64 << 10
	for name, c := range map[string]struct {
		body string
		loc  string // "" means that it is accepted
	}{
		"no type":                   {`{"api_key":"canary"}`, `["body"]`},
		"unknown type":              {`{"type":"canary","api_key":"canary"}`, `["body"]`},
		"no key":                    {`{"type":"api_key"}`, `["body","api_key","api_key"]`},
		"empty key":                 {`{"type":"api_key","api_key":""}`, `["body","api_key","api_key"]`},
		"no token":                  {`{"type":"oauth2","scopes":[]}`, `["body","oauth2","access_token"]`},
		"no scopes":                 {`{"type":"oauth2","access_token":"canary"}`, `["body","oauth2","scopes"]`},
		"empty scopes":              {`{"type":"oauth2","access_token":"canary","scopes":[]}`, ""},
		"no username":               {`{"type":"user_password","password":"canary"}`, `["body","user_password","username"]`},
		"no password":               {`{"type":"user_password","username":"canary"}`, `["body","user_password","password"]`},
		"neither name nor password": {`{"type":"user_password","username":"","password":""}`, `["body","user_password","password"]`},
		"no host":                   {`{"type":"host_scoped","headers":{}}`, `["body","host_scoped","host"]`},
		"no headers":                {`{"type":"host_scoped","host":"a.b"}`, ""},
		"longest title":             {`{"type":"api_key","api_key":"k","title":"` + strings.Repeat("é", 200) + `"}`, ""},
		"long title":                {`{"type":"api_key","api_key":"k","title":"` + strings.Repeat("é", 201) + `"}`, `["body","api_key","title"]`},
		"long id":                   {`{"type":"api_key","api_key":"k","id":"` + long(256) + `"}`, `["body","api_key","id"]`},
		"control character in id":   {`{"type":"api_key","api_key":"k","id":"a\u0000"}`, `["body","api_key","id"]`},
		"longest secret":            {`{"type":"api_key","api_key":"` + long(secret) + `"}`, ""},
		"long secret":               {`{"type":"api_key","api_key":"` + long(secret+1) + `"}`, `["body","api_key","api_key"]`},
		"long username":             {`{"type":"oauth2","access_token":"k","scopes":[],"username":"` + long(501) + `"}`, `["body","oauth2","username"]`},
		"long scope":                {`{"type":"oauth2","access_token":"k","scopes":["a","` + long(501) + `"]}`, `["body","oauth2","scopes",1]`},
		"long host":                 {`{"type":"host_scoped","host":"` + long(2049) + `"}`, `["body","host_scoped","host"]`},
		"most headers":              {`{"type":"host_scoped","host":"a.b","headers":` + headers(100) + `}`, ""},
		"many headers":              {`{"type":"host_scoped","host":"a.b","headers":` + headers(101) + `}`, `["body","host_scoped","headers"]`},
		"header of two lines":       {`{"type":"host_scoped","host":"a.b","headers":{"a\u0000":"canary"}}`, `["body","host_scoped","headers"]`},
		"large in total":            {`{"type":"host_scoped","host":"a.b","headers":{"a":"` + long(secret) + `","b":"` + long(secret) + `","c":"` + long(secret) + `","d":"` + long(secret) + `"}}`, `["body","host_scoped"]`},
		"expired before 1970":       {`{"type":"api_key","api_key":"k","expires_at":-1}`, `["body","api_key","expires_at"]`},
		"expires never":             {`{"type":"api_key","api_key":"k","expires_at":null}`, ""},
		"expires too late":          {`{"type":"oauth2","access_token":"k","scopes":[],"refresh_token_expires_at":9223372036854775807}`, `["body","oauth2","refresh_token_expires_at"]`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Create(t.Context(), ada, "any", input(t, c.body))
			if c.loc == "" {
				require.NoError(t, err)
				return
			}
			var known *core.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, core.Unprocessable, known.Kind)
			data, err := json.Marshal(known.Detail)
			require.NoError(t, err)
			var problems []struct{ Loc json.RawMessage }
			require.NoError(t, json.Unmarshal(data, &problems))
			require.Len(t, problems, 1)
			require.JSONEq(t, c.loc, string(problems[0].Loc))
			require.NotContains(t, string(data)+known.Error(), "canary")
		})
	}
	_, err := s.Create(t.Context(), ada, strings.Repeat("p", 101), apiKey(t, "x"))
	require.True(t, core.IsKind(err, core.Unprocessable), "%v", err)
}

func TestCreateCleansText(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		m := create(t, s, ada, "github", input(t, `{"type":"oauth2","title":"a\u0000b","access_token":"k\u0000","scopes":["r\u0000"],"username":"u\u0000"}`))
		require.Equal(t, []string{"ab", "u", "r"}, []string{*m.Title, *m.Username, m.Scopes[0]})
		c, err := s.Get(t.Context(), ada, m.ID)
		require.NoError(t, err)
		require.Equal(t, "k\x00", c.(core.OAuth2).AccessToken.Reveal(), "a secret stays as it is")
	})
}

func TestDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		create(t, s, ada, "openai", apiKey(t, "mine"))
		for _, c := range []struct {
			provider, id string
			kind         core.Kind
			text         string
		}{
			{"openai", defaultID, core.NotFound, "Credentials not found"},
			{"openai", systemID, core.Forbidden, "System-managed credentials cannot be deleted"},
			{"groq", unsetID, core.Forbidden, "System-managed credentials cannot be deleted"},
			{"anthropic", absentID, core.Forbidden, "System-managed credentials cannot be deleted"},
			{"openai", "absent", core.NotFound, "Credentials not found"},
			{"groq", "mine", core.NotFound, "Credentials not found"},
		} {
			refused(t, remove(t, s, ada, c.provider, c.id), c.kind, c.text)
		}
		require.NoError(t, remove(t, s, ada, "ProviderName.OPENAI", "mine"))
		refused(t, remove(t, s, ada, "openai", "mine"), core.NotFound, "Credentials not found")
	})
}

func TestAUserStoresAtMostAThousand(t *testing.T) {
	d := dbtest.SQLite(t)
	s := open(t, d, key("a", 1))
	create(t, s, ada, "openai", apiKey(t, "mine"))
	require.NoError(t, d.Write.Exec(`INSERT INTO credentials (user_id, id, provider, type, title, is_managed, public, created_at, updated_at, key_name, sealed)
		SELECT user_id, 'n' || value, provider, type, title, is_managed, public, created_at, updated_at, key_name, sealed
		FROM credentials, (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 999) SELECT value FROM n)`).Error)
	_, err := s.Create(t.Context(), ada, "openai", apiKey(t, "more"))
	refused(t, err, core.Invalid, "At most 1000 credentials can be stored")
	create(t, s, bob, "openai", apiKey(t, "more"))
}

func TestUpdateTokens(t *testing.T) {
	first := time.Unix(1_900_000_000, 0).UTC()
	second := first.Add(time.Hour)
	stored := core.OAuth2{
		CredentialBase: core.CredentialBase{ID: "id", Provider: "mcp", Title: "Mine", Metadata: map[string]any{"mcp_server_url": "https://mcp.example.com"}},
		AccessToken:    "access-1", RefreshToken: "refresh-1", Scopes: []string{"read", "write"}, Username: "ada",
		AccessExpiresAt: first, RefreshExpiresAt: first,
	}
	with := func(change func(c *core.OAuth2)) core.OAuth2 {
		c := stored
		change(&c)
		return c
	}
	id := core.CredentialBase{ID: "id"}
	for name, c := range map[string]struct{ fresh, want core.OAuth2 }{
		"all": {
			core.OAuth2{CredentialBase: id, AccessToken: "access-2", RefreshToken: "refresh-2", Scopes: []string{"write", "read", "admin"}, Username: "ada2", AccessExpiresAt: second, RefreshExpiresAt: second},
			with(func(c *core.OAuth2) {
				c.AccessToken, c.RefreshToken, c.Scopes, c.Username = "access-2", "refresh-2", []string{"write", "read", "admin"}, "ada2"
				c.AccessExpiresAt, c.RefreshExpiresAt = second, second
			}),
		},
		"only the token": {
			core.OAuth2{CredentialBase: id, AccessToken: "access-2"},
			with(func(c *core.OAuth2) { c.AccessToken, c.AccessExpiresAt = "access-2", time.Time{} }),
		},
		"fewer scopes": {
			core.OAuth2{CredentialBase: id, AccessToken: "access-2", Scopes: []string{"read"}, AccessExpiresAt: second},
			with(func(c *core.OAuth2) { c.AccessToken, c.AccessExpiresAt = "access-2", second }),
		},
		"another identity": {
			core.OAuth2{CredentialBase: core.CredentialBase{ID: "id", Title: "x", Managed: true, Metadata: map[string]any{}}, AccessToken: "access-2", AccessExpiresAt: first},
			with(func(c *core.OAuth2) { c.AccessToken = "access-2" }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d, key("a", 1))
				made, err := s.Add(t.Context(), ada, stored)
				require.NoError(t, err)
				require.Equal(t, "https://mcp.example.com", *made.Host)
				got, err := s.UpdateTokens(t.Context(), ada, c.fresh)
				require.NoError(t, err)
				require.Equal(t, c.want, got)
				read, err := s.Get(t.Context(), ada, "id")
				require.NoError(t, err)
				require.Equal(t, c.want, read)
				meta, err := s.Meta(t.Context(), ada, "mcp", "id")
				require.NoError(t, err)
				require.Equal(t, c.want.Scopes, meta.Scopes)
				require.Equal(t, c.want.Username, *meta.Username)
			})
		})
	}
}

// An id that a user took for an account at another vendor does not get the tokens
// of the one before.
func TestUpdateTokensOfAnotherProvider(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		create(t, s, ada, "third", input(t, `{"id":"x","type":"oauth2","access_token":"of-third","refresh_token":"r","scopes":["s"]}`))
		_, err := s.UpdateTokens(t.Context(), ada, core.OAuth2{CredentialBase: core.CredentialBase{ID: "x", Provider: "openai"}, AccessToken: "of-openai", Scopes: []string{"s"}})
		require.True(t, core.IsKind(err, core.NotFound), "%v", err)
		c, err := s.Get(t.Context(), ada, "x")
		require.NoError(t, err)
		require.Equal(t, "of-third", c.(core.OAuth2).AccessToken.Reveal())
	})
}

func TestUpdateTokensRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("a", 1))
		create(t, s, ada, "openai", apiKey(t, "k"))
		_, err := s.UpdateTokens(t.Context(), ada, core.OAuth2{CredentialBase: core.CredentialBase{ID: "k"}, AccessToken: "canary"})
		require.ErrorContains(t, err, "is of the type api_key")
		_, err = s.UpdateTokens(t.Context(), ada, core.OAuth2{CredentialBase: core.CredentialBase{ID: "gone"}})
		refused(t, err, core.NotFound, "Credentials not found")
	})
}

// Of many at once none undoes another: a refresh token that one of them brought
// is kept by those that bring none.
func TestUpdateTokensAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, key("new", 2), key("old", 1))
		id := core.CredentialBase{ID: "id", Provider: "github"}
		_, err := open(t, d, key("old", 1), key("new", 2)).
			Add(t.Context(), ada, core.OAuth2{CredentialBase: id, AccessToken: "access-1", RefreshToken: "refresh-1"})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				fresh := core.OAuth2{CredentialBase: id, AccessToken: "access-2"}
				if i == 5 {
					fresh.RefreshToken = "refresh-2"
				}
				if _, err := s.UpdateTokens(t.Context(), ada, fresh); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := s.Reseal(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		c, err := s.Get(t.Context(), ada, "id")
		require.NoError(t, err)
		require.Equal(t, "access-2", c.(core.OAuth2).AccessToken.Reveal())
		require.Equal(t, "refresh-2", c.(core.OAuth2).RefreshToken.Reveal())
		require.Equal(t, 1, sealedWith(t, d, "new"))
	})
}
