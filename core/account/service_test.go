package account_test

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

var (
	ada = account.Identity{UserID: "ada-id", Email: "ada@example.com", Name: "Ada"}
	bob = account.Identity{UserID: "bob-id", Email: "bob@example.com"}
)

// eachService runs fn on every engine with ada and bob known.
func eachService(t *testing.T, fn func(t *testing.T, s *account.Service)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := account.NewService(d)
		for _, id := range []account.Identity{ada, bob} {
			_, err := s.Ensure(t.Context(), id)
			require.NoError(t, err)
		}
		fn(t, s)
	})
}

func TestTableMatchesModel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { dbtest.CheckModels(t, d, account.Models()...) })
}

func TestNewUser(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		before := db.Now()
		u, err := account.NewService(d).Ensure(t.Context(), ada)
		require.NoError(t, err)
		require.False(t, u.CreatedAt.Before(before.Time))
		data, err := json.Marshal(u)
		require.NoError(t, err)
		at := `"` + u.CreatedAt.String() + `"`
		require.Equal(t, `{"id":"ada-id","email":"ada@example.com","email_verified":true,"name":"Ada",`+
			`"created_at":`+at+`,"updated_at":`+at+`,"metadata":{},"integrations":"","stripe_customer_id":null,`+
			`"top_up_config":null,"max_emails_per_day":3,"notify_on_agent_run":true,"notify_on_zero_balance":true,`+
			`"notify_on_low_balance":true,"notify_on_block_execution_failed":true,"notify_on_continuous_agent_error":true,`+
			`"notify_on_daily_summary":true,"notify_on_weekly_summary":true,"notify_on_monthly_summary":true,`+
			`"timezone":"not-set"}`, string(data))
	})
}

func TestEnsureErrors(t *testing.T) {
	eachService(t, func(t *testing.T, s *account.Service) {
		for name, c := range map[string]struct {
			id   account.Identity
			kind core.Kind
		}{
			"no address":               {account.Identity{UserID: "x", Email: " "}, core.Invalid},
			"address taken":            {account.Identity{UserID: "x", Email: ada.Email}, core.Conflict},
			"taken in capital letters": {account.Identity{UserID: "x", Email: "ADA@example.com"}, core.Conflict},
		} {
			_, err := s.Ensure(t.Context(), c.id)
			require.True(t, core.IsKind(err, c.kind), "%s: %v", name, err)
			_, err = s.Get(t.Context(), "x")
			require.True(t, core.IsKind(err, core.NotFound))
		}
		nameless, err := s.Get(t.Context(), bob.UserID)
		require.NoError(t, err)
		require.Nil(t, nameless.Name)
	})
}

func TestFirstRequestsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		users := make([]*account.User, 16)
		for i := range users {
			s := account.NewService(d) // each with its own cache, as processes have
			wg.Go(func() {
				u, err := s.Ensure(t.Context(), ada)
				if err != nil {
					t.Error(err)
				}
				users[i] = u
			})
		}
		wg.Wait()
		for _, u := range users {
			require.Equal(t, users[0], u)
		}
	})
}

// countStatements counts what is sent to the database from now on.
func countStatements(t *testing.T, d *db.DB) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	count := func(*gorm.DB) { n.Add(1) }
	for _, h := range []*gorm.DB{d.Read, d.Write} {
		require.NoError(t, h.Callback().Query().After("*").Register("count", count))
		require.NoError(t, h.Callback().Create().After("*").Register("count", count))
		require.NoError(t, h.Callback().Update().After("*").Register("count", count))
	}
	return &n
}

func TestRepeatedRequestsDoNotAsk(t *testing.T) {
	d := dbtest.SQLite(t)
	s := account.NewService(d)
	first, err := s.Ensure(t.Context(), ada)
	require.NoError(t, err)
	n := countStatements(t, d)
	again, err := s.Ensure(t.Context(), ada)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Zero(t, n.Load())

	again.Email = "changed by a careless caller"
	third, err := s.Ensure(t.Context(), ada)
	require.NoError(t, err)
	require.Equal(t, first, third)

	s.Forget(ada.UserID)
	_, err = s.Ensure(t.Context(), ada)
	require.NoError(t, err)
	require.Positive(t, n.Load())
}

