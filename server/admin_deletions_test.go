package server_test

import (
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestAdminDeletesAccount(t *testing.T) {
	engines(t, func(b *bed) {
		for _, who := range []string{alice, bob, admin} {
			b.ok(who, "POST", "/api/auth/user", nil)
		}
		path := func(user string) string { return "/api/admin/users/" + user }
		b.call(bob, "DELETE", path(alice), `{"confirm":"alice"}`).is(403, detail("Admin access required"))
		b.call(admin, "DELETE", path("ghost"), `{"confirm":"ghost"}`).is(404, failure("DELETE", path("ghost"), "User not found"))
		for _, body := range []any{nil, `{}`, `{"confirm":"bob"}`, `{"confirm":"Alice"}`} {
			b.call(admin, "DELETE", path(alice), body).
				is(400, detail(`To delete the account, send {"confirm": "<the account's e-mail address or id>"}`))
		}
		b.call(admin, "GET", "/api/admin/deletions", nil).is(200, `{"deletions":[],"next_cursor":null}`)

		byID := b.call(admin, "DELETE", path(alice), `{"confirm":"alice"}`)
		require.Equal(b.t, 202, byID.status, byID.body)
		first := byID.json().(map[string]any)["id"].(string)
		require.Equal(b.t, admin, b.finished(first)["requested_by"])
		byEmail := b.call(admin, "DELETE", path(bob), `{"confirm":"bob@example.com"}`)
		require.Equal(b.t, 202, byEmail.status, byEmail.body)
		second := byEmail.json().(map[string]any)["id"].(string)
		b.finished(second)

		list := func(query string) (ids []any, next any) {
			page := b.object(admin, "GET", "/api/admin/deletions"+query, nil)
			for _, d := range page["deletions"].([]any) {
				ids = append(ids, d.(map[string]any)["id"])
			}
			return ids, page["next_cursor"]
		}
		ids, next := list("")
		require.Equal(b.t, []any{second, first}, ids, "newest first")
		require.Nil(b.t, next)
		ids, next = list("?limit=1&state=finished")
		require.Equal(b.t, []any{second}, ids)
		ids, next = list("?limit=1&state=finished&cursor=" + url.QueryEscape(next.(string)))
		require.Equal(b.t, []any{first}, ids)
		require.Nil(b.t, next)
		ids, _ = list("?state=pending")
		require.Empty(b.t, ids)

		b.call(admin, "GET", "/api/admin/deletions/"+uuid.NewString(), nil).is(404, detail("Deletion not found"))
		for _, query := range []string{"?limit=0", "?limit=101", "?limit=x", "?state=lost", "?cursor=x"} {
			require.Equal(b.t, 422, b.call(admin, "GET", "/api/admin/deletions"+query, nil).status, query)
		}
		for _, p := range []string{"/api/admin/deletions", "/api/admin/deletions/" + first} {
			b.tokens["eve"] = b.token("eve")
			b.call("eve", "GET", p, nil).is(403, detail("Admin access required"))
			b.call(nobody, "GET", p, nil).is(401, detail("Authorization header is missing"))
		}
	})
}
