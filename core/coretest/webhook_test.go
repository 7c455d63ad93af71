package coretest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// hooked is a manager in the manner of many vendors: the signature is of the
// body, and an unsigned header has the id. Its fault is what it does wrong.
type hooked struct {
	fault string
	calls int
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (m *hooked) Receive(hook core.Webhook, d core.Delivery) (core.WebhookEvent, error) {
	m.calls++
	if m.fault == "parses first and panics" {
		var list []any
		if json.Unmarshal(d.Body, &list) == nil && len(list) > 0 {
			_ = list[0].(string)
		}
	}
	if err := m.authenticate(hook, d); err != nil {
		return core.WebhookEvent{}, err
	}
	body, err := core.DecodeObject(d.Body)
	if err != nil {
		return core.WebhookEvent{}, err
	}
	event := core.WebhookEvent{
		Type: core.Text(body["type"]), DeliveryID: d.Header.Get("X-Delivery"),
		ReplayKey: d.Header.Get("X-Signature"), Payload: body,
	}
	switch m.fault {
	case "another event":
		event.Type = "other"
	case "another payload":
		event.Payload = map[string]any{"type": 1}
	case "no payload":
		event.Payload = nil
	case "no JSON in the payload":
		event.Payload["f"] = func() {}
	case "ids that change":
		event.DeliveryID = strings.Repeat("x", m.calls)
	case "replay keys that change":
		event.ReplayKey = strings.Repeat("x", m.calls)
	case "replay key of an unsigned header":
		event.ReplayKey += d.Header.Get("X-Delivery")
	case "an id in the query":
		event.ReplayKey += d.Query.Encode()
	case "no replay key":
		event.ReplayKey = ""
	}
	return event, nil
}

func (m *hooked) authenticate(hook core.Webhook, d core.Delivery) error {
	forged := core.Errorf(core.Forbidden, "the signature does not match")
	want := sign(hook.Secret.Reveal(), d.Body)
	given := d.Header.Values("X-Signature")
	first := ""
	if len(given) > 0 {
		first = given[0]
	}
	switch m.fault {
	case "no signature checked":
		return nil
	case "a signature of the trimmed body":
		want = sign(hook.Secret.Reveal(), []byte(strings.TrimSpace(string(d.Body))))
	case "secret not used":
		want = sign("s3cr3t-of-hook", d.Body)
	case "capital digits make another delivery":
		first = strings.ToLower(first)
	case "a missing signature passes":
		if len(given) == 0 {
			return nil
		}
	case "an empty signature passes":
		if len(given) == 1 && first == "" {
			return nil
		}
	case "any of several signatures passes":
		for _, g := range given {
			if g == want {
				return nil
			}
		}
	case "a start of the signature passes":
		if first != "" && strings.HasPrefix(want, first) {
			return nil
		}
	case "an empty secret passes":
		if hook.Secret == "" {
			return nil
		}
	case "another kind of refusal":
		forged = core.Errorf(core.Unauthenticated, "the signature does not match")
	case "a forgery is called invalid":
		forged = core.Errorf(core.Invalid, "the signature does not match")
	case "the secret in the refusal":
		forged = core.Errorf(core.Forbidden, "the signature does not match that with %s", hook.Secret.Reveal())
	}
	if hook.Secret == "" || !hmac.Equal([]byte(want), []byte(first)) {
		return forged
	}
	return nil
}

// registering can also set webhooks up.
type registering struct{ *hooked }

func (m registering) call(ctx context.Context, doer core.Doer, method, path string, hook core.Webhook, c core.Credential) error {
	url := "https://api.example.com/" + c.(core.APIKey).Key.Reveal() + path
	body, err := core.JSON(map[string]any{"url": hook.IngressURL, "secret": hook.Secret.Reveal(), "id": hook.ProviderID, "events": hook.Events})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	res, err := doer.Do(req)
	if err != nil {
		if m.fault == "the URL in an error" {
			return err
		}
		if m.fault == "an unreachable vendor is no error" {
			return nil
		}
		return errors.New("the vendor cannot be reached")
	}
	_ = res.Body.Close()
	if res.StatusCode >= 400 {
		if m.fault == "the secret in an error" {
			return errors.New("refused: " + hook.Secret.Reveal())
		}
		return errors.New("refused")
	}
	return nil
}

func (m registering) Register(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
	if err := m.call(ctx, doer, "POST", "/hooks", hook, c); err != nil {
		return core.WebhookRegistration{}, err
	}
	r := core.WebhookRegistration{ProviderID: "h1", Config: map[string]any{"url": hook.IngressURL}}
	switch m.fault {
	case "the secret is remembered":
		r.Config["url"] = hook.Secret.Reveal()
	case "the key is remembered":
		r.Config["url"] = "https://api.example.com/" + c.(core.APIKey).Key.Reveal()
	case "another id":
		r.ProviderID = "h2"
	}
	return r, nil
}

func (m registering) Deregister(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) error {
	if m.fault == "a request not sent" {
		return nil
	}
	return m.call(ctx, doer, "DELETE", "/hooks/"+hook.ProviderID, hook, c)
}

func (m registering) Update(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
	err := m.call(ctx, doer, "PUT", "/hooks/"+hook.ProviderID, hook, c)
	return core.WebhookRegistration{ProviderID: hook.ProviderID}, err
}

func (m registering) Ping(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) error {
	return m.call(ctx, doer, "POST", "/hooks/"+hook.ProviderID+"/ping", hook, c)
}

// webhookVectors are what a good manager passes.
func webhookVectors() map[string]any {
	const body = `{"type": "made"}`
	exchange := func(method, path string, request map[string]any, status int) []any {
		r := map[string]any{"method": method, "url": "https://api.example.com/key-0123456789" + path}
		if request != nil {
			r["body"] = request
		}
		return []any{map[string]any{"request": r, "response": map[string]any{"status": status}}}
	}
	ingress := "https://agents.example.com/api/integrations/echo/webhooks/" + WebhookID + "/ingress"
	return map[string]any{
		"secret": "s3cr3t-of-hook", "type": "repo", "resource": "r", "events": []string{"made"},
		"credential": map[string]any{"type": "api_key", "api_key": "key-0123456789"},
		"signed":     []string{"X-Signature"}, "covers_body": true,
		"deliveries": []any{
			map[string]any{
				"name": "made", "headers": map[string]string{"X-Signature": sign("s3cr3t-of-hook", []byte(body)), "X-Delivery": "d1"},
				"text": body, "event": "made", "delivery_id": "d1",
			},
			map[string]any{"name": "unsigned", "text": body, "rejected": "forbidden", "error": "does not match"},
		},
		"register": []any{
			map[string]any{
				"name": "new", "exchanges": exchange("POST", "/hooks", map[string]any{"url": ingress, "secret": "s3cr3t-of-hook", "id": "", "events": []string{"made"}}, 201),
				"provider_id": "h1", "config": map[string]any{"url": ingress},
			},
			map[string]any{"name": "refused", "exchanges": exchange("POST", "/hooks", nil, 403), "error": "refused"},
		},
		"update": []any{map[string]any{
			"name": "more events", "hook": map[string]any{"provider_id": "h1", "events": []string{"made", "gone"}}, "provider_id": "h1",
			"exchanges": exchange("PUT", "/hooks/h1", map[string]any{"url": ingress, "secret": "s3cr3t-of-hook", "id": "h1", "events": []string{"made", "gone"}}, 200),
		}},
		"deregister": []any{
			map[string]any{"name": "known", "provider_id": "h1", "exchanges": exchange("DELETE", "/hooks/h1", nil, 204)},
			map[string]any{"name": "answer lost", "exchanges": exchange("DELETE", "/hooks/", nil, 204)},
		},
		"ping": []any{map[string]any{"name": "known", "provider_id": "h1", "exchanges": exchange("POST", "/hooks/h1/ping", nil, 204)}},
	}
}

func webhookDir(t *testing.T, vectors map[string]any) string {
	dir := t.TempDir()
	if vectors != nil {
		data, err := json.Marshal(vectors)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "webhook.json"), data, 0o600))
	}
	return dir
}