func TestEmail(t *testing.T) {
	eachService(t, func(t *testing.T, s *account.Service) {
		ctx := t.Context()
		require.NoError(t, s.SetEmail(ctx, ada.UserID, ada.Email))
		u, err := s.Ensure(ctx, ada)
		require.NoError(t, err)
		require.True(t, u.EmailVerified, "nothing changed")

		require.NoError(t, s.SetEmail(ctx, ada.UserID, "newemail@example.com"))
		u, err = s.Ensure(ctx, ada)
		require.NoError(t, err)
		require.Equal(t, "newemail@example.com", u.Email)
		require.False(t, u.EmailVerified)

		for email, kind := range map[string]core.Kind{
			"":                          core.Unprocessable,
			"invalid":                   core.Unprocessable,
			"Ada <ada@example.com>":     core.Unprocessable,
			"a@example.com\nBcc: b@c.d": core.Unprocessable,
			" a@example.com":            core.Unprocessable,
			"a@b.c, d@e.f":              core.Unprocessable,
			bob.Email:                   core.Conflict,
			"BOB@EXAMPLE.COM":           core.Conflict,
		} {
			err := s.SetEmail(ctx, ada.UserID, email)
			require.True(t, core.IsKind(err, kind), "%q: %v", email, err)
		}
		require.True(t, core.IsKind(s.SetEmail(ctx, "nobody", "a@b.c"), core.NotFound))
		u, err = s.Get(ctx, ada.UserID)
		require.NoError(t, err)
		require.Equal(t, "newemail@example.com", u.Email)
	})
}

func TestTimezone(t *testing.T) {
	eachService(t, func(t *testing.T, s *account.Service) {
		ctx := t.Context()
		got, err := s.Timezone(ctx, ada.UserID)
		require.NoError(t, err)
		require.Equal(t, "not-set", got.Timezone)

		got, err = s.SetTimezone(ctx, ada.UserID, "Europe/Berlin")
		require.NoError(t, err)
		require.Equal(t, account.TimezoneResponse{Timezone: "Europe/Berlin"}, got)
		got, err = s.Timezone(ctx, ada.UserID)
		require.NoError(t, err)
		require.Equal(t, "Europe/Berlin", got.Timezone)
		u, err := s.Ensure(ctx, ada)
		require.NoError(t, err)
		require.Equal(t, "Europe/Berlin", u.Timezone, "fresh after a write")
		got, err = s.Timezone(ctx, bob.UserID)
		require.NoError(t, err)
		require.Equal(t, "not-set", got.Timezone)

		for _, bad := range []string{"", "europe/berlin", "Mars/Olympus", "not-set"} {
			_, err := s.SetTimezone(ctx, ada.UserID, bad)
			var known *core.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, core.Unprocessable, known.Kind)
			require.Equal(t, []map[string]any{{
				"type": "TimeZoneName", "loc": []any{"body", "timezone"}, "msg": "Invalid timezone name.", "input": bad,
			}}, known.Detail)
		}
		_, err = s.SetTimezone(ctx, "nobody", "UTC")
		require.True(t, core.IsKind(err, core.NotFound))
		_, err = s.Timezone(ctx, "nobody")
		require.True(t, core.IsKind(err, core.NotFound))
	})
}

func TestTimezonesExist(t *testing.T) {
	names := account.Timezones()
	require.Len(t, names, 597)
	require.True(t, slices.IsSorted(names))
	for _, name := range []string{"UTC", "Africa/Abidjan", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} {
		require.Contains(t, names, name)
		_, err := time.LoadLocation(name)
		require.NoError(t, err)
	}
}

