package server_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/builtin"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db/dbtest"
)

// leakID is a block that repeats its secret where it can.
const leakID = "acme0000-0000-4000-8000-0000000000b0"

// leaky is a provider that repeats secrets, with one that the operator pays for.
func leaky() *core.Provider {
	type input struct {
		Credentials core.APIKey `json:"credentials" doc:"Account"`
		How         string      `json:"how" doc:"Where the secret goes"`
	}
	operators := core.APIKey{
		CredentialBase: core.CredentialBase{ID: "acme0000-0000-4000-8000-0000000000b1", Provider: "leaky", Title: "Leaky of the operator"},
		Key:            "canary-of-the-operator",
	}
	return &core.Provider{
		Name: "leaky", Title: "Leaky",
		System: []core.SystemCredential{{ID: operators.ID, Title: operators.Title, Load: func() core.Credential { return operators }}},
		Blocks: []core.Block{core.NewBlock(core.BlockSpec{ID: leakID, Name: "LeakyBlock", Description: "Serves a test."},
			func(_ context.Context, run *core.Run, in *input, out *echoed) error {
				run.Log.Info("a block speaks", "credentials", in.Credentials, "key", in.Credentials.Key)
				switch in.How {
				case "panic":
					panic("the vendor said: wrong key " + in.Credentials.Key.Reveal())
				case "error":
					return errors.New("the vendor said: wrong key " + in.Credentials.Key.Reveal())
				default:
					out.Result.Emit(in.Credentials)
					return nil
				}
			})},
	}
}

// Every secret of this test begins with "canary". None may be in what the server
// says, logs, tells other processes or stores.
func TestSecretsStayInside(t *testing.T) {
	run := func(t *testing.T, databaseURL string) {
		vendor := &oauthtest.Server{Rotate: true, ExpiresIn: 200}
		web := httptest.NewServer(vendor)
		t.Cleanup(web.Close)
		registry := &core.Registry{}
		for _, p := range []*core.Provider{builtin.Provider(), acme(), linked(web.URL), leaky()} {
			require.NoError(t, registry.Add(p))
		}
		b := newBedOf(t, databaseURL, bedOptions{registry: registry, settings: map[string]string{
			"frontend_url": "https://app.example", "auth.jwt_key": "canary-signing-key-0123456789-0123456789",
		}})
		events := b.hearEvents()
		b.storeSecrets()
		b.useSecrets()
		b.signIn(vendor)
		hook := b.subscribe(alice, opened).hook
		b.signed(hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
		b.signed(vendorHook{url: hook.url, secret: "canary-guess"}, "thing.opened", "2", `{"n":2}`)
		b.settled()
		b.ok(alice, "GET", "/api/integrations/credentials", nil)
		before := b.stored()
		require.Equal(b.t, 202, b.call(alice, "DELETE", "/api/auth/user", `{"confirm":"alice@example.com"}`).status)
		b.eventually("the account is gone", func() bool {
			return strings.Contains(b.call(admin, "GET", "/api/admin/deletions", nil).body, `"finished"`)
		})

		places := map[string]string{"answers": b.answers.String(), "log": b.log.String(), "events": events.String(), "database": before + b.stored()}
		require.Contains(t, places["answers"], "Key one")
		require.Contains(t, places["log"], "a block speaks")
		require.Contains(t, places["events"], "account.deleted")
		require.Contains(t, places["database"], "acme0000-0000-4000-8000-0000000000b0")
		for place, text := range places {
			for _, secret := range []string{"canary", "acme-secret-key", hook.secret, b.tokens[alice], b.tokens[admin]} {
				at := strings.Index(text, secret)
				require.Negative(t, at, "%s: …%s…", place, text[max(0, at-200):min(len(text), max(0, at)+100)])
			}
		}
		require.Empty(t, vendor.Violations())
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "") })
	t.Run("postgres", func(t *testing.T) { run(t, dbtest.PostgresURL(t)) })
}

