package graph_test

import (
	"context"

	"agentserver/core"
)

// Ids of the test provider's blocks.
const (
	fetchID     = "acme0000-0000-4000-8000-000000000001"
	sendID      = "acme0000-0000-4000-8000-000000000002"
	maybeID     = "acme0000-0000-4000-8000-000000000003"
	pickID      = "acme0000-0000-4000-8000-000000000004"
	dependsID   = "acme0000-0000-4000-8000-000000000005"
	disabledID  = "acme0000-0000-4000-8000-000000000006"
	hookID      = "acme0000-0000-4000-8000-000000000007"
	reviewID    = "acme0000-0000-4000-8000-000000000008"
	sensitiveID = "acme0000-0000-4000-8000-000000000009"
	secretID    = "acme0000-0000-4000-8000-00000000000a"
	removedID   = "acme0000-0000-4000-8000-00000000000b"
)

// pickedFile is a file that is picked together with the account it is in.
type pickedFile map[string]any

// JSONSchema is that of a file picker.
func (pickedFile) JSONSchema() *core.Object {
	return core.ParseSchema(`{"type":"object","auto_credentials":{"provider":"google","type":"oauth2","scopes":["drive"],"kwarg_name":"credentials"}}`)
}

type result struct {
	Result core.Pin[any] `json:"result" doc:"Something"`
}

func block[In any](spec core.BlockSpec) core.Block {
	spec.Description = "Serves a test."
	return core.NewBlock(spec, func(context.Context, *core.Run, *In, *result) error { return nil })
}

// acme is a provider with a block for each kind of input that graphs treat
// specially.
func acme() *core.Provider {
	type fetch struct {
		URL         string           `json:"url" doc:"Address"`
		Credentials *core.HostScoped `json:"credentials" doc:"Headers for the host"`
	}
	type send struct {
		Credentials core.APIKey `json:"credentials" doc:"Account"`
		Text        string      `json:"text" doc:"Text"`
	}
	type maybe struct {
		Credentials      *core.APIKey `json:"credentials" doc:"Account"`
		OtherCredentials *core.OAuth2 `json:"other_credentials" doc:"Another account"`
	}
	type pick struct {
		File pickedFile `json:"file" doc:"File" default:"null"`
	}
	type depends struct {
		Unit   *string `json:"unit" doc:"Unit"`
		Amount *int    `json:"amount" doc:"Amount" depends:"unit,place"`
		Place  *string `json:"place" doc:"Place"`
		Kind   *string `json:"kind" doc:"Kind"`
	}
	type hook struct {
		Credentials core.APIKey    `json:"credentials" doc:"Account"`
		Repo        string         `json:"repo" doc:"Repository"`
		Payload     map[string]any `json:"payload" factory:"{}" hidden:"true" doc:"Event"`
	}
	type secret struct {
		Author string `json:"author" secret:"true" default:"" doc:"Author"`
		Text   string `json:"text" default:"" doc:"Text"`
	}
	type none struct{}
	apiKeys := []core.CredentialType{core.TypeAPIKey}
	return &core.Provider{Name: "acme", Title: "Acme", Blocks: []core.Block{
		block[fetch](core.BlockSpec{ID: fetchID, Name: "AcmeFetchBlock", Credentials: map[string]core.CredentialsField{
			"credentials": {Providers: []string{"http"}, Discriminator: "url", Optional: true, Types: []core.CredentialType{core.TypeHostScoped}},
		}}),
		block[send](core.BlockSpec{ID: sendID, Name: "AcmeSendBlock", Credentials: map[string]core.CredentialsField{
			"credentials": {Types: apiKeys, Scopes: []string{"write"}},
		}}),
		block[maybe](core.BlockSpec{ID: maybeID, Name: "AcmeMaybeBlock", Credentials: map[string]core.CredentialsField{
			"credentials":       {Types: apiKeys, Scopes: []string{"read"}, Optional: true},
			"other_credentials": {Types: []core.CredentialType{core.TypeOAuth2, core.TypeAPIKey}, Optional: true},
		}}),
		block[pick](core.BlockSpec{ID: pickID, Name: "AcmePickBlock"}),
		block[depends](core.BlockSpec{ID: dependsID, Name: "AcmeDependsBlock"}),
		block[none](core.BlockSpec{ID: disabledID, Name: "AcmeDisabledBlock", Disabled: "Acme has closed"}),
		block[hook](core.BlockSpec{ID: hookID, Name: "AcmeHookBlock", Webhook: &core.WebhookConfig{Provider: "acme", Type: "repo", Resource: "{repo}"}}),
		block[none](core.BlockSpec{ID: reviewID, Name: "AcmeReviewBlock", UI: core.UIHumanInLoop}),
		block[none](core.BlockSpec{ID: sensitiveID, Name: "AcmeSensitiveBlock", Sensitive: true}),
		block[secret](core.BlockSpec{ID: secretID, Name: "AcmeSecretBlock"}),
	}}
}