func TestPreferences(t *testing.T) {
	eachService(t, func(t *testing.T, s *account.Service) {
		ctx := t.Context()
		p, err := s.Preferences(ctx, ada.UserID)
		require.NoError(t, err)
		require.Equal(t, "ada-id", p.UserID)
		require.Equal(t, 3, p.DailyLimit)
		require.Zero(t, p.EmailsSentToday)
		require.False(t, p.LastResetDate.IsZero())
		require.Len(t, p.Preferences, 10)
		for kind, on := range p.Preferences {
			require.True(t, on, kind)
		}

		p, err = s.SetPreferences(ctx, ada.UserID, account.NotificationPreferenceDTO{
			Email: "new@example.com", DailyLimit: 0,
			Preferences: map[account.NotificationType]bool{
				account.AgentRun: false, account.AgentRejected: false, account.LowBalance: true,
				account.RefundRequest: false, account.RefundProcessed: false,
			},
		})
		require.NoError(t, err)
		require.Equal(t, "new@example.com", p.Email)
		require.Zero(t, p.DailyLimit)
		for kind, on := range p.Preferences {
			require.Equal(t, kind != account.AgentRun && kind != account.AgentRejected, on, kind)
		}
		stored, err := s.Preferences(ctx, ada.UserID)
		require.NoError(t, err)
		require.Equal(t, p.Preferences, stored.Preferences)
		u, err := s.Ensure(ctx, ada)
		require.NoError(t, err)
		require.False(t, u.NotifyOnAgentRun)
		require.True(t, u.NotifyOnLowBalance)
		require.Zero(t, u.MaxEmailsPerDay)
		require.False(t, u.EmailVerified)

		other, err := s.Preferences(ctx, bob.UserID)
		require.NoError(t, err)
		require.True(t, other.Preferences[account.AgentRun])
	})
}

func TestEveryPreferenceIsItsOwn(t *testing.T) {
	eachService(t, func(t *testing.T, s *account.Service) {
		all, err := s.Preferences(t.Context(), ada.UserID)
		require.NoError(t, err)
		for kind := range all.Preferences {
			p, err := s.SetPreferences(t.Context(), ada.UserID, account.NotificationPreferenceDTO{
				Email: ada.Email, DailyLimit: 5, Preferences: map[account.NotificationType]bool{kind: false},
			})
			require.NoError(t, err)
			for other, on := range p.Preferences {
				require.Equal(t, other != kind, on, "%s after turning off %s", other, kind)
			}
			_, err = s.SetPreferences(t.Context(), ada.UserID, account.NotificationPreferenceDTO{
				Email: ada.Email, DailyLimit: 5, Preferences: map[account.NotificationType]bool{kind: true},
			})
			require.NoError(t, err)
		}
	})
}

func TestPreferenceErrors(t *testing.T) {
	eachService(t, func(t *testing.T, s *account.Service) {
		for name, c := range map[string]struct {
			user   string
			change account.NotificationPreferenceDTO
			kind   core.Kind
		}{
			"unknown type": {ada.UserID, account.NotificationPreferenceDTO{Email: ada.Email, Preferences: map[account.NotificationType]bool{"SPAM": true, account.AgentRun: false}}, core.Unprocessable},
			"bad address":  {ada.UserID, account.NotificationPreferenceDTO{Email: "nope", DailyLimit: 9}, core.Unprocessable},
			"negative":     {ada.UserID, account.NotificationPreferenceDTO{Email: ada.Email, DailyLimit: -1}, core.Unprocessable},
			"taken":        {ada.UserID, account.NotificationPreferenceDTO{Email: bob.Email, DailyLimit: 9}, core.Conflict},
			"nobody":       {"nobody", account.NotificationPreferenceDTO{Email: "x@y.z", DailyLimit: 9}, core.NotFound},
		} {
			_, err := s.SetPreferences(t.Context(), c.user, c.change)
			require.True(t, core.IsKind(err, c.kind), "%s: %v", name, err)
		}
		p, err := s.Preferences(t.Context(), ada.UserID)
		require.NoError(t, err)
		require.Equal(t, 3, p.DailyLimit)
		require.True(t, p.Preferences[account.AgentRun])
		require.Equal(t, ada.Email, p.Email)
	})
}