// storeSecrets sends secrets in every form, right and wrong.
func (b *bed) storeSecrets() {
	b.call(alice, "POST", callbackPath, `{"code":{"a":"canary-code"},"state_token":["canary-state"]}`)
	for provider, bodies := range map[string][]string{
		"acme": {
			`{"type":"user_password","title":"Account","username":"canary-name","password":"canary-password"}`,
			`{"type":"host_scoped","title":"Host","host":"example.com","headers":{"Authorization":"Bearer canary-header","X":"canary-x"}}`,
			`{"type":"api_key","title":"Bad","api_key":{"a":"canary-nested"}}`,
			`{"type":"api_key","api_key":"` + strings.Repeat("canary-long", 7000) + `"}`,
			`{"type":"nonsense","api_key":"canary-nonsense"}`,
			`{"type":"api_key","api_key":"canary-cut`,
			`["canary-list"]`,
			`{"type":"oauth2","access_token":"canary-no-scopes"}`,
			`{"type":"api_key","api_key":"canary-time","expires_at":"canary-text"}`,
			`{"type":"host_scoped","host":"example.com","headers":{"Authorization":7,"Y":"canary-y"}}`,
			`{"type":"api_key","id":"acme0000-0000-4000-8000-0000000000ff","api_key":"canary-reserved"}`,
		},
		"linked": {`{"type":"oauth2","title":"Typed in","access_token":"canary-typed","refresh_token":"canary-typed-refresh","scopes":["a"],"access_token_expires_at":1}`},
		"nope":   {`{"type":"api_key","api_key":"canary-nowhere"}`},
		"leaky":  {`{"type":"api_key","id":"one","title":"Key one","api_key":"canary-key-one"}`, `{"type":"api_key","id":"one","api_key":"canary-key-again"}`},
	} {
		for _, body := range bodies {
			b.call(alice, "POST", "/api/integrations/"+provider+"/credentials", body)
		}
	}
}

// useSecrets runs blocks that repeat them.
func (b *bed) useSecrets() {
	for _, id := range []string{"one", "acme0000-0000-4000-8000-0000000000b1"} {
		ref := map[string]any{"id": id, "provider": "leaky", "type": "api_key"}
		for _, how := range []string{"panic", "error", "output"} {
			b.call(alice, "POST", "/api/blocks/"+leakID+"/execute", map[string]any{"how": how, "credentials": ref})
			g := b.save(alice, agent(how, node("a", leakID, "how", how), node("out", outputID, "name", "out"), link("a.result", "out.value")))
			started := b.object(alice, "POST", "/api/graphs/"+g["id"].(string)+"/execute/1",
				map[string]any{"credentials_inputs": map[string]any{"leaky_api_key_credentials": ref}})
			b.ended(alice, g["id"].(string), started["id"].(string))
			b.ok(alice, "GET", "/api/graphs/"+g["id"].(string)+"?for_export=true", nil)
		}
	}
}

// signIn connects accounts, with and without success, and disconnects them while
// the vendor fails.
func (b *bed) signIn(vendor *oauthtest.Server) {
	connect := func() answer {
		begun := b.object(alice, "GET", "/api/integrations/linked/login", nil)
		// What goes back to the browser is its own.
		b.answers.forget(begun["state_token"].(string), begun["login_url"].(string))
		code, state, err := oauthtest.Approve(begun["login_url"].(string))
		require.NoError(b.t, err)
		return b.call(alice, "POST", callbackPath, callback(code, state))
	}
	made := connect()
	require.Equal(b.t, 200, made.status, made.body)
	id := made.json().(map[string]any)["id"].(string)
	ref := map[string]any{"id": id, "provider": "linked", "type": "oauth2"}
	b.ok(alice, "POST", "/api/blocks/"+whoID+"/execute", map[string]any{"credentials": ref})
	vendor.SetFault(oauthtest.Refuse(400, "invalid_grant", "no such code or token"))
	require.Equal(b.t, 400, connect().status)
	b.call(alice, "POST", "/api/blocks/"+whoID+"/execute", map[string]any{"credentials": ref})
	b.call(alice, "GET", "/api/integrations/linked/credentials/"+id, nil)
	vendor.SetFault(oauthtest.Refuse(503, "temporarily_unavailable", "later"))
	b.call(alice, "DELETE", "/api/integrations/linked/credentials/"+id, nil)
	connect()
	vendor.SetFault(nil)
	require.Equal(b.t, 200, connect().status)
}

// hearEvents gathers what the process tells others.
func (b *bed) hearEvents() *logBuffer {
	events := &logBuffer{}
	sub, err := b.platform.Bus.Subscribe(context.Background(), "*")
	require.NoError(b.t, err)
	b.t.Cleanup(sub.Close)
	go func() {
		for m := range sub.C() {
			_, _ = events.Write([]byte(m.Topic + " "))
			_, _ = events.Write(m.Data)
		}
	}()
	return events
}

// stored gives all that is in the database: the files of SQLite, with what was
// deleted, or the rows of Postgres.
func (b *bed) stored() string {
	var all strings.Builder
	if path := b.platform.DB.Path(); path != "" {
		files, err := filepath.Glob(path + "*")
		require.NoError(b.t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(b.t, err)
			all.Write(data)
		}
		return all.String()
	}
	tables, err := b.platform.DB.Read.Migrator().GetTables()
	require.NoError(b.t, err)
	for _, table := range tables {
		var rows []map[string]any
		require.NoError(b.t, b.platform.DB.Read.Table(table).Find(&rows).Error)
		all.WriteString(encode(rows))
	}
	return all.String()
}
