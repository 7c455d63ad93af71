package credential_test

import (
	"context"
	"encoding/json"
	"fmt"
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

func TestManyCallersMakeOneRefresh(t *testing.T) {
	eachSignIn(t, rotatingServer, nil, func(b *signIn, _ *db.DB) {
		id := b.connect(ada).ID
		b.clock.move(hour)
		goOn := make(chan struct{})
		b.vendor.SetFault(oauthtest.Hold(goOn))
		var wg sync.WaitGroup
		tokens := make([]core.OAuth2, 50)
		for i := range tokens {
			wg.Go(func() {
				c, err := b.service.Get(b.t.Context(), ada, id)
				if err != nil {
					b.t.Error(err)
					return
				}
				tokens[i] = c.(core.OAuth2)
			})
		}
		require.Eventually(b.t, func() bool { return b.vendor.Count("refresh") > 0 }, 30*time.Second, time.Millisecond)
		close(goOn)
		wg.Wait()
		require.Equal(b.t, 1, b.vendor.Count("refresh"))
		require.True(b.t, b.vendor.Works(tokens[0].AccessToken.Reveal()))
		for _, token := range tokens {
			require.Equal(b.t, tokens[0], token)
		}
	})
}

// Who has waited for another process takes what that one has stored, even when
// the vendor gives the same access token again, or one that is due at once.
func TestWhoWaitedDoesNotRefreshAgain(t *testing.T) {
	for name, server := range map[string]*oauthtest.Server{
		"the same token": {Rotate: true, Members: map[string]any{"access_token": "canary-same"}},
		"a short one":    {Rotate: true, ExpiresIn: 200},
	} {
		t.Run(name, func(t *testing.T) {
			d := dbtest.SQLite(t)
			b := newSignIn(t, d, server, nil)
			other := b.open(d, registryOf(t, b.auth), frontend)
			id := b.connect(ada).ID
			b.clock.move(hour)
			goOn := make(chan struct{})
			b.vendor.SetFault(oauthtest.Hold(goOn))
			var wg sync.WaitGroup
			for _, s := range []*credential.Service{b.service, other} {
				wg.Go(func() {
					if _, err := s.Get(t.Context(), ada, id); err != nil {
						t.Error(err)
					}
				})
			}
			require.Eventually(t, func() bool { return b.bus.locks.Load() == 2 && b.vendor.Count("refresh") == 1 }, 30*time.Second, time.Millisecond)
			close(goOn)
			wg.Wait()
			require.Equal(t, 1, b.vendor.Count("refresh"))
		})
	}
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

// Who does not wait leaves at once, and the refresh goes on for the others.
func TestACallerThatLeaves(t *testing.T) {
	eachSignIn(t, rotatingServer, nil, func(b *signIn, _ *db.DB) {
		id := b.connect(ada).ID
		first := b.token(ada, id)
		b.clock.move(hour)
		goOn := make(chan struct{})
		b.vendor.SetFault(oauthtest.Hold(goOn))
		ctx, leave := context.WithCancel(b.t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := b.service.Get(ctx, ada, id)
			left <- err
		}()
		require.Eventually(b.t, func() bool { return b.vendor.Count("refresh") == 1 }, 30*time.Second, time.Millisecond)
		leave()
		require.ErrorIs(b.t, <-left, context.Canceled)
		close(goOn)
		second := b.token(ada, id)
		require.NotEqual(b.t, first.AccessToken, second.AccessToken)
		require.Equal(b.t, 1, b.vendor.Count("refresh"))
	})
}

// A vendor that takes long does not keep those waiting who have a token that
// lasts.
func TestASlowVendorAndAGoodToken(t *testing.T) {
	eachSignIn(t, rotatingServer, nil, func(b *signIn, _ *db.DB) {
		id := b.connect(ada).ID
		first := b.token(ada, id)
		b.clock.move(hour - time.Second)
		goOn := make(chan struct{})
		b.vendor.SetFault(oauthtest.Hold(goOn))
		require.Equal(b.t, first, b.token(ada, id))
		close(goOn)
		require.Eventually(b.t, func() bool { return b.token(ada, id).AccessToken != first.AccessToken }, 30*time.Second, time.Millisecond)
		require.Equal(b.t, 1, b.vendor.Count("refresh"))
	})
}

// Of refreshes that wait for vendors, none holds a connection of the database.
func TestRefreshesHoldNoConnection(t *testing.T) {
	run := func(t *testing.T, d *db.DB) {
		b := newSignIn(t, d, rotatingServer(), nil)
		ids := make([]string, 10)
		for i := range ids {
			ids[i] = b.connect(ada).ID
		}
		b.clock.move(hour)
		goOn := make(chan struct{})
		b.vendor.SetFault(oauthtest.Hold(goOn))
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				if _, err := b.service.Get(t.Context(), ada, id); err != nil {
					t.Error(err)
				}
			})
		}
		require.Eventually(t, func() bool { return b.vendor.Count("refresh") == len(ids) }, 30*time.Second, time.Millisecond)
		stats := d.SQL().Stats()
		require.Zero(t, stats.InUse, "of %d connections", stats.MaxOpenConnections)
		create(t, b.service, ada, "openai", apiKey(t, "meanwhile"))
		close(goOn)
		wg.Wait()
	}
	t.Run("sqlite", func(t *testing.T) { run(t, dbtest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) {
		d, err := db.Open(t.Context(), db.Options{URL: dbtest.PostgresURL(t), MaxConns: 3})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		require.NoError(t, d.Migrate(t.Context()))
		run(t, d)
	})
}

