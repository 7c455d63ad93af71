package credential_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

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
		var calls atomic.Int32
		b.vendor.SetFault(func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
			if calls.Add(1) == 1 {
				return oauthtest.Hold(goOn)(w, r, form)
			}
			return oauthtest.Say(503, "text/plain", "")(w, r, form)
		})
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
