package server_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/account"
)

func TestUser(t *testing.T) {
	engines(t, func(b *bed) {
		u := b.object(alice, "POST", "/api/auth/user", nil)
		for _, member := range []string{"created_at", "updated_at"} {
			_, err := time.Parse("2006-01-02T15:04:05.999999Z", u[member].(string))
			require.NoError(b.t, err, member)
			delete(u, member)
		}
		require.JSONEq(b.t, `{
			"id":"alice","email":"alice@example.com","email_verified":true,"name":"alice","metadata":{},
			"integrations":"","stripe_customer_id":null,"top_up_config":null,"max_emails_per_day":3,
			"notify_on_agent_run":true,"notify_on_zero_balance":true,"notify_on_low_balance":true,
			"notify_on_block_execution_failed":true,"notify_on_continuous_agent_error":true,"notify_on_daily_summary":true,
			"notify_on_weekly_summary":true,"notify_on_monthly_summary":true,"timezone":"not-set"}`, encode(u))
		again := b.object(alice, "POST", "/api/auth/user", nil)
		require.Equal(b.t, u["id"], again["id"])

		var count int64
		require.NoError(b.t, b.platform.DB.Read.Table("users").Where("id = ?", alice).Count(&count).Error)
		require.EqualValues(b.t, 1, count)
	})
}

func TestEmail(t *testing.T) {
	const path = "/api/auth/user/email"
	item := func(input any) string {
		return invalid("POST", path, map[string]any{
			"type": "value_error", "loc": []any{"body"}, "msg": "value is not a valid email address", "input": input,
		})
	}
	engines(t, func(b *bed) {
		b.ok(bob, "POST", "/api/auth/user", nil)
		b.call(alice, "POST", path, `"newemail@example.com"`).is(200, `{"email":"newemail@example.com"}`)
		require.Equal(b.t, "newemail@example.com", b.object(alice, "POST", "/api/auth/user", nil)["email"])
		require.Equal(b.t, 422, b.call(alice, "POST", path, `invalid json`).status)
		b.call(alice, "POST", path, `"no address"`).is(422, item("no address"))
		b.call(alice, "POST", path, `""`).is(422, item(""))
		b.call(alice, "POST", path, `{}`).is(422, invalid("POST", path, map[string]any{
			"type": "string_type", "loc": []any{"body"}, "msg": "Input should be a valid string", "input": map[string]any{},
		}))
		b.call(alice, "POST", path, `"bob@example.com"`).is(409, failure("POST", path, "This e-mail address belongs to another account"))
		require.Equal(b.t, 422, b.call(alice, "POST", path, `"a\u0000b@example.com"`).status)
		require.Equal(b.t, "newemail@example.com", b.object(alice, "POST", "/api/auth/user", nil)["email"])
	})
}

func TestTimezone(t *testing.T) {
	const path = "/api/auth/user/timezone"
	engines(t, func(b *bed) {
		b.call(alice, "GET", path, nil).is(200, `{"timezone":"not-set"}`)
		b.call(alice, "POST", path, `{"timezone":"Europe/Berlin"}`).is(200, `{"timezone":"Europe/Berlin"}`)
		b.call(alice, "GET", path, nil).is(200, `{"timezone":"Europe/Berlin"}`)
		b.call(bob, "GET", path, nil).is(200, `{"timezone":"not-set"}`)
		for _, name := range []string{"europe/berlin", "Mars/Olympus", "", "not-set"} {
			b.call(alice, "POST", path, map[string]any{"timezone": name}).is(422, invalid("POST", path, map[string]any{
				"type": "TimeZoneName", "loc": []any{"body", "timezone"}, "msg": "Invalid timezone name.", "input": name,
			}))
		}
		b.call(alice, "POST", path, `{}`).is(422, invalid("POST", path, map[string]any{
			"type": "missing", "loc": []any{"body", "timezone"}, "msg": "Field required", "input": map[string]any{},
		}))
		b.call(alice, "GET", path, nil).is(200, `{"timezone":"Europe/Berlin"}`)
	})
}