// A database that fails for a moment does not lose a token that the vendor has
// given out.
func TestAFreshTokenIsStoredInTheEnd(t *testing.T) {
	eachSignIn(t, rotatingServer, nil, func(b *signIn, d *db.DB) {
		id := b.connect(ada).ID
		b.clock.move(hour)
		require.NoError(b.t, d.Write.Exec("ALTER TABLE credentials RENAME TO credentials_away").Error)
		b.vendor.SetFault(nil)
		_, err := b.service.Get(b.t.Context(), ada, id)
		require.Error(b.t, err, "the table cannot be read")
		require.NoError(b.t, d.Write.Exec("ALTER TABLE credentials_away RENAME TO credentials").Error)
		require.Zero(b.t, b.vendor.Count("refresh"), "nothing is asked for that cannot be stored")

		b.vendor.SetFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
			if err := d.Write.Exec("ALTER TABLE credentials RENAME TO credentials_away").Error; err != nil {
				b.t.Error(err)
			}
			return false
		})
		got := make(chan core.Credential, 1)
		go func() {
			c, err := b.service.Get(b.t.Context(), ada, id)
			if err != nil {
				b.t.Error(err)
			}
			got <- c
		}()
		require.Eventually(b.t, func() bool { return strings.Contains(b.log.String(), "is tried again") }, 30*time.Second, time.Millisecond)
		require.NoError(b.t, d.Write.Exec("ALTER TABLE credentials_away RENAME TO credentials").Error)
		require.Equal(b.t, (<-got).(core.OAuth2), b.token(ada, id))
		require.Equal(b.t, 1, b.vendor.Count("refresh"))
	})
}

// Tokens of a credential that was deleted while they were fetched are revoked.
func TestDeletedDuringARefresh(t *testing.T) {
	eachSignIn(t, rotatingServer, nil, func(b *signIn, _ *db.DB) {
		id := b.connect(ada).ID
		b.clock.move(hour)
		b.vendor.SetFault(func(_ http.ResponseWriter, r *http.Request, form url.Values) bool {
			if form.Get("grant_type") == "refresh_token" {
				b.vendor.SetFault(oauthtest.Refuse(503, "busy", "")) // so that the old tokens stay
				if _, err := b.service.Delete(context.Background(), ada, "acme", id, false); err != nil {
					b.t.Error(err)
				}
				b.vendor.SetFault(nil)
			}
			return false
		})
		_, err := b.service.Get(b.t.Context(), ada, id)
		refused(b.t, err, core.NotFound, "Credentials not found")
		require.Equal(b.t, 3, b.vendor.Count("revoke"), "once in vain, then both new tokens")
	})
}

// Closing waits for what the vendor is about to give out, and lets no more begin.
func TestCloseWaits(t *testing.T) {
	eachSignIn(t, rotatingServer, nil, func(b *signIn, d *db.DB) {
		id, other := b.connect(ada).ID, b.connect(ada).ID
		before := b.token(ada, id)
		b.clock.move(hour)
		goOn := make(chan struct{})
		b.vendor.SetFault(oauthtest.Hold(goOn))
		done := make(chan error, 1)
		go func() {
			_, err := b.service.Get(b.t.Context(), ada, id)
			done <- err
		}()
		require.Eventually(b.t, func() bool { return b.vendor.Count("refresh") == 1 }, 30*time.Second, time.Millisecond)
		closed := make(chan struct{})
		go func() {
			b.service.Close()
			close(closed)
		}()
		require.Eventually(b.t, func() bool {
			_, err := b.service.Get(b.t.Context(), ada, other)
			return err != nil && strings.Contains(err.Error(), "stopping")
		}, 30*time.Second, time.Millisecond)
		select {
		case <-closed:
			require.Fail(b.t, "closed while the vendor works")
		default:
		}
		close(goOn)
		require.NoError(b.t, <-done)
		<-closed
		next := b.open(d, registryOf(b.t, oauthtest.Auth("https://vendor.example")), frontend)
		after, err := next.Get(b.t.Context(), ada, id)
		require.NoError(b.t, err)
		require.NotEqual(b.t, before.RefreshToken, after.(core.OAuth2).RefreshToken)
		b.service.Close()
	})
}

// Ids that hold what parts the names of locks do not share a refresh.
func TestRefreshesAreApart(t *testing.T) {
	b := newSignIn(t, dbtest.SQLite(t), rotatingServer(), nil)
	granted := b.token(ada, b.connect(ada).ID)
	for i, who := range [][2]string{{`a":"b`, "c"}, {"a", `b":"c`}} {
		granted.ID = who[1]
		granted.AccessToken = core.Secret(fmt.Sprintf("canary-%d", i))
		granted.AccessExpiresAt = b.in(-hour)
		granted.RefreshToken = b.token(ada, b.connect(ada).ID).RefreshToken
		_, err := b.service.Add(t.Context(), who[0], granted)
		require.NoError(t, err)
	}
	goOn := make(chan struct{})
	b.vendor.SetFault(oauthtest.Hold(goOn))
	var wg sync.WaitGroup
	wg.Go(func() { b.token(`a":"b`, "c") })
	wg.Go(func() { b.token("a", `b":"c`) })
	require.Eventually(t, func() bool { return b.vendor.Count("refresh") == 2 }, 30*time.Second, time.Millisecond)
	close(goOn)
	wg.Wait()
}
