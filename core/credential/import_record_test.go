package credential_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fernet/fernet-go"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
)

// sampleKey and sampleToken are those of the AutoGPT Platform's documentation of
// the format: a token of the year 2023 with one credential.
const (
	sampleKey   = "dvziYgz0KSK8FENhju0ZYi8-fRTfAdlz6YLhdB_jhNw="
	sampleToken = "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD8fSjzrPNeKsjXXoJd1AXxTTrvqHoaRm0zzQMEfJrEqzSiIJxVXp7euGd_Cb7BR05S-m-5YBhWWbpJDXbf4mDkPfE97jh0tQphP564G58KgwvneKDvM_nhLhtPQ0p2yton_mLPYRegdDQMU-vqvOfXemWy7Q_0gyE1BWxUYq0FXHdy6H8A3Z1zOej_2KS9I_0_WND8YG724EJAwQ1UywFE-4Z6CMh4psKvHgPP-eLXM2ubTS8QkrTRAOoVT0hbrE5A_oRmlEdc6Lj6C4RHZm7_NYhA4XFeyfP1yoguse20kQ3I83JnVNd_HeTHKa84jAMk48OSUbDY5FlrQgn7OZ4Lk="
)

func recordKey(t testing.TB, text string) credential.RecordKey {
	t.Helper()
	key, err := credential.ParseRecordKey(core.Secret(text))
	require.NoError(t, err)
	return key
}

// token seals the content of a record as the AutoGPT Platform does.
func token(t testing.TB, content string) string {
	t.Helper()
	key, err := fernet.DecodeKey(sampleKey)
	require.NoError(t, err)
	sealed, err := fernet.EncryptAndSignAtTime([]byte(content), key, time.Unix(1_500_000_000, 0))
	require.NoError(t, err)
	return string(sealed)
}

func record(t testing.TB, content string) credential.Record {
	t.Helper()
	r, err := recordKey(t, sampleKey).Open(token(t, content))
	require.NoError(t, err)
	return r
}

func TestRecordOfTheDocumentation(t *testing.T) {
	for name, text := range map[string]string{"as it is": sampleToken, "with space around it": "\n" + sampleToken + " \n"} {
		r, err := recordKey(t, sampleKey+"\n").Open(text)
		require.NoError(t, err, name)
		require.Equal(t, credential.Record{Credentials: []core.Credential{core.APIKey{
			CredentialBase: core.CredentialBase{ID: "cred-123", Provider: "openai", Title: "My API Key", Metadata: map[string]any{}},
			Key:            "sk-secret-key-value",
		}}}, r, name)
	}
}

func TestRecordOfEveryType(t *testing.T) {
	r := record(t, `{"managed_credentials":{"ayrshare_profile_key":"canary"},"credentials":[
		{"id":"a","provider":"ProviderName.OPENAI","type":"api_key","title":null,"api_key":"k","expires_at":1700000000},
		{"id":"b","provider":"github","type":"oauth2","title":"Hub","username":"ada","access_token":"at","access_token_expires_at":1700000001,
		 "refresh_token":"rt","refresh_token_expires_at":null,"scopes":["repo","user"],"metadata":{"a":[1,"x"]},"is_managed":false},
		{"id":"c","provider":"smtp","type":"user_password","title":"Mail","username":"ada","password":"pw"},
		{"id":"d","provider":"http","type":"host_scoped","title":"Host","host":"*.example.com","headers":{"Authorization":"Bearer h"},"metadata":null},
		{"id":"e","provider":"agent_mail","type":"api_key","title":"AgentMail (managed by AutoGPT)","api_key":"m","is_managed":true,"metadata":{"pod_id":"p"}}
	],"oauth_states":[{"token":"state","provider":"github","expires_at":1,"scopes":[]}]}`)
	base := func(id, provider, title string) core.CredentialBase {
		return core.CredentialBase{ID: id, Provider: provider, Title: title}
	}
	managed := base("e", "agent_mail", "AgentMail (managed by AutoGPT)")
	managed.Managed, managed.Metadata = true, map[string]any{"pod_id": "p"}
	hub := base("b", "github", "Hub")
	hub.Metadata = map[string]any{"a": []any{1.0, "x"}}
	require.Equal(t, credential.Record{AyrshareProfile: true, Credentials: []core.Credential{
		core.APIKey{CredentialBase: base("a", "openai", ""), Key: "k", ExpiresAt: time.Unix(1700000000, 0).UTC()},
		core.OAuth2{
			CredentialBase: hub, AccessToken: "at", RefreshToken: "rt", Scopes: []string{"repo", "user"}, Username: "ada",
			AccessExpiresAt: time.Unix(1700000001, 0).UTC(),
		},
		core.UserPassword{CredentialBase: base("c", "smtp", "Mail"), Username: "ada", Password: "pw"},
		core.HostScoped{CredentialBase: base("d", "http", "Host"), Host: "*.example.com", Headers: map[string]core.Secret{"Authorization": "Bearer h"}},
		core.APIKey{CredentialBase: managed, Key: "m"},
	}}, r)
}

