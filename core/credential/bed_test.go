package credential_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/db"
)

// The two users of the tests.
const ada, bob = "user-ada", "user-bob"

// The system credentials of the tests: one that the operator set, one that is
// not set, and one that stands for the operator's key in saved agents.
const (
	systemID  = "53c25cb8-e3ee-465c-a4d1-e75a4c899c2a"
	unsetID   = "4ec22295-8f97-4dd1-b42b-2c6957a02545"
	defaultID = "openai-default"
	absentID  = "24e5d942-d9e3-4798-8151-90143ee55629" // of anthropic, which is not compiled in
)

func registry(t *testing.T) *core.Registry {
	t.Helper()
	made := func(id string) func() core.Credential {
		return func() core.Credential {
			return core.APIKey{CredentialBase: core.CredentialBase{ID: id, Provider: "openai", Title: "Use Credits for OpenAI"}, Key: "sk-operator-canary"}
		}
	}
	var r core.Registry
	require.NoError(t, r.Add(&core.Provider{Name: "openai", Title: "OpenAI", System: []core.SystemCredential{
		{ID: systemID, Title: "Use Credits for OpenAI", Load: made(systemID)},
	}}))
	require.NoError(t, r.Add(&core.Provider{Name: "third", Title: "Third", System: []core.SystemCredential{
		{ID: defaultID, Title: "Third", Load: made(defaultID)},
	}}))
	require.NoError(t, r.Add(&core.Provider{Name: "groq", Title: "Groq", System: []core.SystemCredential{
		{ID: unsetID, Title: "Use Credits for Groq", Load: func() core.Credential { return nil }},
	}}))
	return &r
}

func open(t *testing.T, d *db.DB, keys ...credential.Key) *credential.Service {
	t.Helper()
	s, err := credential.Open(t.Context(), d, ring(t, keys...), registry(t), credential.Options{})
	require.NoError(t, err)
	return s
}

// input reads the body of a request.
func input(t *testing.T, body string) credential.Input {
	t.Helper()
	var in credential.Input
	require.NoError(t, json.Unmarshal([]byte(body), &in))
	return in
}

func apiKey(t *testing.T, id string) credential.Input {
	t.Helper()
	return input(t, `{"id":"`+id+`","type":"api_key","title":"Key `+id+`","api_key":"sk-canary-`+id+`"}`)
}

func create(t *testing.T, s *credential.Service, user, provider string, in credential.Input) credential.Meta {
	t.Helper()
	m, err := s.Create(t.Context(), user, provider, in)
	require.NoError(t, err)
	return m
}

// remove deletes a credential.
func remove(t *testing.T, s *credential.Service, user, provider, id string) error {
	t.Helper()
	_, err := s.Delete(t.Context(), user, provider, id, false)
	return err
}

func ids(metas []credential.Meta) []string {
	list := []string{}
	for _, m := range metas {
		list = append(list, m.ID)
	}
	return list
}

// refused requires an answer of the short form with that text.
func refused(t *testing.T, err error, kind core.Kind, text string) {
	t.Helper()
	var known *core.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind)
	require.Equal(t, text, known.Message)
	require.True(t, known.Plain)
}
