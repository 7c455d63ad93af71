package coretest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// forged derives forgeries from a genuine delivery of a manager with signed
// headers. Each must be refused as [core.Forbidden].
func (c *webhookCase) forged(t *testing.T, d WebhookDelivery) {
	if len(c.Signed) == 0 {
		return
	}
	refuse := func(what string, hook core.Webhook, forged core.Delivery) {
		t.Helper()
		_, err := c.receive(t, what, hook, forged)
		require.Error(t, err, "%s: the forgery was accepted", what)
		require.Equal(t, core.Forbidden, core.KindOf(err), "%s: kind of the refusal: %v", what, err)
	}
	hook := c.hook(c.provider.Name)
	if c.CoversBody {
		for _, what := range core.SortedKeys(tampered) {
			changed := d.delivery()
			changed.Body = tampered[what](changed.Body)
			refuse(what, hook, changed)
		}
	}
	other := hook
	other.Secret = core.Secret(another(c.Secret))
	refuse("another secret", other, d.delivery())
	empty := hook
	empty.Secret = ""
	refuse("an empty secret", empty, d.delivery())

	for _, name := range c.Signed {
		key := http.CanonicalHeaderKey(name)
		genuine := d.header().Get(name)
		wrong := another(genuine)
		forgeries := map[string][]string{
			"without " + name:                     nil,
			"with an empty " + name:               {""},
			"with a wrong " + name:                {wrong},
			"with the start of " + name:           {genuine[:1]},
			"with two of " + name + ", one wrong": {wrong, genuine},
			"with an empty and a true " + name:    {"", genuine},
		}
		for _, what := range core.SortedKeys(forgeries) {
			values := forgeries[what]
			changed := d.delivery()
			changed.Header[key] = values
			if values == nil {
				delete(changed.Header, key)
			}
			refuse(what, hook, changed)
			refuse(what+" and an empty secret", empty, changed)
		}
	}
}

// tampered are changes to a body.
var tampered = map[string]func(body []byte) []byte{
	"a longer body":   func(body []byte) []byte { return append(body, ' ') },
	"a body in front": func(body []byte) []byte { return append([]byte(" "), body...) },
	"a changed body": func(body []byte) []byte {
		if len(body) == 0 {
			return []byte("{}")
		}
		body[len(body)/2] ^= 1
		return body
	},
}