func hookedProvider(t *testing.T, m core.WebhookManager) *core.Provider {
	p := &core.Provider{Name: "echo", Title: "Echo", Webhooks: m}
	require.NoError(t, (&core.Registry{}).Add(p))
	return p
}

func TestGoodWebhooksPass(t *testing.T) {
	RunDir(t, hookedProvider(t, registering{&hooked{}}), webhookDir(t, webhookVectors()))
	manual := webhookVectors()
	for _, name := range []string{"register", "update", "deregister", "ping", "credential"} {
		delete(manual, name)
	}
	RunDir(t, hookedProvider(t, &hooked{}), webhookDir(t, manual))
}

func FuzzGoodWebhook(f *testing.F) {
	dir := f.TempDir()
	require.NoError(f, os.Mkdir(filepath.Join(dir, "testdata"), 0o700))
	data, err := json.Marshal(webhookVectors())
	require.NoError(f, err)
	require.NoError(f, os.WriteFile(filepath.Join(dir, "testdata", "webhook.json"), data, 0o600))
	f.Chdir(dir)
	FuzzReceive(f, &core.Provider{Name: "echo", Webhooks: registering{&hooked{fault: os.Getenv(planted)}}})
}

// webhookFaults are what managers do wrong, each with words of the complaint.
var webhookFaults = map[string]string{
	"no signature checked":                 "the forgery was accepted",
	"a signature of the trimmed body":      "the forgery was accepted",
	"secret not used":                      "another secret: the forgery was accepted",
	"a missing signature passes":           "without X-Signature",
	"an empty signature passes":            "with an empty X-Signature",
	"any of several signatures passes":     "with an empty and a true X-Signature",
	"a start of the signature passes":      "with the start of X-Signature",
	"an empty secret passes":               "an empty secret: the forgery was accepted",
	"another kind of refusal":              "Forbidden or Invalid",
	"a forgery is called invalid":          "kind of the refusal",
	"the secret in the refusal":            "the error holds the secret",
	"parses first and panics":              "Receive panicked",
	"another event":                        "type of the event",
	"another payload":                      "payload differs",
	"no payload":                           "the event has no payload",
	"no JSON in the payload":               "the payload cannot be stored",
	"ids that change":                      "id of the delivery",
	"replay keys that change":              "replay keys of the same delivery",
	"replay key of an unsigned header":     "replay key with another X-Delivery",
	"capital digits make another delivery": "replay key with X-Signature in capitals",
	"an id in the query":                   "replay key with more headers and a longer query",
	"no replay key":                        "a replay key is needed",
	"the URL in an error":                  "holds a secret of the credential",
	"an unreachable vendor is no error":    "the vendor cannot be reached",
	"the secret in an error":               "holds the secret of the webhook",
	"the secret is remembered":             "what to remember of the registration",
	"the key is remembered":                "what to remember of the registration",
	"another id":                           "the vendor's id of the subscription",
	"a request not sent":                   "requests sent",
}

