package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Without a provider that provisions, there is nothing to look after.
func TestManagedAdministration(t *testing.T) {
	engines(t, func(b *bed) {
		b.call(admin, "GET", "/api/admin/managed", nil).is(200, `{"managed":[]}`)
		b.call(admin, "GET", "/api/admin/managed?open=true&limit=1&user_id=alice&provider=acme", nil).is(200, `{"managed":[]}`)
		require.Equal(b.t, 422, b.call(admin, "GET", "/api/admin/managed?limit=0", nil).status)
		b.call(admin, "POST", "/api/admin/managed/alice/acme/rotate", nil).is(404, detail("The provider 'acme' provisions no credentials here"))
		b.call(admin, "POST", "/api/admin/managed/alice/acme/retry", nil).is(404, detail("There is nothing to do for the user 'alice' at the provider 'acme'"))
		require.Contains(b.t, b.log.String(), "admin=admin does=retry user=alice provider=acme")
		b.call(admin, "POST", "/api/admin/managed/alice/acme/revoke", nil).is(404, detail("The user 'alice' has no managed credential of the provider 'acme'"))
	})
}
