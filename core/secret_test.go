package core_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

const canary = "canary-8a1f"

// holders keep the secret the ways that credentials and settings do.
func holders() map[string]any {
	s := core.Secret(canary)
	return map[string]any{
		"bare":    s,
		"pointer": &s,
		"list":    []core.Secret{s},
		"map":     map[string]core.Secret{"k": s},
		"key":     core.APIKey{Key: s},
		"oauth":   core.OAuth2{AccessToken: s, RefreshToken: s},
		"login":   core.UserPassword{Username: s, Password: s},
		"host":    core.HostScoped{Headers: map[string]core.Secret{"X": s}},
		"webhook": core.Webhook{Secret: s},
		"any":     core.Credential(core.APIKey{Key: s}),
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	for name, v := range holders() {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				require.NotContains(t, fmt.Sprintf(verb, v), canary, verb)
				require.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", canary), verb)
			}
			require.NotContains(t, fmt.Errorf("with %v", v).Error(), canary)
			require.NotContains(t, encoded(t, v), canary)
			require.NotContains(t, core.Text(v)+core.Repr(v), canary)
			for _, handler := range []func(*bytes.Buffer) slog.Handler{
				func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
				func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			} {
				var b bytes.Buffer
				log := slog.New(handler(&b))
				log.Info("here", "v", v)
				log.With("v", v).Info("there", slog.Group("g", "v", v))
				require.Contains(t, b.String(), "there")
				require.NotContains(t, b.String(), canary)
			}
		})
	}
}

func TestSecretForms(t *testing.T) {
	s := core.Secret(canary)
	require.Equal(t, canary, s.Reveal())
	require.Equal(t, "**********", s.String())
	require.Equal(t, `"**********"`, encoded(t, s))
	require.Equal(t, "", core.Secret("").String())
	out, err := xml.Marshal(s)
	require.NoError(t, err)
	require.NotContains(t, string(out), canary)
}

func TestAuthorization(t *testing.T) {
	for _, c := range []struct {
		credential core.Credential
		typ        core.CredentialType
		want       string
	}{
		{core.APIKey{Key: "k"}, core.TypeAPIKey, "Bearer k"},
		{core.OAuth2{AccessToken: "t"}, core.TypeOAuth2, "Bearer t"},
		{core.UserPassword{Username: "user", Password: "pass"}, core.TypeUserPassword, "Basic dXNlcjpwYXNz"},
		{core.HostScoped{Headers: map[string]core.Secret{"Authorization": "Token x"}}, core.TypeHostScoped, "Token x"},
		{core.HostScoped{}, core.TypeHostScoped, ""},
	} {
		require.Equal(t, c.typ, c.credential.Type())
		require.Equal(t, c.want, c.credential.Authorization())
	}
	for _, m := range []core.AuthMethod{core.APIKeyAuth{}, core.OAuth2Auth{}, core.UserPasswordAuth{}, core.HostScopedAuth{}} {
		require.NotEmpty(t, m.CredentialType())
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("disk full")
	err := core.Errorf(core.TooLarge, "storing: %w", cause)
	require.EqualError(t, err, "storing: disk full")
	require.ErrorIs(t, err, cause)
	require.Equal(t, core.TooLarge, core.KindOf(fmt.Errorf("outer: %w", err)))
	require.Equal(t, core.Internal, core.KindOf(cause))
	require.True(t, core.IsKind(err, core.TooLarge))
	require.False(t, core.IsKind(cause, core.Internal), "an error without a kind has none")
	require.False(t, err.Plain)

	hidden := core.WithCause(core.Unavailable, cause, "try later")
	require.EqualError(t, hidden, "try later")
	require.ErrorIs(t, hidden, cause)
	require.True(t, core.PlainErrorf(core.NotFound, "gone").Plain)
}

func TestCategories(t *testing.T) {
	require.NotEmpty(t, core.CategoryAI.Description())
	require.Empty(t, core.Category("NONE").Description())
}
