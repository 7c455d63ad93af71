package server_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"agentserver/core"
)

// acmeHooks are the webhooks of the test provider: signed ones of the type "repo",
// which it registers, and plain ones.
type acmeHooks struct{}

var (
	_ core.WebhookRegistrar = acmeHooks{}
	_ core.WebhookUpdater   = acmeHooks{}
	_ core.WebhookPinger    = acmeHooks{}
)

// acmeVendor is what the vendor has stored: webhooks by their address.
var acmeVendor = &vendor{hooks: map[string]vendorHook{}}

type vendor struct {
	mu    sync.Mutex
	next  int
	hooks map[string]vendorHook
	// fail, when set, is the answer to every request.
	fail error
	// lost makes the next registration fail after its effect.
	lost bool
	// hold, when set, is called at the beginning of requests: "set" or "delete".
	hold func(op string, hook core.Webhook)
	// ping, when set, is called for test deliveries.
	ping func(h vendorHook)
}

type vendorHook struct {
	id, url, secret, resource string
	events                    []string
}

// of gives the vendor's webhooks of a resource.
func (v *vendor) of(resource string) (list []vendorHook) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, h := range v.hooks {
		if h.resource == resource {
			list = append(list, h)
		}
	}
	return list
}

// begin waits as the test says.
func (v *vendor) begin(op string, hook core.Webhook) {
	v.mu.Lock()
	hold := v.hold
	v.mu.Unlock()
	if hold != nil {
		hold(op, hook)
	}
}

func (v *vendor) set(change func(v *vendor)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(v)
}

func (acmeHooks) Register(_ context.Context, _ core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
	v := acmeVendor
	v.begin("set", hook)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		return core.WebhookRegistration{}, v.fail
	}
	v.next++
	h := vendorHook{strconv.Itoa(v.next), hook.IngressURL, hook.Secret.Reveal(), hook.Resource, hook.Events}
	v.hooks[hook.IngressURL] = h
	if v.lost {
		v.lost = false
		return core.WebhookRegistration{}, core.Errorf(core.Unavailable, "the answer was lost")
	}
	return core.WebhookRegistration{ProviderID: h.id, Config: map[string]any{"url": hook.IngressURL}}, nil
}

func (acmeHooks) Update(_ context.Context, _ core.Doer, hook core.Webhook, _ core.Credential) (core.WebhookRegistration, error) {
	v := acmeVendor
	v.begin("set", hook)
	v.mu.Lock()
	defer v.mu.Unlock()
	h, there := v.hooks[hook.IngressURL]
	if !there { // as GitHub's manager does
		v.next++
		h = vendorHook{strconv.Itoa(v.next), hook.IngressURL, hook.Secret.Reveal(), hook.Resource, nil}
	}
	h.events = hook.Events
	v.hooks[hook.IngressURL] = h
	return core.WebhookRegistration{ProviderID: h.id, Config: map[string]any{"url": hook.IngressURL}}, v.fail
}

func (acmeHooks) Deregister(_ context.Context, _ core.Doer, hook core.Webhook, _ core.Credential) error {
	v := acmeVendor
	v.begin("delete", hook)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		return v.fail
	}
	delete(v.hooks, hook.IngressURL)
	return nil
}

func (acmeHooks) Ping(_ context.Context, _ core.Doer, hook core.Webhook, _ core.Credential) error {
	v := acmeVendor
	v.mu.Lock()
	ping, h, fail := v.ping, v.hooks[hook.IngressURL], v.fail
	v.mu.Unlock()
	if fail == nil && ping != nil {
		ping(h)
	}
	return fail
}

func (acmeHooks) Receive(hook core.Webhook, d core.Delivery) (core.WebhookEvent, error) {
	e := core.WebhookEvent{Type: d.Header.Get("X-Acme-Event"), DeliveryID: d.Header.Get("X-Acme-Delivery")}
	if hook.Type == "plain" {
		e.Type = "plain"
	} else {
		given := d.Header.Get("X-Acme-Signature")
		if !hmac.Equal([]byte(given), []byte(acmeSignature(hook.Secret.Reveal(), d.Body))) {
			return e, core.Errorf(core.Forbidden, "the signature does not match")
		}
		e.ReplayKey = given
	}
	if json.Unmarshal(d.Body, &e.Payload) != nil {
		return e, core.Errorf(core.Invalid, "The body is not a JSON object")
	}
	return e, nil
}

func acmeSignature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// acmeTrigger is the block that signed deliveries start.
func acmeTrigger() core.Block {
	type filter struct {
		Opened bool `json:"opened" default:"false" doc:"When it opens"`
		Closed bool `json:"closed" default:"false" doc:"When it closes"`
	}
	type input struct {
		Credentials core.APIKey    `json:"credentials" doc:"Account"`
		Repo        string         `json:"repo" doc:"Where"`
		Events      filter         `json:"events" doc:"Which events"`
		Payload     map[string]any `json:"payload" factory:"{}" hidden:"true" doc:"The event"`
	}
	spec := core.BlockSpec{
		ID: triggerID, Name: "AcmeTriggerBlock", Description: "Serves a test.",
		Webhook: &core.WebhookConfig{Provider: "acme", Type: "repo", Resource: "{repo}", EventFilter: "events", EventFormat: "thing.{event}"},
	}
	return core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *input, out *echoed) error {
		out.Result.Emit(in.Payload)
		return nil
	})
}

// signed sends a delivery of the test vendor.
func (b *bed) signed(hook vendorHook, event, delivery, body string) answer {
	b.t.Helper()
	return b.deliver(hook.url, body, "X-Acme-Event", event, "X-Acme-Delivery", delivery, "X-Acme-Signature", acmeSignature(hook.secret, []byte(body)))
}

// deliver sends a delivery to the address of a webhook.
func (b *bed) deliver(address, body string, headers ...string) answer {
	b.t.Helper()
	const public = "https://agents.example.com"
	if address[:len(public)] != public {
		b.t.Fatalf("%s is not an address of this server", address)
	}
	return b.call(nobody, http.MethodPost, address[len(public):], body, headers...)
}

// runsOf gives the runs of an agent, oldest first, once none is at work.
func (b *bed) runsOf(who, graphID string) (list []map[string]any) {
	b.t.Helper()
	page := b.object(who, "GET", "/api/graphs/"+graphID+"/executions?page_size=100", nil)
	for _, r := range page["executions"].([]any) {
		list = append(list, r.(map[string]any))
	}
	slices.Reverse(list)
	return list
}

// settled waits until no delivery is pending.
func (b *bed) settled() {
	b.t.Helper()
	b.eventually("deliveries are worked on", func() bool {
		return len(b.object(admin, "GET", "/api/admin/webhooks/deliveries?state=pending", nil)["deliveries"].([]any)) == 0
	})
}
