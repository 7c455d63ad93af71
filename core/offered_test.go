package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// A sign-in is offered where the operator has set its client.
func TestOffered(t *testing.T) {
	var secret core.Secret
	registry := &core.Registry{}
	require.NoError(t, registry.Add(&core.Provider{Name: "acme", Title: "Acme", Auth: []core.AuthMethod{core.APIKeyAuth{}, core.OAuth2Auth{
		Client:       func() (string, core.Secret) { return "id", secret },
		AuthorizeURL: "https://acme.example/a", TokenURL: "https://acme.example/t",
	}}}))
	both := core.CredentialsField{Providers: []string{"acme"}, Types: []core.CredentialType{core.TypeAPIKey, core.TypeOAuth2}}
	only := core.CredentialsField{Providers: []string{"acme"}, Types: []core.CredentialType{core.TypeOAuth2}}
	require.Equal(t, both.Types[:1], registry.Offered(both).Types)
	require.Len(t, both.Types, 2, "the field itself stays")
	require.Equal(t, only, registry.Offered(only), "nothing else is left")
	secret = "s"
	require.Equal(t, both, registry.Offered(both))
}
