package credential_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/credential"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db"
)

// A grant that is gone is noticed at once, told once, and not tried again until
// the user has signed in again.
func TestAGrantThatIsGone(t *testing.T) {
	for name, fault := range map[string]oauthtest.Fault{
		"invalid_grant":     oauthtest.Refuse(400, "invalid_grant", "Token has been expired or revoked."),
		"with 401":          oauthtest.Refuse(401, "invalid_grant", ""),
		"bad_refresh_token": oauthtest.Refuse(200, "bad_refresh_token", "The refresh token passed is incorrect or expired."),
	} {
		t.Run(name, func(t *testing.T) {
			eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
				ctx := b.t.Context()
				told, err := b.bus.Subscribe(ctx, credential.ReconnectTopic)
				require.NoError(b.t, err)
				defer told.Close()
				id := b.connect(ada).ID
				kept := b.connect(ada).ID
				first := b.token(ada, id)
				second := b.open(d, registryOf(b.t, oauthtest.Auth("https://vendor.example")), frontend)
				b.vendor.SetFault(fault)
				b.clock.move(hour - time.Second) // the token still lasts
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() {
						_, err := b.service.Get(ctx, ada, id)
						if err == nil || err.Error() != "The account at Acme must be connected again" || core.KindOf(err) != core.Invalid {
							b.t.Errorf("%v", err)
						}
					})
				}
				wg.Wait()
				calls := b.vendor.Count("refresh")
				require.Equal(b.t, 1, calls)
				locks := b.bus.locks.Load()
				_, err = b.service.Get(ctx, ada, id)
				require.EqualError(b.t, err, "The account at Acme must be connected again")
				_, err = second.Get(ctx, ada, id)
				require.EqualError(b.t, err, "The account at Acme must be connected again")
				require.Equal(b.t, calls, b.vendor.Count("refresh"))
				require.Equal(b.t, locks, b.bus.locks.Load(), "nobody waits for a lock")

				require.Equal(b.t, 1, strings.Count(b.log.String(), "must be connected again"))
				var message credential.Reconnect
				require.NoError(b.t, json.Unmarshal((<-told.C()).Data, &message))
				require.Equal(b.t, credential.Reconnect{UserID: ada, Provider: "acme", CredentialID: id}, message)
				require.Empty(b.t, told.C())

				listed, err := b.service.ListProvider(ctx, ada, "acme")
				require.NoError(b.t, err)
				marks := map[string]bool{}
				for _, m := range listed {
					marks[m.ID] = m.NeedsReconnect
				}
				require.Equal(b.t, map[string]bool{id: true, kept: false}, marks)

				_, err = b.service.UpdateTokens(ctx, ada, core.OAuth2{CredentialBase: core.CredentialBase{ID: id}, AccessToken: "canary-new", RefreshToken: first.RefreshToken})
				require.NoError(b.t, err)
				require.Equal(b.t, "canary-new", b.token(ada, id).AccessToken.Reveal())
				meta, err := b.service.Meta(ctx, ada, "acme", id)
				require.NoError(b.t, err)
				require.False(b.t, meta.NeedsReconnect)
			})
		})
	}
}

// Should two processes be told at the same time, because a lock was lost, one of
// them tells it.
func TestAGrantThatIsGoneIsToldOnce(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		id := b.connect(ada).ID
		b.clock.move(hour)
		goOn := make(chan struct{})
		b.vendor.SetFault(func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
			<-goOn
			return oauthtest.Refuse(400, "invalid_grant", "")(w, r, form)
		})
		apart := *b
		apart.bus = &countingBus{Bus: bus.NewLocal()}
		var wg sync.WaitGroup
		for _, s := range []*credential.Service{b.service, apart.open(d, registryOf(b.t, b.auth), frontend)} {
			wg.Go(func() {
				if _, err := s.Get(b.t.Context(), ada, id); err == nil || err.Error() != "The account at Acme must be connected again" {
					b.t.Errorf("%v", err)
				}
			})
		}
		require.Eventually(b.t, func() bool { return b.vendor.Count("refresh") == 2 }, 30*time.Second, time.Millisecond)
		close(goOn)
		wg.Wait()
		require.Equal(b.t, 1, strings.Count(b.log.String(), "must be connected again"))
	})
}

// A refusal of a token that somebody else has replaced meanwhile is not the end.
func TestARefusalOfAnOldToken(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, _ *db.DB) {
		id := b.connect(ada).ID
		b.clock.move(hour)
		b.vendor.SetFault(func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
			_, err := b.service.UpdateTokens(context.Background(), ada, core.OAuth2{
				CredentialBase: core.CredentialBase{ID: id}, AccessToken: "canary-newer", RefreshToken: "canary-newer-refresh", AccessExpiresAt: b.in(hour),
			})
			if err != nil {
				b.t.Error(err)
			}
			return oauthtest.Refuse(400, "invalid_grant", "")(w, r, form)
		})
		require.Equal(b.t, "canary-newer", b.token(ada, id).AccessToken.Reveal())
		require.NotContains(b.t, b.log.String(), "must be connected again")
	})
}
