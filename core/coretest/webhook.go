package coretest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// webhookCase is a provider's webhooks under test.
type webhookCase struct {
	*WebhookVectors
	provider *core.Provider
	manager  core.WebhookManager
}

// runWebhook checks the webhooks of a provider against testdata/webhook.json.
func runWebhook(t *testing.T, p *core.Provider, dir string) {
	vectors, err := loadWebhook(dir)
	require.NoError(t, err)
	if p.Webhooks == nil {
		require.Nil(t, vectors, "%s has %s/%s and no webhooks", p.Name, dir, webhookFile)
		checkTriggers(t, p)
		return
	}
	t.Run("webhook", func(t *testing.T) {
		if vectors == nil {
			t.Fatalf("%s has webhooks and no vectors of them: write %s/%s", p.Name, dir, webhookFile)
		}
		checkTriggers(t, p)
		c := &webhookCase{WebhookVectors: vectors, provider: p, manager: p.Webhooks}
		for _, d := range c.Deliveries {
			t.Run("deliver "+d.Name, func(t *testing.T) {
				if d.Rejected != "" {
					c.refused(t, d)
					return
				}
				c.accepted(t, d)
				c.forged(t, d)
				c.replayed(t, d)
				c.mangled(t, d)
			})
		}
		c.operations(t)
	})
}

// checkTriggers checks that the manager can do what the trigger blocks need.
func checkTriggers(t *testing.T, p *core.Provider) {
	for _, b := range p.Blocks {
		spec := b.Spec()
		if spec.Webhook == nil {
			continue
		}
		require.Equal(t, p.Name, spec.Webhook.Provider, "the provider of the webhooks of %s", spec.Name)
		require.NotNil(t, p.Webhooks, "%s waits for webhooks, which %s does not have", spec.Name, p.Name)
		if _, ok := p.Webhooks.(core.WebhookRegistrar); !ok {
			require.True(t, spec.Webhook.Manual, "%s sets its webhooks up, but the manager is no registrar", spec.Name)
		}
	}
}

// receive hands a delivery to the manager. Whatever it makes of it, it must not
// panic, repeat the secret, or give what cannot be stored.
func (c *webhookCase) receive(t *testing.T, what string, hook core.Webhook, d core.Delivery) (event core.WebhookEvent, err error) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%s: Receive panicked: %v", what, r)
		}
	}()
	event, err = c.manager.Receive(hook, d)
	if err != nil {
		require.NotContains(t, err.Error(), c.Secret, "%s: the error holds the secret", what)
		kind := core.KindOf(err)
		require.True(t, kind == core.Forbidden || kind == core.Invalid,
			"%s: a refusal is of kind Forbidden or Invalid: %v", what, err)
		return event, err
	}
	require.NotEmpty(t, event.Type, "%s: the event has no type", what)
	require.NotNil(t, event.Payload, "%s: the event has no payload", what)
	_, err = core.Plain(event.Payload)
	require.NoError(t, err, "%s: the payload cannot be stored", what)
	return event, nil
}

func (c *webhookCase) refused(t *testing.T, d WebhookDelivery) {
	_, err := c.receive(t, d.Name, c.hook(c.provider.Name), d.delivery())
	require.Error(t, err, "the delivery was accepted")
	require.Equal(t, kinds[d.Rejected], core.KindOf(err), "kind of the refusal: %v", err)
	require.Contains(t, err.Error(), d.Error)
}

func (c *webhookCase) accepted(t *testing.T, d WebhookDelivery) {
	event, err := c.receive(t, d.Name, c.hook(c.provider.Name), d.delivery())
	require.NoError(t, err)
	require.Equal(t, d.Event, event.Type, "type of the event")
	if d.DeliveryID != "" {
		require.Equal(t, d.DeliveryID, event.DeliveryID, "id of the delivery")
	}
	if d.ReplayKey != "" {
		require.Equal(t, d.ReplayKey, event.ReplayKey, "replay key")
	}
	var want any = d.Payload
	if d.Payload == nil {
		want, err = core.DecodeJSON(d.delivery().Body)
		require.NoError(t, err, "the body is not JSON: say what the payload is")
	}
	if diff := cmp.Diff(floats(core.Numbers(want)), floats(plain(t, event.Payload))); diff != "" {
		t.Errorf("payload differs (- expected, + given):\n%s", diff)
	}
}

func plain(t *testing.T, v any) any {
	v, err := core.Plain(v)
	require.NoError(t, err)
	return v
}

// mangled checks bodies that no vendor sends.
func (c *webhookCase) mangled(t *testing.T, d WebhookDelivery) {
	bodies := mangledBodies()
	for _, what := range core.SortedKeys(bodies) {
		changed := d.delivery()
		changed.Body = bodies[what]
		_, err := c.receive(t, what, c.hook(c.provider.Name), changed)
		if c.CoversBody {
			require.True(t, core.IsKind(err, core.Forbidden), "%s: the signature is of another body: %v", what, err)
		}
	}
}

func mangledBodies() map[string][]byte {
	const levels = 1000
	return map[string][]byte{
		"no body":              nil,
		"a body of blanks":     []byte(" \r\n"),
		"a body without JSON":  []byte("hello=world&a[]=%zz"),
		"a body that is cut":   []byte(`{"a":`),
		"a body of null":       []byte("null"),
		"a body of a list":     []byte("[1]"),
		"a body of a text":     []byte(`"a"`),
		"a body of a number":   []byte("1e999"),
		"two bodies":           []byte("{}{}"),
		"an empty object":      []byte("{}"),
		"a deep object":        []byte(strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels)),
		"a deep list":          []byte(strings.Repeat("[", levels) + strings.Repeat("]", levels)),
		"a very deep list":     []byte(strings.Repeat("[", 20*levels) + strings.Repeat("]", 20*levels)),
		"a body of bad UTF-8":  []byte("{\"a\":\"\xff\xfe\"}"),
		"a body with zeroes":   []byte("{\"a\\u0000\":\"\\u0000\\ud800\"}"),
		"members of odd types": oddTypes(),
	}
}

// oddTypes has members whose names vendors use, with values that they do not.
func oddTypes() []byte {
	names := []string{
		"id", "type", "event", "eventType", "action", "status", "message", "edited_message", "message_reaction",
		"update_id", "data", "payload", "transcription", "transcriptions", "base", "webhook", "orderId", "timestamp",
	}
	var b bytes.Buffer
	values := []string{"null", "true", "-1.5e300", `""`, "[]", "[[]]", "{}", `{"id":{}}`}
	for i, name := range names {
		key, err := json.Marshal(name)
		if err != nil {
			panic(err) // texts have a JSON form
		}
		b.WriteByte("{,"[min(i, 1)])
		b.Write(key)
		b.WriteByte(':')
		b.WriteString(values[i%len(values)])
	}
	b.WriteByte('}')
	return b.Bytes()
}

// another gives a text of the same form that differs in every letter and digit.
func another(text string) string {
	changed := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return '0' + (r-'0'+1)%10
		case r >= 'a' && r <= 'f':
			return 'a' + (r-'a'+1)%6
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+1)%26
		case r >= 'g' && r <= 'z':
			return 'g' + (r-'g'+1)%20
		}
		return r
	}, text)
	if changed == text {
		return text + "x"
	}
	return changed
}