// vectorFaults are what is wrong with vectors, each with words of the complaint.
var vectorFaults = map[string]struct {
	change func(v map[string]any)
	text   string
}{
	"no register vectors":   {func(v map[string]any) { delete(v, "register") }, "the manager can register"},
	"no update vectors":     {func(v map[string]any) { delete(v, "update") }, "the manager can update"},
	"no deregister vectors": {func(v map[string]any) { delete(v, "deregister") }, "the manager can deregister"},
	"no ping vectors":       {func(v map[string]any) { delete(v, "ping") }, "the manager can ping"},
	"no lost answer": {func(v map[string]any) {
		v["deregister"] = v["deregister"].([]any)[:1]
	}, "a deregistration without provider_id"},
	"no credential":         {func(v map[string]any) { delete(v, "credential") }, "takes a credential"},
	"a member unknown":      {func(v map[string]any) { v["deliverings"] = []any{} }, "unknown field"},
	"nothing of signatures": {func(v map[string]any) { delete(v, "signed") }, "signed must name the headers"},
	"no deliveries":         {func(v map[string]any) { delete(v, "deliveries") }, "no delivery that is accepted"},
	"a short secret":        {func(v map[string]any) { v["secret"] = "s" }, "8 characters"},
	"a delivery unsigned":   {func(v map[string]any) { v["signed"] = []string{"X-Signature", "X-Time"} }, "lacks the signed header X-Time"},
	"an unsigned header called signed": {func(v map[string]any) {
		v["signed"] = []string{"X-Signature", "X-Delivery"}
	}, "X-Delivery: the forgery was accepted"},
	"a refusal that is none": {func(v map[string]any) {
		d := maps.Clone(v["deliveries"].([]any)[0].(map[string]any))
		d["rejected"], d["error"] = "forbidden", "x"
		delete(d, "event")
		v["deliveries"] = append(v["deliveries"].([]any), d)
	}, "the delivery was accepted"},
	"neither event nor refusal": {func(v map[string]any) {
		v["deliveries"] = append(v["deliveries"].([]any), map[string]any{"name": "x"})
	}, "needs an event"},
}

// Each planted fault fails a test run of its own, in a process of its own.
func TestPlantedWebhookFaultsFail(t *testing.T) {
	if name := os.Getenv(planted); name != "" {
		vectors := webhookVectors()
		if f, ok := vectorFaults[name]; ok {
			f.change(vectors)
		}
		switch name {
		case "no file":
			vectors = nil
		case "no webhooks":
			RunDir(t, hookedProvider(t, nil), webhookDir(t, vectors))
			return
		case "no registrar":
			RunDir(t, hookedProvider(t, &hooked{}), webhookDir(t, vectors))
			return
		}
		RunDir(t, hookedProvider(t, registering{&hooked{fault: name}}), webhookDir(t, vectors))
		return
	}
	all := maps.Clone(webhookFaults)
	for name, f := range vectorFaults {
		all[name] = f.text
	}
	all["no file"] = "has webhooks and no vectors of them"
	all["no webhooks"] = "and no webhooks"
	all["no registrar"] = "the manager cannot register"
	self, err := os.Executable()
	require.NoError(t, err)
	for name, text := range all {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(self, "-test.run=^TestPlantedWebhookFaultsFail$")
			cmd.Env = append(os.Environ(), planted+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "the kit let it pass:\n%s", out)
			require.Contains(t, string(out), text, "it fails for another reason")
		})
	}
}

// The fuzz helper finds what the seeds alone show.
func TestFuzzFindsPlantedFault(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^FuzzGoodWebhook$")
	cmd.Env = append(os.Environ(), planted+"=no payload")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the helper let it pass:\n%s", out)
	require.Contains(t, string(out), "the event has no payload")
}
