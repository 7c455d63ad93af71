package credential_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

const hour = time.Hour

func TestWhenATokenIsDue(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, _ *db.DB) {
		id := b.connect(ada).ID
		first := b.token(ada, id)
		b.clock.move(hour - 300*time.Second)
		require.Equal(b.t, first, b.token(ada, id), "300 seconds are left")
		require.Zero(b.t, b.vendor.Count("refresh"))
		b.clock.move(time.Second)
		second := b.token(ada, id)
		require.NotEqual(b.t, first.AccessToken, second.AccessToken, "299 seconds are left")
		require.Equal(b.t, first.RefreshToken, second.RefreshToken, "the vendor gave no other")
		require.Equal(b.t, b.in(hour), second.AccessExpiresAt)
		require.Equal(b.t, second, b.token(ada, id))
		require.Equal(b.t, 1, b.vendor.Count("refresh"))
	})
}

// What the vendor leaves out of a refresh, and what is the user's own, stays.
func TestARefreshKeepsTheRest(t *testing.T) {
	eachSignIn(t, rotatingServer, nil, func(b *signIn, _ *db.DB) {
		made := core.OAuth2{
			CredentialBase: core.CredentialBase{ID: "id", Provider: "acme", Title: "Mine", Metadata: map[string]any{"a": "b"}},
			Username:       "ada", Scopes: []string{"read"},
		}
		granted := b.token(ada, b.connect(ada).ID)
		made.AccessToken, made.RefreshToken, made.AccessExpiresAt = granted.AccessToken, granted.RefreshToken, granted.AccessExpiresAt
		before, err := b.service.Add(b.t.Context(), ada, made)
		require.NoError(b.t, err)
		for range 3 {
			b.clock.move(hour)
			got := b.token(ada, "id")
			require.NotEqual(b.t, made.AccessToken, got.AccessToken)
			require.NotEqual(b.t, made.RefreshToken, got.RefreshToken)
			made.AccessToken, made.RefreshToken, made.AccessExpiresAt = got.AccessToken, got.RefreshToken, got.AccessExpiresAt
			require.Equal(b.t, made, got)
		}
		meta, err := b.service.Meta(b.t.Context(), ada, "acme", "id")
		require.NoError(b.t, err)
		require.Equal(b.t, before, meta)
		require.Equal(b.t, 3, b.vendor.Count("refresh"))
	})
}

// The end of a refresh token that stays is the last that the vendor named.
func TestTheEndOfARefreshToken(t *testing.T) {
	for name, c := range map[string]struct {
		members map[string]any
		want    time.Duration // after the refresh
	}{
		"kept":  {nil, 10 * hour},
		"moved": {map[string]any{"refresh_expires_in": 72000}, 20 * hour},
	} {
		b := newSignIn(t, dbtest.SQLite(t), &oauthtest.Server{Members: c.members}, nil)
		token := b.token(ada, b.connect(ada).ID)
		token.RefreshExpiresAt = b.in(11 * hour)
		_, err := b.service.UpdateTokens(t.Context(), ada, token)
		require.NoError(t, err)
		b.clock.move(hour)
		fresh := b.token(ada, token.ID)
		require.NotEqual(t, token.AccessToken, fresh.AccessToken)
		require.Equal(t, token.RefreshToken, fresh.RefreshToken)
		require.Equal(t, b.in(c.want), fresh.RefreshExpiresAt, name)
	}
}

// Looking at a credential refreshes it, and says so when it cannot be.
func TestMetaRefreshes(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		made := b.connect(ada)
		b.clock.move(hour)
		meta, err := b.service.Meta(b.t.Context(), ada, "acme", made.ID)
		require.NoError(b.t, err)
		require.Equal(b.t, made, meta)
		require.Equal(b.t, 1, b.vendor.Count("refresh"))

		b.clock.move(hour)
		b.vendor.SetFault(oauthtest.Say(500, "text/plain", ""))
		meta, err = b.service.Meta(b.t.Context(), ada, "acme", made.ID)
		require.NoError(b.t, err, "that the vendor does not work does not keep it from being shown")
		require.Equal(b.t, made, meta)

		b.vendor.SetFault(oauthtest.Refuse(400, "invalid_grant", ""))
		meta, err = b.service.Meta(b.t.Context(), ada, "acme", made.ID)
		require.NoError(b.t, err)
		require.True(b.t, meta.NeedsReconnect)

		require.NoError(b.t, d.Write.Exec("UPDATE credentials SET sealed = 'x', reconnect_at = NULL").Error)
		meta, err = b.service.Meta(b.t.Context(), ada, "acme", made.ID)
		require.NoError(b.t, err, "nor does damage")
		require.Equal(b.t, made, meta)
	})
}

