package credential_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

const badState = "Invalid or expired state token"

// A state token is for one user, one provider, one callback and ten minutes.
func TestStateIsBound(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		ctx := b.t.Context()
		code, state := b.begin(ada, "acme")
		_, err := b.service.Callback(ctx, bob, "acme", code, state)
		refused(b.t, err, core.Invalid, badState)
		_, err = b.service.Callback(ctx, ada, "other", code, state)
		refused(b.t, err, core.Invalid, badState)
		require.Zero(b.t, b.vendor.Count("exchange"))

		b.clock.move(10*time.Minute - time.Second)
		_, err = b.service.Callback(ctx, ada, "ProviderName.ACME", code, state)
		require.NoError(b.t, err, "what others tried did not use it up")
		_, err = b.service.Callback(ctx, ada, "acme", code, state)
		refused(b.t, err, core.Invalid, badState)
		require.Equal(b.t, 1, b.vendor.Count("exchange"))

		code, state = b.begin(ada, "acme")
		b.clock.move(10 * time.Minute)
		_, err = b.service.Callback(ctx, ada, "acme", code, state)
		refused(b.t, err, core.Invalid, badState)
		require.Equal(b.t, 1, states(b.t, d), "it has expired, and is there")
		b.begin(bob, "acme")
		require.Equal(b.t, 1, states(b.t, d), "the next login takes away what has expired")
	})
}

func TestStateIsUsedUpByAFailure(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		_, state := b.begin(ada, "acme")
		_, err := b.service.Callback(b.t.Context(), ada, "acme", "wrong", state)
		require.ErrorContains(b.t, err, "invalid_grant")
		require.Zero(b.t, states(b.t, d))
		_, err = b.service.Callback(b.t.Context(), ada, "acme", "wrong", state)
		refused(b.t, err, core.Invalid, badState)
	})
}

func TestTwoCallbacksAtOnce(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, _ *db.DB) {
		code, state := b.begin(ada, "acme")
		var wg sync.WaitGroup
		var worked atomic.Int32
		for range 8 {
			wg.Go(func() {
				_, err := b.service.Callback(b.t.Context(), ada, "acme", code, state)
				if err == nil {
					worked.Add(1)
				} else if err.Error() != badState {
					b.t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(b.t, 1, worked.Load())
		require.Equal(b.t, 1, b.vendor.Count("exchange"))
		listed, err := b.service.ListProvider(b.t.Context(), ada, "acme")
		require.NoError(b.t, err)
		require.Len(b.t, listed, 1)
	})
}

// A code can be used once, so a client that leaves does not waste it.
func TestACallbackWhoseClientLeaves(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, _ *db.DB) {
		code, state := b.begin(ada, "acme")
		ctx, leave := context.WithCancel(b.t.Context())
		b.vendor.SetFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
			leave()
			return false
		})
		meta, err := b.service.Callback(ctx, ada, "acme", code, state)
		require.NoError(b.t, err)
		b.token(ada, meta.ID)
	})
}

// Whoever begins and never ends does not fill the table, and can still begin.
func TestOpenSignInsAreBounded(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		bobs, bobsState := b.begin(bob, "acme")
		first, firstState := b.begin(ada, "acme")
		for range 49 {
			b.clock.move(time.Second)
			_, err := b.service.Login(b.t.Context(), ada, "acme", nil)
			require.NoError(b.t, err)
		}
		require.Equal(b.t, 51, states(b.t, d))
		b.clock.move(time.Second)
		last, lastState := b.begin(ada, "acme")
		require.Equal(b.t, 51, states(b.t, d))
		_, err := b.service.Callback(b.t.Context(), ada, "acme", first, firstState)
		refused(b.t, err, core.Invalid, badState)
		_, err = b.service.Callback(b.t.Context(), ada, "acme", last, lastState)
		require.NoError(b.t, err)
		_, err = b.service.Callback(b.t.Context(), bob, "acme", bobs, bobsState)
		require.NoError(b.t, err, "others are not touched")
	})
}

// A state that was sealed with a key that is gone, or was changed, is like one
// that has expired.
func TestAStateThatDoesNotOpen(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		for _, change := range []string{"sealed = 'v1.lost.AAAA'", "sealed = 'x'", "user_id = 'user-ada', provider = 'acme'"} {
			user := ada
			if strings.HasPrefix(change, "user_id") {
				user = bob
			}
			code, state := b.begin(user, "acme")
			require.NoError(b.t, d.Write.Exec("UPDATE oauth_states SET "+change).Error)
			_, err := b.service.Callback(b.t.Context(), ada, "acme", code, state)
			refused(b.t, err, core.Invalid, badState)
		}
		require.Zero(b.t, b.vendor.Count("exchange"))
	})
}

func TestBadCallbacks(t *testing.T) {
	eachSignIn(t, plainServer, nil, func(b *signIn, d *db.DB) {
		for name, state := range map[string]string{
			"empty": "", "short": "abc", "not ASCII": strings.Repeat("é", 43), "NUL": strings.Repeat("\x00", 43), "not UTF-8": strings.Repeat("\xff", 43),
			"huge": strings.Repeat("a", 1<<20), "of the right form": strings.Repeat("A", 43),
		} {
			_, err := b.service.Callback(b.t.Context(), ada, "acme", "code", state)
			require.Error(b.t, err, name)
			refused(b.t, err, core.Invalid, badState)
		}
		_, state := b.begin(ada, "acme")
		for name, code := range map[string]core.Secret{
			"empty": "", "huge": core.Secret(strings.Repeat("canary", 2000)), "not ASCII": "canary-é", "NUL": "canary\x00", "not UTF-8": "canary\xff",
		} {
			_, err := b.service.Callback(b.t.Context(), ada, "acme", code, state)
			require.True(b.t, core.IsKind(err, core.Unprocessable), "%s: %v", name, err)
			require.NotContains(b.t, err.Error(), "canary")
		}
		require.Equal(b.t, 1, states(b.t, d), "a code that is none does not use up the state")
		require.Zero(b.t, b.vendor.Count("exchange"))
	})
}

func TestSecretsOfASignInAreSealed(t *testing.T) {
	d := dbtest.SQLite(t)
	b := newSignIn(t, d, &oauthtest.Server{PKCE: true}, func(a *core.OAuth2Auth) { a.PKCE = true })
	form := b.capture("exchange")
	code, state := b.begin(ada, "acme", "marker-scope")
	_, open := b.begin(bob, "acme")
	raw := rawDatabase(t, d)
	require.Contains(t, raw, "user-bob", "the rows were read")
	for _, secret := range []string{state, open, "marker-scope"} {
		require.NotContains(t, raw, secret)
	}
	meta, err := b.service.Callback(t.Context(), ada, "acme", code, state)
	require.NoError(t, err)
	b.clock.move(time.Hour)
	b.token(ada, meta.ID)
	raw = rawDatabase(t, d)
	require.Contains(t, raw, meta.ID)
	require.NotContains(t, raw, oauthtest.Canary)
	require.NotContains(t, raw, (*form).Get("code_verifier"))
	require.NotContains(t, b.log.String(), (*form).Get("code_verifier"))
}

func states(t *testing.T, d *db.DB) int {
	t.Helper()
	var n int
	require.NoError(t, d.Write.Raw("SELECT count(*) FROM oauth_states").Scan(&n).Error)
	return n
}
