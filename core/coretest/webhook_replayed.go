package coretest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// replayed checks that a delivery that is sent again is known again, also when
// what is not signed was changed, or the signature was written another way.
func (c *webhookCase) replayed(t *testing.T, d WebhookDelivery) {
	hook := c.hook(c.provider.Name)
	first, err := c.receive(t, d.Name, hook, d.delivery())
	require.NoError(t, err)
	second, err := c.receive(t, d.Name, hook, d.delivery())
	require.NoError(t, err)
	require.Equal(t, first.DeliveryID, second.DeliveryID, "ids of the same delivery")
	require.Equal(t, first.ReplayKey, second.ReplayKey, "replay keys of the same delivery")
	replays := c.replays(d)
	for _, what := range core.SortedKeys(replays) {
		again, err := c.receive(t, what, hook, replays[what])
		if err != nil {
			continue
		}
		if first.ReplayKey != "" {
			require.Equal(t, first.ReplayKey, again.ReplayKey, "replay key %s", what)
		}
		// Test deliveries start nothing, so they need none.
		if c.CoversBody && first.DeliveryID != again.DeliveryID && first.Type != core.PingEvent {
			require.NotEmpty(t, first.ReplayKey, "%s, the id of the delivery is another: a replay key is needed", what)
		}
	}
}

// replays gives what somebody may make of a delivery that they have seen.
func (c *webhookCase) replays(d WebhookDelivery) map[string]core.Delivery {
	all := map[string]core.Delivery{}
	set := func(what, name, value string) {
		changed := d.delivery()
		changed.Header.Set(name, value)
		all[what] = changed
	}
	for name := range d.header() {
		value := d.header().Get(name)
		if c.isSigned(name) {
			set("with "+name+" in capitals", name, capitals(value))
			set("with "+name+" in small letters", name, strings.ToLower(value))
			set("with blanks around "+name, name, " "+value+" ")
			continue
		}
		set("with another "+name, name, another(value))
		without := d.delivery()
		without.Header.Del(name)
		all["without "+name] = without
	}
	for name := range d.Query {
		changed := d.delivery()
		changed.Query.Set(name, another(changed.Query.Get(name)))
		all["with another "+name+" in the query"] = changed
	}
	more := d.delivery()
	more.Query.Set("another", "1")
	more.Header.Set("X-Another", "1")
	all["with more headers and a longer query"] = more
	return all
}

// capitals writes a value in capitals, but for its name in front, as in
// "sha256=".
func capitals(value string) string {
	name, rest, found := strings.Cut(value, "=")
	if !found || rest == "" {
		return strings.ToUpper(value)
	}
	return name + "=" + strings.ToUpper(rest)
}

func (c *webhookCase) isSigned(header string) bool {
	for _, name := range c.Signed {
		if http.CanonicalHeaderKey(name) == header {
			return true
		}
	}
	return false
}