func TestRecordsWithoutCredentials(t *testing.T) {
	for _, content := range []string{`{}`, `{"credentials":null,"managed_credentials":null}`, `{"credentials":[],"managed_credentials":{},"oauth_states":[]}`} {
		require.Equal(t, credential.Record{}, record(t, content), content)
	}
	for _, text := range []string{"", " \n"} {
		r, err := recordKey(t, sampleKey).Open(text)
		require.NoError(t, err)
		require.Equal(t, credential.Record{}, r)
	}
}

// What is wrong with one credential is told by member, without its content.
func TestRecordWithEntriesThatAreNotValid(t *testing.T) {
	long := strings.Repeat("canary", 20000)
	for entry, want := range map[string]credential.ImportNote{
		`"canary"`: {ID: "number 2", Reason: "it is not an object"},
		`null`:     {ID: "number 2", Reason: "it has no id"},
		`{"id":17,"provider":"canary","type":"api_key","api_key":"canary"}`:                                {ID: "number 2", Reason: "id has the wrong type"},
		`{"provider":"openai","type":"api_key","api_key":"canary"}`:                                        {ID: "number 2", Reason: "it has no id"},
		`{"id":"x","type":"api_key","api_key":"canary"}`:                                                   {ID: "x", Reason: "it has no provider"},
		`{"id":"x","provider":"openai","type":"api_key"}`:                                                  {ID: "x", Reason: "api_key: Field required"},
		`{"id":"x","provider":"openai","type":"api_key","api_key":271828}`:                                 {ID: "x", Reason: "api_key has the wrong type"},
		`{"id":"x","provider":"openai","type":"api_key","api_key":"canary","expires_at":271828.5}`:         {ID: "x", Reason: "expires_at has the wrong type"},
		`{"id":"x","provider":"http","type":"host_scoped","host":"h","headers":{"canary":{}}}`:             {ID: "x", Reason: "headers has the wrong type"},
		`{"id":"x","provider":"http","type":"host_scoped","host":"h","headers":{"canary":"` + long + `"}}`: {ID: "x", Reason: "headers: String should have at most 65536 bytes"},
		`{"id":"x","provider":"openai","type":"canary"}`:                                                   {ID: "x", Reason: "Input tag found using 'type' does not match any of the expected tags: 'oauth2', 'api_key', 'user_password', 'host_scoped'"},
		`{"id":"x","provider":"openai"}`:                                                                   {ID: "x", Reason: "Unable to extract tag using discriminator 'type'"},
		`{"id":"x","provider":"github","type":"oauth2","username":"canary"}`:                               {ID: "x", Reason: "access_token: Field required; scopes: Field required"},
		`{"id":"x","provider":"openai","type":"api_key","api_key":"canary","metadata":["canary"]}`:         {ID: "x", Reason: "metadata has the wrong type"},
	} {
		r := record(t, `{"credentials":[{"id":"first","provider":"openai","type":"api_key","api_key":"k"},`+entry+
			`,{"id":"last","provider":"openai","type":"api_key","api_key":"k"}]}`)
		require.Equal(t, []credential.ImportNote{want}, r.Failed, entry)
		require.Len(t, r.Credentials, 2, entry)
		require.Equal(t, "last", r.Credentials[1].Base().ID)
	}
}

func TestRecordsThatDoNotOpen(t *testing.T) {
	sealed := token(t, `{"credentials":[]}`)
	other := recordKey(t, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	_, err := other.Open(sealed)
	require.ErrorContains(t, err, "it does not open")
	for name, text := range map[string]string{
		"one byte changed": sealed[:60] + flip(sealed[60]) + sealed[61:],
		"cut":              sealed[:len(sealed)-4],
		"cut short":        sealed[:40],
		"only its version": "gAAA",
		"not base64":       strings.Repeat("!", 200),
		"text":             "credentials",
		"plain":            `{"credentials":[]}`,
	} {
		_, err := recordKey(t, sampleKey).Open(text)
		require.ErrorContains(t, err, "it does not open", name)
	}
	for name, content := range map[string]string{
		"no JSON": "canary", "another form": `["canary"]`, "a list that is none": `{"credentials":{"canary":1}}`, "nothing": "",
	} {
		_, err := recordKey(t, sampleKey).Open(token(t, content))
		require.ErrorContains(t, err, "is not what the AutoGPT Platform writes", name)
		require.NotContains(t, err.Error(), "canary", name)
	}
}

func flip(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

func TestRecordKeys(t *testing.T) {
	for _, text := range []string{"", "canary", "canary-canary-canary-canary-canary-canary=", sampleKey[:20], sampleKey + sampleKey} {
		_, err := credential.ParseRecordKey(core.Secret(text))
		require.True(t, core.IsKind(err, core.Invalid), "%q: %v", text, err)
		require.NotContains(t, err.Error(), "canary")
	}
}

// FuzzRecord looks for input that brings the reader down.
func FuzzRecord(f *testing.F) {
	f.Add(sampleToken, `{"credentials":[{"id":"a","provider":"p","type":"oauth2","scopes":[],"access_token":"x"}]}`)
	f.Add("", `{"credentials":[null]}`)
	f.Fuzz(func(t *testing.T, text, content string) {
		key := recordKey(t, sampleKey)
		_, _ = key.Open(text)
		_, _ = key.Open(token(t, content))
	})
}
