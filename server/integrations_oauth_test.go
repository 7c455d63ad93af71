package server_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/builtin"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db/dbtest"
	"agentserver/core/rest"
)

// whoID is the block that asks the vendor who its user is.
const whoID = "acme0000-0000-4000-8000-0000000000a0"

// linked is a provider at whose vendor users sign in.
func linked(url string) *core.Provider {
	type input struct {
		Credentials core.OAuth2 `json:"credentials" doc:"Account"`
	}
	type output struct {
		Name core.Pin[string] `json:"name" doc:"Name of the user"`
	}
	return &core.Provider{
		Name: "linked", Title: "Linked", Auth: []core.AuthMethod{oauthtest.Auth(url)},
		Trusted: func() []string { return []string{url} },
		Blocks: []core.Block{core.NewBlock(core.BlockSpec{ID: whoID, Name: "LinkedWhoBlock", Description: "Serves a test."},
			func(ctx context.Context, run *core.Run, in *input, out *output) error {
				var user struct{ Name string }
				err := rest.JSON(ctx, run.HTTP, "GET", url+oauthtest.UserPath, in.Credentials.Authorization(), nil, &user)
				if err != nil {
					return err
				}
				out.Name.Emit(user.Name)
				return nil
			})},
	}
}

// linkedBeds runs fn on beds with a vendor.
func linkedBeds(t *testing.T, server func() *oauthtest.Server, settings map[string]string, fn func(b *bed, vendor *oauthtest.Server)) {
	run := func(t *testing.T, databaseURL string) {
		vendor := server()
		web := httptest.NewServer(vendor)
		t.Cleanup(web.Close)
		registry := &core.Registry{}
		unset := linked(web.URL)
		auth := unset.Auth[0].(core.OAuth2Auth)
		auth.Client = func() (string, core.Secret) { return "", "" }
		unset.Name, unset.Auth, unset.Blocks = "unset", []core.AuthMethod{auth}, nil
		for _, p := range []*core.Provider{builtin.Provider(), acme(), linked(web.URL), unset} {
			require.NoError(t, registry.Add(p))
		}
		fn(newBedOf(t, databaseURL, bedOptions{registry: registry, settings: settings}), vendor)
		require.Empty(t, vendor.Violations())
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "") })
	t.Run("postgres", func(t *testing.T) { run(t, dbtest.PostgresURL(t)) })
}

const callbackPath = "/api/integrations/linked/callback"

// callback is the body of a callback.
func callback(code, state string) string {
	return encode(map[string]string{"code": code, "state_token": state})
}

// An account is connected, used by a run with a token that had to be refreshed,
// and disconnected.
func TestConnectedAccount(t *testing.T) {
	// Each new token makes the one before void, and each is due at once.
	server := func() *oauthtest.Server { return &oauthtest.Server{Rotate: true, OneToken: true, ExpiresIn: 200} }
	linkedBeds(t, server, map[string]string{"frontend_url": "https://app.example"}, func(b *bed, vendor *oauthtest.Server) {
		var answers strings.Builder
		login := b.call(alice, "GET", "/api/integrations/linked/login?scopes=read,%20write", nil)
		require.Equal(b.t, 200, login.status, login.body)
		begun := login.json().(map[string]any)
		require.Len(b.t, begun, 2)
		code, state, err := oauthtest.Approve(begun["login_url"].(string))
		require.NoError(b.t, err)
		require.Equal(b.t, begun["state_token"], state)
		require.Equal(b.t, "https://app.example/auth/integrations/oauth_callback", vendor.Asked().Get("redirect_uri"))

		b.call(bob, "POST", callbackPath, callback(code, state)).is(400, detail("Invalid or expired state token"))
		made := b.call(alice, "POST", callbackPath, callback(code, state))
		meta := made.json().(map[string]any)
		id := meta["id"].(string)
		made.is(200, `{"id":"`+id+`","provider":"linked","type":"oauth2","title":null,"scopes":["read","write"],"username":null,"host":null,`+
			`"is_managed":false,"autogpt_managed":false,"needs_reconnect":false}`)
		list := b.call(alice, "GET", "/api/integrations/linked/credentials", nil)
		list.is(200, "["+made.body+"]")

		saved := b.save(alice, agent("who", node("a", whoID), node("out", outputID, "name", "out"), link("a.name", "out.value")))
		graphID := saved["id"].(string)
		started := b.object(alice, "POST", "/api/graphs/"+graphID+"/execute/1",
			`{"credentials_inputs":{"linked_oauth2_credentials":{"id":"`+id+`","provider":"linked","type":"oauth2"}}}`)
		ended := b.ended(alice, graphID, started["id"].(string))
		require.Equal(b.t, map[string]any{"out": []any{"ada at vendor"}}, ended["outputs"], encode(ended))
		require.NotZero(b.t, vendor.Count("refresh"))

		path := "/api/integrations/linked/credentials/" + id
		one := b.call(alice, "GET", path, nil)
		one.is(200, made.body)
		b.call(bob, "DELETE", path, nil).is(404, detail("Credentials not found"))
		gone := b.call(alice, "DELETE", path, nil)
		gone.is(200, `{"deleted":true,"revoked":true}`)
		for _, a := range []answer{made, list, one, gone, {body: encode(ended)}} {
			answers.WriteString(a.body)
		}
		require.NotContains(b.t, answers.String()+b.log.String(), oauthtest.Canary)
	})
}