// While a refresh does not work, the token is used as long as it lasts.
func TestARefreshThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		fault oauthtest.Fault
		why   string
	}{
		"error of the vendor":     {oauthtest.Say(503, "text/html", "canary"), "the status of the answer is 503"},
		"broken connection":       {oauthtest.Drop, "calling 127.0.0.1: EOF"},
		"wrong client":            {oauthtest.Refuse(401, "invalid_client", "Who are you?"), "invalid_client: Who are you?"},
		"refused by a proxy":      {oauthtest.Refuse(503, "invalid_grant", ""), "invalid_grant"},
		"refused for a while":     {oauthtest.Refuse(429, "invalid_grant", "Slow down"), "invalid_grant: Slow down"},
		"answer without a token":  {oauthtest.Say(200, "application/json", "{}"), "the answer of Acme is not as expected"},
		"something else entirely": {oauthtest.Say(404, "application/json", "null"), "the status of the answer is 404"},
	} {
		t.Run(name, func(t *testing.T) {
			eachSignIn(t, plainServer, nil, func(b *signIn, _ *db.DB) {
				id := b.connect(ada).ID
				first := b.token(ada, id)
				b.vendor.SetFault(c.fault)
				b.clock.move(hour - time.Second)
				require.Equal(b.t, first, b.token(ada, id))
				require.Contains(b.t, b.log.String(), c.why)
				b.clock.move(time.Second)
				_, err := b.service.Get(b.t.Context(), ada, id)
				require.True(b.t, core.IsKind(err, core.Unavailable), "%v", err)
				require.EqualError(b.t, err, "The access to Acme has expired and could not be renewed: "+c.why)
				b.vendor.SetFault(nil)
				require.NotEqual(b.t, first.AccessToken, b.token(ada, id).AccessToken, "it works again by itself")
				meta, err := b.service.Meta(b.t.Context(), ada, "acme", id)
				require.NoError(b.t, err)
				require.False(b.t, meta.NeedsReconnect)
			})
		})
	}
}

// A provider that cannot refresh leaves its tokens as good as they are.
func TestNoRefreshHere(t *testing.T) {
	unset := oauthtest.Auth("https://vendor.example")
	unset.Client = func() (string, core.Secret) { return "", "" }
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		granted := b.token(ada, b.connect(ada).ID)
		granted.ID = "bare"
		granted.RefreshToken = ""
		_, err := b.service.Add(b.t.Context(), ada, granted)
		require.NoError(b.t, err)
		granted.ID, granted.Provider, granted.RefreshToken = "none", "openai", "canary"
		_, err = b.service.Add(b.t.Context(), ada, granted)
		require.NoError(b.t, err)
		id := b.connect(ada).ID
		b.clock.move(hour - time.Second)
		for name, c := range map[string]struct {
			service *credential.Service
			id      string
			kind    core.Kind
			text    string
		}{
			"turned off": {
				b.open(d, registryOf(b.t, unset).Without(map[string]string{"acme": "listed in providers.disabled"}), frontend), id, core.Unavailable,
				"The access to acme has expired and cannot be renewed: it is turned off here (listed in providers.disabled)",
			},
			"client not set": {
				b.open(d, registryOf(b.t, unset), frontend), id, core.Unavailable,
				"The access to Acme has expired and cannot be renewed: its client id and secret are not set here",
			},
			"no OAuth": {
				b.service, "none", core.Unavailable, "The access to OpenAI has expired and cannot be renewed: it cannot be signed in to here",
			},
			"no refresh token": {
				b.service, "bare", core.Invalid, "The access to Acme has expired. The account must be connected again",
			},
		} {
			_, err := c.service.Get(b.t.Context(), ada, c.id)
			require.NoError(b.t, err, name)
			b.clock.move(time.Second)
			_, err = c.service.Get(b.t.Context(), ada, c.id)
			require.EqualError(b.t, err, c.text, name)
			require.Equal(b.t, c.kind, core.KindOf(err), name)
			b.clock.move(-time.Second)
		}
		require.Zero(b.t, b.vendor.Count("refresh"))
	})
}
