package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCredentials(t *testing.T) {
	engines(t, func(b *bed) {
		const list = "/api/integrations/credentials"
		operators := `[{"id":"` + acmeCredential + `","provider":"acme","type":"api_key","title":"Acme of the operator",` +
			`"scopes":null,"username":null,"host":null,"is_managed":false,"autogpt_managed":false,"needs_reconnect":false}]`
		b.call(alice, "GET", list, nil).is(200, operators)
		made := b.call(alice, "POST", "/api/integrations/acme/credentials",
			`{"type":"api_key","provider":"other","title":"Mine","api_key":"acme_secret","is_managed":true,"metadata":{"a":1}}`)
		require.Equal(b.t, 201, made.status, made.body)
		meta := made.json().(map[string]any)
		id := meta["id"].(string)
		require.Equal(b.t, map[string]any{
			"id": id, "provider": "acme", "type": "api_key", "title": "Mine", "scopes": nil, "username": nil, "host": nil,
			"is_managed": false, "autogpt_managed": false, "needs_reconnect": false,
		}, meta, "the path names the provider, and clients cannot make a credential a managed one")
		one := "/api/integrations/acme/credentials/" + id
		require.Equal(b.t, meta, b.object(alice, "GET", one, nil))
		require.NotContains(b.t, b.call(alice, "GET", list, nil).body, "acme_secret")
		b.call(alice, "GET", "/api/integrations/openai/credentials", nil).is(200, `[]`)

		gone := detail("Credentials not found")
		b.call(alice, "GET", "/api/integrations/openai/credentials/"+id, nil).is(404, gone)
		b.call(bob, "GET", one, nil).is(404, gone)
		b.call(bob, "DELETE", one, nil).is(404, gone)
		b.call(bob, "GET", list, nil).is(200, operators)
		b.call(alice, "DELETE", "/api/integrations/acme/credentials/"+acmeCredential, nil).
			is(403, detail("System-managed credentials cannot be deleted"))
		require.Equal(b.t, 422, b.call(alice, "POST", "/api/integrations/acme/credentials", `{"type":"api_key"}`).status)
		b.call(alice, "POST", "/api/integrations/nope/credentials", `{"type":"api_key","api_key":"k"}`).is(404, detail("Provider 'nope' not found"))
		b.call(alice, "DELETE", one, nil).is(200, `{"deleted":true,"revoked":null}`)
		b.call(alice, "DELETE", one, nil).is(404, gone)
	})
}

// A user's own key is what their agents run with.
func TestRunWithOwnCredential(t *testing.T) {
	engines(t, func(b *bed) {
		saved := b.object(alice, "POST", "/api/graphs", `{"graph":{"name":"s","description":"","nodes":[
			{"id":"a","block_id":"`+sendID+`","input_default":{"text":"x"}}]}}`)
		id := saved["id"].(string)
		require.Contains(b.t, b.call(alice, "POST", "/api/graphs/"+id+"/execute/1", `{}`).body, "These credentials are required")
		key := b.object(alice, "POST", "/api/integrations/acme/credentials", `{"type":"api_key","provider":"acme","title":"Alice","api_key":"k"}`)["id"].(string)
		ref := `{"credentials_inputs":{"acme_api_key_credentials":{"id":"` + key + `","provider":"acme","type":"api_key"}}}`
		require.Equal(b.t, 200, b.call(alice, "POST", "/api/graphs/"+id+"/execute/1", ref).status)
		block := `{"text":"x","credentials":{"id":"` + key + `","provider":"acme","type":"api_key"}}`
		b.call(alice, "POST", "/api/blocks/"+sendID+"/execute", block).is(200, `{"result":["x by Alice"]}`)
		require.Contains(b.t, b.call(bob, "POST", "/api/blocks/"+sendID+"/execute", block).body, "Unknown credentials #"+key)
	})
}

func TestProviderNames(t *testing.T) {
	engines(t, func(b *bed) {
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers", nil).body, `["acme"]`)
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers/names", nil).body, `{"providers":["acme"]}`)
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers/system", nil).body, `["acme","aiml_api","anthropic",`)
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers/constants", nil).body, `"ACME":"acme"`)
		require.Equal(b.t, 200, b.call(nobody, "GET", "/api/integrations/providers/enum-example", nil).status)
	})
}
