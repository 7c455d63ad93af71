package genericwebhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

func FuzzReceive(f *testing.F) { coretest.FuzzReceive(f, provider) }

const secret = "s3cr3t-of-the-hook"

func signature(body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// A signature must be right when it is there; the setting decides whether it
// must be there.
func TestSignature(t *testing.T) {
	const body = `{"a":1}`
	right := signature(body)
	for _, c := range []struct {
		name      string
		body      string
		signature []string
		secret    core.Secret
		optional  bool // accepted when none is required
		required  bool // accepted when one is
	}{
		{"right", body, []string{right}, secret, true, true},
		{"none", body, nil, secret, true, false},
		{"capital digits", body, []string{"sha256=" + strings.ToUpper(right[7:])}, secret, true, true},
		{"empty", body, []string{""}, secret, false, false},
		{"of another body", body + " ", []string{right}, secret, false, false},
		{"of another secret", body, []string{right}, "another", false, false},
		{"of no secret", body, []string{right}, "", false, false},
		{"without its name", body, []string{right[7:]}, secret, false, false},
		{"cut", body, []string{right[:20]}, secret, false, false},
		{"only its name", body, []string{"sha256="}, secret, false, false},
		{"no digits", body, []string{"sha256=zz"}, secret, false, false},
		{"a wrong one before", body, []string{"sha256=00", right}, secret, false, false},
		{"a wrong one after", body, []string{right, "sha256=00"}, secret, false, false},
		{"empty body", "", []string{signature("")}, secret, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, required := range []bool{false, true} {
				m := &manager{settings: &settings{RequireSignature: required}}
				d := core.Delivery{Header: http.Header{}, Body: []byte(c.body)}
				if c.signature != nil {
					d.Header[http.CanonicalHeaderKey(signatureHeader)] = c.signature
				}
				_, err := m.Receive(core.Webhook{Secret: c.secret}, d)
				if accepted := required && c.required || !required && c.optional; accepted {
					require.NoError(t, err)
					continue
				}
				require.Equal(t, core.Forbidden, core.KindOf(err), "%v", err)
				require.Contains(t, err.Error(), signatureHeader)
			}
		})
	}
}

// HMAC with an empty key is no signature: anybody can make it.
func TestEmptySecretSignsNothing(t *testing.T) {
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte("{}"))
	d := core.Delivery{Header: http.Header{}, Body: []byte("{}")}
	d.Header.Set(signatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	_, err := provider.Webhooks.Receive(core.Webhook{}, d)
	require.Equal(t, core.Forbidden, core.KindOf(err), "%v", err)
}

func TestLongID(t *testing.T) {
	d := core.Delivery{Header: http.Header{"Webhook-Id": {strings.Repeat("x", maxID)}}}
	e, err := provider.Webhooks.Receive(core.Webhook{}, d)
	require.NoError(t, err)
	require.Len(t, e.DeliveryID, maxID)
	d.Header.Set("Webhook-Id", strings.Repeat("x", maxID+1))
	_, err = provider.Webhooks.Receive(core.Webhook{}, d)
	require.Equal(t, core.Invalid, core.KindOf(err), "%v", err)
}
