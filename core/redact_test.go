package core_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestRedact(t *testing.T) {
	key := core.APIKey{Key: "sk/canary+1"}
	token := core.OAuth2{AccessToken: "canary-access", RefreshToken: "canary-refresh"}
	password := core.UserPassword{Username: "alice", Password: "canary-password"}
	headers := core.HostScoped{Headers: map[string]core.Secret{"Authorization": "Bearer canary-header"}}
	for text, want := range map[string]string{
		"wrong key sk/canary+1":                         "wrong key **********",
		"GET https://a.b/?key=sk%2Fcanary%2B1: refused": "GET https://a.b/?key=**********: refused",
		"canary-access and canary-refresh":              "********** and **********",
		"Basic YWxpY2U6Y2FuYXJ5LXBhc3N3b3Jk of alice":   "Basic ********** of alice",
		"canary-password":                               "**********",
		"Authorization: Bearer canary-header":           "Authorization: **********",
		"token canary-header":                           "token **********",
		"nothing to hide":                               "nothing to hide",
	} {
		require.Equal(t, want, core.Redact(text, key, token, password, headers))
	}
	require.Equal(t, "an a", core.Redact("an a", core.APIKey{Key: "a"}), "too short to look for")
}

// A vendor that repeats a key does not bring it into the run.
func TestFailuresDoNotRepeatSecrets(t *testing.T) {
	type input struct {
		Credentials core.APIKey `json:"credentials"`
		How         string      `json:"how"`
	}
	type output struct {
		Result core.Pin[string] `json:"result"`
	}
	block := core.NewBlock(core.BlockSpec{ID: testID, Name: "TestBlock", Description: "Fails."},
		func(_ context.Context, _ *core.Run, in *input, _ *output) error {
			if in.How == "panic" {
				panic("out of " + in.Credentials.Key.Reveal())
			}
			return errors.New("the vendor does not like " + in.Credentials.Key.Reveal())
		})
	var r core.Registry
	require.NoError(t, r.Add(&core.Provider{Name: "acme", Title: "Acme", Blocks: []core.Block{block}}))
	for _, how := range []string{"error", "panic"} {
		in := core.Values{"how": how, "credentials": core.APIKey{CredentialBase: core.CredentialBase{ID: "1", Provider: "acme"}, Key: "canary-key"}}
		err := core.Execute(t.Context(), block, &core.Run{}, in, func(string, any) error { return nil })
		require.ErrorContains(t, err, "**********")
		require.NotContains(t, err.Error(), "canary")
	}
}
