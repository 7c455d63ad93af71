package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCredentials(t *testing.T) {
	engines(t, func(b *bed) {
		const list = "/api/integrations/credentials"
		b.call(alice, "GET", list, nil).is(200, `[]`)
		made := b.call(alice, "POST", "/api/integrations/jina/credentials",
			`{"type":"api_key","provider":"other","title":"Mine","api_key":"jina_secret","is_managed":true,"metadata":{"a":1}}`)
		require.Equal(b.t, 201, made.status, made.body)
		meta := made.json().(map[string]any)
		id := meta["id"].(string)
		require.Equal(b.t, map[string]any{
			"id": id, "provider": "jina", "type": "api_key", "title": "Mine", "scopes": nil, "username": nil, "host": nil,
			"is_managed": false, "autogpt_managed": false,
		}, meta, "the path names the provider, and clients cannot make a credential a managed one")
		one := "/api/integrations/jina/credentials/" + id
		require.Equal(b.t, meta, b.object(alice, "GET", one, nil))
		require.NotContains(b.t, b.call(alice, "GET", list, nil).body, "jina_secret")
		b.call(alice, "GET", "/api/integrations/openai/credentials", nil).is(200, `[]`)

		gone := detail("Credentials not found")
		b.call(alice, "GET", "/api/integrations/openai/credentials/"+id, nil).is(404, gone)
		b.call(bob, "GET", one, nil).is(404, gone)
		b.call(bob, "DELETE", one, nil).is(404, gone)
		b.call(bob, "GET", list, nil).is(200, `[]`)
		b.call(alice, "DELETE", "/api/integrations/openai/credentials/53c25cb8-e3ee-465c-a4d1-e75a4c899c2a", nil).
			is(403, detail("System-managed credentials cannot be deleted"))
		require.Equal(b.t, 422, b.call(alice, "POST", "/api/integrations/jina/credentials", `{"type":"api_key"}`).status)
		b.call(alice, "DELETE", one, nil).is(200, `{"deleted":true,"revoked":null}`)
		b.call(alice, "DELETE", one, nil).is(404, gone)
	})
}

// A user's own key is what their agents run with.
func TestRunWithOwnCredential(t *testing.T) {
	engines(t, func(b *bed) {
		const search = "87840993-2053-44b7-8da4-187ad4ee518c"
		saved := b.object(alice, "POST", "/api/graphs", `{"graph":{"name":"s","description":"","nodes":[
			{"id":"a","block_id":"`+search+`","input_default":{"query":"x"}}]}}`)
		id := saved["id"].(string)
		b.call(alice, "POST", "/api/graphs/"+id+"/execute/1", `{}`).has(400, "These credentials are required")
		key := b.object(alice, "POST", "/api/integrations/jina/credentials", `{"type":"api_key","provider":"jina","api_key":"k"}`)["id"].(string)
		ref := `{"credentials_inputs":{"jina_api_key_credentials":{"id":"` + key + `","provider":"jina","type":"api_key"}}}`
		require.Equal(b.t, 200, b.call(alice, "POST", "/api/graphs/"+id+"/execute/1", ref).status)
		b.call(bob, "POST", "/api/blocks/"+search+"/execute",
			`{"query":"x","credentials":{"id":"`+key+`","provider":"jina","type":"api_key"}}`).has(400, "Unknown credentials #"+key)
	})
}

func TestProviderNames(t *testing.T) {
	engines(t, func(b *bed) {
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers", nil).body, `"agent_mail"`)
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers/names", nil).body, `{"providers":["`)
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers/system", nil).body, `"openai"`)
		require.Contains(b.t, b.call(nobody, "GET", "/api/integrations/providers/constants", nil).body, `"AGENT_MAIL":"agent_mail"`)
		require.Equal(b.t, 200, b.call(nobody, "GET", "/api/integrations/providers/enum-example", nil).status)
	})
}