func TestSignInRefusals(t *testing.T) {
	notConfigured := `{"detail":{"message":"Integration with provider 'unset' is not configured.",` +
		`"hint":"Set client ID and secret in the application's deployment environment"}}`
	plain := func() *oauthtest.Server { return &oauthtest.Server{} }
	linkedBeds(t, plain, map[string]string{"frontend_url": "https://app.example/"}, func(b *bed, vendor *oauthtest.Server) {
		for provider, c := range map[string]struct {
			status int
			body   string
		}{
			"nope":  {404, detail("Provider 'nope' does not support OAuth")},
			"acme":  {404, detail("Provider 'acme' does not support OAuth")},
			"unset": {501, notConfigured},
		} {
			b.call(alice, "GET", "/api/integrations/"+provider+"/login", nil).is(c.status, c.body)
			b.call(alice, "POST", "/api/integrations/"+provider+"/callback", callback("c", "s")).is(c.status, c.body)
		}
		for name, body := range map[string]string{
			"no code": `{"state_token":"s"}`, "no state": `{"code":"c"}`, "empty code": callback("", "s"), "no text": `{"code":1,"state_token":"s"}`,
			"huge code": callback(strings.Repeat("a", 9000), "s"), "code of another script": callback("é", "s"),
		} {
			require.Equal(b.t, 422, b.call(alice, "POST", callbackPath, body).status, name)
		}
		for _, state := range []string{"", "é", strings.Repeat("\u0000", 43), strings.Repeat("a", 1<<20)} {
			b.call(alice, "POST", callbackPath, callback("c", state)).is(400, detail("Invalid or expired state token"))
		}
		require.Equal(b.t, 422, b.call(alice, "GET", "/api/integrations/linked/login?scopes="+strings.Repeat("a", 501), nil).status)

		begun := b.object(alice, "GET", "/api/integrations/linked/login", nil)
		vendor.SetFault(oauthtest.Refuse(400, "invalid_grant", "The code has expired"))
		b.call(alice, "POST", callbackPath, callback("canary-code", begun["state_token"].(string))).
			is(400, detail("OAuth2 callback failed to exchange code for tokens: invalid_grant: The code has expired"))
		require.NotContains(b.t, b.log.String(), "canary")
	})
	linkedBeds(t, plain, nil, func(b *bed, _ *oauthtest.Server) {
		missing := detail("Frontend base URL is not configured")
		b.call(alice, "GET", "/api/integrations/linked/login", nil).is(500, missing)
		b.call(alice, "POST", callbackPath, callback("c", "s")).is(500, missing)
		b.call(alice, "GET", "/api/integrations/unset/login", nil).is(501, notConfigured)
	})
}

func TestDeletionIsConfirmed(t *testing.T) {
	engines(t, func(b *bed) {
		b.platform.Credentials.BeforeDelete = func(_ context.Context, _ string, _ core.CredentialRef, force bool) (bool, error) { return !force, nil }
		id := b.object(alice, "POST", "/api/integrations/acme/credentials", `{"type":"api_key","provider":"acme","api_key":"k"}`)["id"].(string)
		path := "/api/integrations/acme/credentials/" + id
		b.call(alice, "DELETE", path, nil).
			is(200, `{"deleted":false,"need_confirmation":true,"message":"Some webhooks linked to these credentials are still in use by an agent"}`)
		require.Equal(b.t, 200, b.call(alice, "GET", path, nil).status)
		b.call(alice, "DELETE", path+"?force=true", nil).is(200, `{"deleted":true,"revoked":null}`)
	})
}

func TestAyrshareIsNotHere(t *testing.T) {
	engines(t, func(b *bed) {
		b.call(alice, "GET", "/api/integrations/ayrshare/sso_url", nil).is(500, detail("Ayrshare integration is not configured"))
	})
}
