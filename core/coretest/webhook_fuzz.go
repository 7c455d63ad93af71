package coretest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// FuzzReceive feeds a provider's webhooks with deliveries that grow out of those
// in testdata/webhook.json. Every one must be refused with a kind, or give an
// event that can be stored.
//
//	func FuzzReceive(f *testing.F) { coretest.FuzzReceive(f, provider) }
func FuzzReceive(f *testing.F, p *core.Provider) {
	vectors, err := loadWebhook("testdata")
	require.NoError(f, err)
	require.NotNil(f, vectors, "testdata/%s is missing", webhookFile)
	for _, d := range vectors.Deliveries {
		genuine := d.delivery()
		var lines []string
		for name, value := range d.Headers {
			lines = append(lines, name+": "+value)
		}
		f.Add(genuine.Body, strings.Join(lines, "\n"), genuine.Query.Encode())
	}
	c := &webhookCase{WebhookVectors: vectors, provider: p, manager: p.Webhooks}
	f.Fuzz(func(t *testing.T, body []byte, headers, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		d := core.Delivery{Header: WebhookDelivery{}.header(), Query: values, Body: body}
		for _, line := range strings.Split(headers, "\n") {
			name, value, _ := strings.Cut(line, ":")
			d.Header.Add(name, strings.TrimSpace(value))
		}
		_, _ = c.receive(t, "a delivery", c.hook(p.Name), d) // receive checks it
	})
}