func TestPreferences(t *testing.T) {
	const path = "/api/auth/user/preferences"
	engines(t, func(b *bed) {
		get := func(who string) map[string]any {
			p := b.object(who, "GET", path, nil)
			delete(p, "last_reset_date")
			return p
		}
		initial := get(alice)
		require.JSONEq(b.t, `{"user_id":"alice","email":"alice@example.com","daily_limit":3,"emails_sent_today":0,"preferences":{
			"AGENT_RUN":true,"ZERO_BALANCE":true,"LOW_BALANCE":true,"BLOCK_EXECUTION_FAILED":true,"CONTINUOUS_AGENT_ERROR":true,
			"DAILY_SUMMARY":true,"WEEKLY_SUMMARY":true,"MONTHLY_SUMMARY":true,"AGENT_APPROVED":true,"AGENT_REJECTED":true}}`, encode(initial))

		change := `{"email":"alice@example.org","daily_limit":5,"preferences":{"AGENT_RUN":false,"LOW_BALANCE":true,"REFUND_REQUEST":false}}`
		answer := b.object(alice, "POST", path, change)
		delete(answer, "last_reset_date")
		require.Equal(b.t, false, answer["preferences"].(map[string]any)["AGENT_RUN"])
		require.Equal(b.t, true, answer["preferences"].(map[string]any)["DAILY_SUMMARY"], "what is not named stays")
		require.Equal(b.t, answer, get(alice))
		require.Equal(b.t, "alice@example.org", answer["email"])
		require.EqualValues(b.t, 5, answer["daily_limit"])
		require.Equal(b.t, true, get(bob)["preferences"].(map[string]any)["AGENT_RUN"])

		for _, bad := range []string{
			`{"email":"alice@example.org","daily_limit":5,"preferences":{"TEA":true}}`,
			`{"email":"alice@example.org","daily_limit":-1,"preferences":{}}`,
			`{"email":"no address","daily_limit":1,"preferences":{}}`,
			`{"email":"alice@example.org","daily_limit":"many","preferences":{}}`,
			`{"email":"alice@example.org","daily_limit":1,"preferences":{"AGENT_RUN":"no"}}`,
			`{}`,
		} {
			require.Equal(b.t, 422, b.call(alice, "POST", path, bad).status, bad)
		}
		require.Equal(b.t, answer, get(alice), "a refused change changes nothing")
	})
}

func TestImpersonation(t *testing.T) {
	engines(t, func(b *bed) {
		const header = "X-Act-As-User-Id"
		b.ok(alice, "POST", "/api/auth/user", nil)
		g := b.save(alice, echoAgent("of alice"))
		path := "/api/graphs/" + g["id"].(string)

		require.Equal(b.t, 404, b.call(admin, "GET", path, nil).status)
		require.Equal(b.t, 200, b.call(admin, "GET", path, nil, header, " alice ").status)
		b.call(bob, "GET", path, nil, header, alice).is(403, detail("Only admin users can impersonate other users"))
		b.call(alice, "GET", path, nil, header, alice).is(403, detail("Only admin users can impersonate other users"))
		b.call(admin, "GET", path, nil, header, "ghost").is(404, failure("GET", path, "User not found"))
		b.call(admin, "GET", path, nil, header, "gh\xffost").is(404, failure("GET", path, "User not found"))
		b.call(nobody, "GET", path, nil, header, alice).is(401, detail("Authorization header is missing"))

		// These two are about the caller, whomever an administrator acts for.
		require.Contains(b.t, b.call(admin, "POST", "/api/auth/user", nil, header, alice).body, `"id":"admin"`)
		b.call(alice, "POST", "/api/auth/user/timezone", `{"timezone":"Asia/Tokyo"}`)
		b.call(admin, "GET", "/api/auth/user/timezone", nil, header, alice).is(200, `{"timezone":"not-set"}`)
		require.Contains(b.t, b.log.String(), "admin=admin")
	})
}

func TestTokens(t *testing.T) {
	b := newBed(t, "")
	for name, c := range map[string]struct {
		header string
		want   string
	}{
		"none":        {"", "Authorization header is missing"},
		"another way": {"Basic abc", "Authorization header is missing"},
		"not a token": {"Bearer not.a.token", "Invalid token"},
		"unsigned":    {"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImF1ZCI6ImF1dGhlbnRpY2F0ZWQifQ.", "Invalid token"},
		"changed":     {"Bearer " + b.tokens[alice][:len(b.tokens[alice])-4] + "AAAA", "Invalid token"},
		"too old":     {"Bearer " + b.expired(t), "Token has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if c.header != "" {
				headers = []string{"Authorization", c.header}
			}
			a := b.on(t).call(nobody, "GET", "/api/graphs", nil, headers...)
			require.Equal(t, 401, a.status)
			var body map[string]string
			require.NoError(t, json.Unmarshal([]byte(a.body), &body))
			require.Contains(t, body["detail"], c.want)
			require.Len(t, body, 1)
			require.Empty(t, a.header.Get("WWW-Authenticate"))
		})
	}
	t.Run("without an address", func(t *testing.T) {
		token, err := b.platform.Signer.Token(account.Identity{UserID: "new", Role: account.RoleUser}, time.Hour)
		require.NoError(t, err)
		b.on(t).call(nobody, "GET", "/api/graphs", nil, "Authorization", "Bearer "+token).
			is(400, detail("The token names no e-mail address"))
	})
}

func (b *bed) expired(t *testing.T) string {
	t.Helper()
	token, err := b.platform.Signer.Token(account.Identity{UserID: alice, Email: "alice@example.com"}, -time.Hour)
	require.NoError(t, err)
	return token
}
