package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// triggered is an agent that gives back what a signed delivery brings.
func triggered() map[string]any {
	return agent("triggered", node("hook", triggerID), node("out", outputID, "name", "out"), link("hook.result", "out.value"))
}

// subscription is a trigger with everything that belongs to it.
type subscription struct {
	graph, credential, preset string
	key                       string // of the agent's credentials input
	hook                      vendorHook
}

// subscribe sets a trigger up for a resource of its own.
func (b *bed) subscribe(who string, events map[string]any) subscription {
	b.t.Helper()
	s := subscription{graph: b.save(who, triggered())["id"].(string), key: "acme_api_key_credentials"}
	s.credential = b.object(who, "POST", "/api/integrations/acme/credentials", `{"type":"api_key","provider":"acme","api_key":"k"}`)["id"].(string)
	repo := "repo-" + uuid.NewString()
	p := b.object(who, "POST", "/api/library/presets/setup-trigger", s.setup(repo, events))
	s.preset = p["id"].(string)
	hooks := acmeVendor.of(repo)
	require.Len(b.t, hooks, 1)
	s.hook = hooks[0]
	require.Equal(b.t, s.hook.url, p["webhook"].(map[string]any)["url"])
	return s
}

func (s subscription) setup(repo string, events map[string]any) map[string]any {
	return map[string]any{
		"name": "on things", "graph_id": s.graph, "graph_version": 1,
		"trigger_config":    map[string]any{"repo": repo, "events": events},
		"agent_credentials": s.credentials(),
	}
}

func (s subscription) credentials() map[string]any {
	return map[string]any{s.key: map[string]any{"id": s.credential, "provider": "acme", "type": "api_key"}}
}

var opened = map[string]any{"opened": true}

// A delivery starts one run with what it brings, however often it is sent.
func TestDelivery(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		require.Equal(b.t, []string{"thing.opened"}, s.hook.events)
		for range 5 {
			b.signed(s.hook, "thing.opened", "d-1", `{"number":7}`).is(200, "null")
		}
		b.signed(s.hook, "thing.closed", "d-2", `{"number":8}`).is(200, "null")
		b.signed(s.hook, "thing.opened", "d-3", `{"number":7}`).is(200, "null") // the same, under another id
		b.settled()
		runs := b.runsOf(alice, s.graph)
		require.Len(b.t, runs, 1)
		run := b.ended(alice, s.graph, runs[0]["id"].(string))
		require.Equal(b.t, "COMPLETED", run["status"])
		require.Equal(b.t, s.preset, run["preset_id"])
		require.JSONEq(b.t, `{"out":[{"number":7}]}`, encode(run["outputs"]))
		list := b.object(admin, "GET", "/api/admin/webhooks/deliveries?user_id=alice", nil)["deliveries"].([]any)
		require.Len(b.t, list, 2, "duplicates are not stored")
		require.Equal(b.t, []any{runs[0]["id"]}, list[1].(map[string]any)["runs"])
		require.Equal(b.t, "done", list[0].(map[string]any)["state"])
	})
}

// What is not genuine is refused, and looks like what is not there.
func TestRefusedDeliveries(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		const body = `{"number":7}`
		good := acmeSignature(s.hook.secret, []byte(body))
		id := strings.Split(s.hook.url, "/")[7]
		unknown := uuid.NewString()
		sent := map[string]string{
			"a tampered body":          s.hook.url + "|" + `{"number":8}` + "|" + good,
			"another secret":           s.hook.url + "|" + body + "|" + acmeSignature("x", []byte(body)),
			"no signature":             s.hook.url + "|" + body + "|",
			"another webhook":          strings.Replace(s.hook.url, id, unknown, 1) + "|" + body + "|" + good,
			"another provider":         strings.Replace(s.hook.url, "/acme/", "/core/", 1) + "|" + body + "|" + good,
			"a provider without any":   strings.Replace(s.hook.url, "/acme/", "/nobody/", 1) + "|" + body + "|" + good,
			"an id that is none":       strings.Replace(s.hook.url, id, "x'y", 1) + "|" + body + "|" + good,
			"no signature, no webhook": strings.Replace(s.hook.url, id, unknown, 1) + "||",
		}
		for name, line := range sent {
			part := strings.Split(line, "|")
			a := b.deliver(part[0], part[1], "X-Acme-Event", "thing.opened", "X-Acme-Signature", part[2])
			require.Equal(b.t, 404, a.status, name)
			require.Regexp(b.t, `^\{"detail":"Webhook #\S+ not found"\}$`, strings.TrimSpace(a.body), name)
		}
		b.signed(s.hook, "thing.opened", "d", "not JSON").is(400, detail("The body is not a JSON object"))
		b.settled()
		require.Empty(b.t, b.runsOf(alice, s.graph))
		metrics := b.call(nobody, "GET", "/metrics", nil).body
		for outcome, n := range map[string]int{"forged": 3, "invalid": 1, "unknown": 3} {
			require.Contains(b.t, metrics, fmt.Sprintf(`agentserver_webhook_deliveries_total{outcome=%q,provider="acme"} %d`, outcome, n))
		}
	})
}

func TestDeliveryLimits(t *testing.T) {
	b := newBedOf(t, "", bedOptions{settings: map[string]string{"webhooks.max_body": "2048", "webhooks.rate": "1"}})
	s := b.subscribe(alice, opened)
	long := `{"text":"` + strings.Repeat("x", 3000) + `"}`
	b.signed(s.hook, "thing.opened", "long", long).is(413, detail("The delivery is larger than 2048 bytes"))
	limited := 0
	for i := range 20 {
		a := b.signed(s.hook, "thing.opened", fmt.Sprint(i), fmt.Sprintf(`{"n":%d}`, i))
		if a.status == 200 {
			continue
		}
		limited++
		require.Equal(t, 429, a.status)
		require.Regexp(t, `^[1-9]\d*$`, a.header.Get("Retry-After"))
	}
	require.Positive(t, limited)
	b.settled()
	require.Len(t, b.runsOf(alice, s.graph), 20-limited, "each that was answered 200 has its run")
}

// A full backlog asks senders to come back, and takes up nothing.
func TestDeliveryBacklog(t *testing.T) {
	b := newBedOf(t, "", bedOptions{settings: map[string]string{"webhooks.max_backlog": "1"}})
	s := b.subscribe(alice, opened)
	exec := func(q string) { require.NoError(t, b.platform.DB.Write.Exec(q).Error) }
	b.signed(s.hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
	b.settled()
	exec("UPDATE webhook_deliveries SET state = 'pending'")
	b.eventually("the backlog is full", func() bool {
		a := b.signed(s.hook, "thing.opened", uuid.NewString(), fmt.Sprintf(`{"id":%q}`, uuid.NewString()))
		return a.status == 503 && a.header.Get("Retry-After") == "5"
	})
}

// The triggers of a resource share one webhook, which goes with the last one.
func TestSharedWebhook(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		second := b.object(alice, "POST", "/api/library/presets/setup-trigger", s.setup(s.hook.resource, map[string]any{"closed": true}))
		hooks := acmeVendor.of(s.hook.resource)
		require.Len(b.t, hooks, 1)
		require.Equal(b.t, []string{"thing.closed", "thing.opened"}, hooks[0].events)
		require.Equal(b.t, s.hook.url, second["webhook"].(map[string]any)["url"])
		b.signed(s.hook, "thing.closed", "1", `{"n":1}`).is(200, "null")
		b.settled()
		runs := b.runsOf(alice, s.graph)
		require.Len(b.t, runs, 1)
		require.Equal(b.t, second["id"], runs[0]["preset_id"])

		b.call(alice, "DELETE", "/api/library/presets/"+s.preset, nil).is(204, "")
		require.Len(b.t, acmeVendor.of(s.hook.resource), 1, "the other trigger needs it")
		b.call(alice, "DELETE", "/api/library/presets/"+second["id"].(string), nil).is(204, "")
		b.eventually("the webhook is deregistered", func() bool { return len(acmeVendor.of(s.hook.resource)) == 0 })
		b.signed(s.hook, "thing.closed", "2", `{"n":2}`).is(404, detail("Webhook #"+strings.Split(s.hook.url, "/")[7]+" not found"))
	})
}

// A trigger that moves to another resource takes its webhook along.
func TestRetarget(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		path := "/api/library/presets/" + s.preset
		elsewhere := "repo-" + uuid.NewString()
		change := map[string]any{"inputs": map[string]any{"repo": elsewhere, "events": opened}, "credentials": s.credentials()}
		p := b.object(alice, "PATCH", path, change)
		require.Len(b.t, acmeVendor.of(elsewhere), 1)
		require.Equal(b.t, acmeVendor.of(elsewhere)[0].url, p["webhook"].(map[string]any)["url"])
		b.eventually("the earlier webhook goes", func() bool { return len(acmeVendor.of(s.hook.resource)) == 0 })

		change["inputs"] = map[string]any{"repo": elsewhere, "events": map[string]any{"opened": false}}
		b.call(alice, "PATCH", path, change).is(400, detail("Could not update trigger configuration: Cannot set up acme webhook without any enabled events in event filter input 'events'"))
		b.call(alice, "PATCH", path, `{"inputs":{"a":1}}`).is(400, detail("Preset inputs and credentials must be provided together"))
		p = b.object(alice, "PATCH", path, `{"name":"renamed","description":"","is_active":false}`)
		require.Equal(b.t, []any{"renamed", "", false}, []any{p["name"], p["description"], p["is_active"]})
		hook := acmeVendor.of(elsewhere)[0]
		b.signed(hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
		b.settled()
		require.Empty(b.t, b.runsOf(alice, s.graph), "it is turned off")
	})
}

func TestPresets(t *testing.T) {
	engines(t, func(b *bed) {
		const path = "/api/library/presets"
		g := b.save(alice, echoAgent("plain"))["id"].(string)
		hidden := b.save(bob, echoAgent("bob's"))["id"].(string)
		create := func(changes ...any) answer {
			return b.call(alice, "POST", path, with(map[string]any{
				"graph_id": g, "graph_version": 1, "inputs": map[string]any{"in": map[string]any{"type": "string", "value": "x"}}, "credentials": map[string]any{},
				"name": "mine", "description": "d",
			}, changes...))
		}
		a := create()
		require.Equal(b.t, 200, a.status, a.body)
		p := a.json().(map[string]any)
		require.Equal(b.t, []any{"mine", true, nil, nil}, []any{p["name"], p["is_active"], p["webhook"], p["webhook_id"]})
		require.JSONEq(b.t, `{"in":{"type":"string","value":"x"}}`, encode(p["inputs"]))
		create("graph_id", hidden).is(404, detail("Graph #"+hidden+" not found or accessible"))
		foreign := b.subscribe(bob, opened)
		hook := strings.Split(foreign.hook.url, "/")[7]
		create("webhook_id", hook).is(404, detail("Webhook #"+hook+" not found"))
		require.Equal(b.t, 422, b.call(alice, "POST", path, `{"name":"n"}`).status)

		run := b.ended(alice, g, b.object(alice, "POST", path+"/"+p["id"].(string)+"/execute", `{"inputs":{"in":"y"}}`)["id"].(string))
		require.JSONEq(b.t, `{"out":["y"]}`, encode(run["outputs"]))
		require.Equal(b.t, p["id"], run["preset_id"])
		run = b.ended(alice, g, b.object(alice, "POST", path+"/"+p["id"].(string)+"/execute", nil)["id"].(string))
		require.JSONEq(b.t, `{"out":[{"type":"string","value":"x"}]}`, encode(run["outputs"]))

		again := b.object(alice, "POST", path, map[string]any{"graph_execution_id": run["id"], "name": "again", "description": ""})
		require.Equal(b.t, p["inputs"], again["inputs"])
		nowhere := uuid.NewString()
		b.call(alice, "POST", path, map[string]any{"graph_execution_id": nowhere, "name": "again", "description": ""}).
			is(404, detail("Graph execution #"+nowhere+" not found"))

		require.Equal(b.t, 422, b.call(alice, "GET", path, nil).status, "which ones?")
		page := b.object(alice, "GET", path+"?graph_id=&page_size=1&page=2", nil)
		require.Equal(b.t, p["id"], page["presets"].([]any)[0].(map[string]any)["id"], "newest first")
		require.JSONEq(b.t, `{"total_items":2,"total_pages":2,"current_page":2,"page_size":1}`, encode(page["pagination"]))
		require.Empty(b.t, b.object(bob, "GET", path+"?graph_id="+g, nil)["presets"])
		b.call(alice, "DELETE", path+"/"+p["id"].(string), nil).is(204, "")
		b.call(alice, "GET", path+"/"+p["id"].(string), nil).is(404, detail("Preset #"+p["id"].(string)+" not found"))
		b.call(alice, "DELETE", path+"/"+p["id"].(string), nil).is(404, detail("Preset #"+p["id"].(string)+" not found for user #alice"))
		require.Equal(b.t, 404, b.call(alice, "POST", "/api/graphs/"+g+"/execute/1?preset_id="+foreign.preset, `{"inputs":{"in":"x"}}`).status, "another's preset")
	})
}

// Saving a trigger again tells the vendor the address that the server has now.
func TestMovedServer(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		require.NoError(b.t, b.platform.DB.Write.Exec("UPDATE webhooks SET config = ?", `{"url":"https://before.example/ingress"}`).Error)
		acmeVendor.set(func(v *vendor) { delete(v.hooks, s.hook.url) })
		b.ok(alice, "PATCH", "/api/library/presets/"+s.preset, map[string]any{
			"inputs": map[string]any{"repo": s.hook.resource, "events": opened}, "credentials": s.credentials(),
		})
		require.Len(b.t, acmeVendor.of(s.hook.resource), 1)
		require.Equal(b.t, s.hook.url, acmeVendor.of(s.hook.resource)[0].url)
	})
}

func TestSetUpTriggerRefusals(t *testing.T) {
	b := newBed(t, "")
	s := b.subscribe(alice, opened)
	const path = "/api/library/presets/setup-trigger"
	plain := b.save(alice, echoAgent("plain"))["id"].(string)
	refused := func(status int, text string, changes ...any) {
		t.Helper()
		b.call(alice, "POST", path, with(s.setup("r", opened), changes...)).is(status, detail(text))
	}
	nowhere := uuid.NewString()
	refused(410, "Graph #"+nowhere+" not accessible (anymore)", "graph_id", nowhere)
	refused(400, "Graph #"+plain+" does not have a webhook node", "graph_id", plain)
	const prefix = "Could not set up webhook: Cannot "
	refused(400, prefix+"set up acme webhook without event filter input: missing input for 'events'", "trigger_config", map[string]any{"repo": "r"})
	refused(400, prefix+"auto-setup acme webhook without resource: missing input for 'repo'", "trigger_config", map[string]any{"events": opened})
	refused(400, prefix+"set up acme webhook without credentials", "agent_credentials", map[string]any{})
	require.Equal(t, 410, b.call(bob, "POST", path, s.setup("r", opened)).status)
	foreign := b.object(bob, "POST", "/api/integrations/acme/credentials", `{"type":"api_key","provider":"acme","api_key":"k"}`)["id"].(string)
	s.credential = foreign
	require.Equal(t, 400, b.call(alice, "POST", path, s.setup("r", opened)).status, "another's credentials")
	require.Empty(t, acmeVendor.of("r"))
}

// A registration that fails leaves nothing behind, even when its effect is there.
func TestFailedRegistration(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		repo := "repo-" + uuid.NewString()
		acmeVendor.set(func(v *vendor) { v.lost = true })
		a := b.call(alice, "POST", "/api/library/presets/setup-trigger", s.setup(repo, opened))
		require.Equal(b.t, 503, a.status, a.body)
		b.eventually("what it left is removed", func() bool { return len(acmeVendor.of(repo)) == 0 })
		acmeVendor.set(func(v *vendor) { v.fail = core.Errorf(core.NotFound, "no such repository") })
		a = b.call(alice, "POST", "/api/library/presets/setup-trigger", s.setup(repo, opened))
		acmeVendor.set(func(v *vendor) { v.fail = nil })
		require.Equal(b.t, 400, a.status, a.body)
		require.Contains(b.t, a.body, "no such repository")
		require.Len(b.t, b.object(alice, "GET", "/api/library/presets?graph_id="+s.graph, nil)["presets"], 1)
	})
}

// Credentials that triggers need go only when the user says so.
func TestCredentialWithWebhooks(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		path := "/api/integrations/acme/credentials/" + s.credential
		b.call(alice, "DELETE", path, nil).is(200, `{"deleted":false,"need_confirmation":true,"message":"Some webhooks linked to these credentials are still in use by an agent"}`)
		require.Len(b.t, acmeVendor.of(s.hook.resource), 1)
		b.call(alice, "DELETE", path+"?force=true", nil).is(200, `{"deleted":true,"revoked":null}`)
		require.Empty(b.t, acmeVendor.of(s.hook.resource))
		p := b.object(alice, "GET", "/api/library/presets/"+s.preset, nil)
		require.Nil(b.t, p["webhook"])
		require.Nil(b.t, p["webhook_id"])
	})
}

func TestPing(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		path := "/api/integrations/webhooks/" + strings.Split(s.hook.url, "/")[7] + "/ping"
		acmeVendor.set(func(v *vendor) {
			v.ping = func(h vendorHook) { b.signed(h, "ping", uuid.NewString(), `{"zen":"hi"}`) }
		})
		b.call(alice, "POST", path, nil).is(200, "true")
		require.Equal(b.t, 404, b.call(bob, "POST", path, nil).status)
		acmeVendor.set(func(v *vendor) { v.ping, v.fail = nil, core.Errorf(core.Unavailable, "down") })
		a := b.call(alice, "POST", path, nil)
		acmeVendor.set(func(v *vendor) { v.fail = nil })
		require.Equal(b.t, 503, a.status)
		b.settled()
		require.Empty(b.t, b.runsOf(alice, s.graph))
	})
}

// Names that senders choose may be odd; they tell deliveries apart all the same.
func TestOddDeliveries(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		odd := []string{"\xff\xfe", "\xff\xfd", strings.Repeat("a", 5000), strings.Repeat("a", 5001), "ключ"}
		for range 2 {
			for n, name := range odd {
				b.signed(s.hook, "thing.opened", name, fmt.Sprintf(`{"n":%d,"text":"\u0000\ud800"}`, n)).is(200, "null")
			}
		}
		b.settled()
		require.Len(b.t, b.runsOf(alice, s.graph), len(odd))
	})
}

// A manual webhook is set up by its user, who sees the secret; its address stays.
func TestManualWebhook(t *testing.T) {
	engines(t, func(b *bed) {
		g := b.save(alice, agent("manual", node("hook", hookID), node("out", outputID, "name", "out"), link("hook.result", "out.value")))["id"].(string)
		p := b.object(alice, "POST", "/api/library/presets/setup-trigger", map[string]any{
			"name": "manual", "graph_id": g, "graph_version": 1, "trigger_config": map[string]any{},
		})
		hook := p["webhook"].(map[string]any)
		require.Len(b.t, hook["secret"], 64)
		b.deliver(hook["url"].(string), `{"n":1}`).is(200, "null")
		b.settled()
		runs := b.runsOf(alice, g)
		require.Len(b.t, runs, 1)
		require.JSONEq(b.t, `{"out":[{"n":1}]}`, encode(b.ended(alice, g, runs[0]["id"].(string))["outputs"]))
		again := b.object(alice, "PATCH", "/api/library/presets/"+p["id"].(string), `{"inputs":{},"credentials":{}}`)
		require.Equal(b.t, hook["url"], again["webhook"].(map[string]any)["url"])
		b.call(alice, "POST", "/api/integrations/webhooks/"+hook["id"].(string)+"/ping", nil).is(200, "false")
	})
}

// What cannot start is kept, shown to administrators, and can be replayed.
func TestDeadDeliveries(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		exec := func(q string, args ...any) { require.NoError(b.t, b.platform.DB.Write.Exec(q, args...).Error) }
		exec("UPDATE presets SET credentials = '{}' WHERE id = ?", s.preset)
		b.signed(s.hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
		b.signed(s.hook, "thing.opened", "2", `{"n":2}`).is(200, "null")
		b.settled()
		dead := b.object(admin, "GET", "/api/admin/webhooks/deliveries?state=dead&limit=1", nil)
		list := dead["deliveries"].([]any)
		require.Len(b.t, list, 1)
		require.NotEmpty(b.t, list[0].(map[string]any)["last_error"])
		next := b.object(admin, "GET", "/api/admin/webhooks/deliveries?state=dead&limit=1&cursor="+dead["next_cursor"].(string), nil)
		require.NotEqual(b.t, list[0], next["deliveries"].([]any)[0])
		require.Equal(b.t, 403, b.call(alice, "GET", "/api/admin/webhooks/deliveries", nil).status)

		id := list[0].(map[string]any)["id"].(string)
		exec("UPDATE presets SET credentials = ? WHERE id = ?", encode(s.credentials()), s.preset)
		require.Equal(b.t, 404, b.call(admin, "POST", "/api/admin/webhooks/deliveries/"+uuid.NewString()+"/replay", nil).status)
		require.Equal(b.t, 202, b.call(admin, "POST", "/api/admin/webhooks/deliveries/"+id+"/replay", nil).status)
		b.settled()
		require.Len(b.t, b.runsOf(alice, s.graph), 1)
		b.call(admin, "POST", "/api/admin/webhooks/deliveries/replay", `{"webhook_id":"`+list[0].(map[string]any)["webhook_id"].(string)+`"}`).is(202, `{"replayed":1}`)
		b.settled()
		require.Len(b.t, b.runsOf(alice, s.graph), 2)
		require.Equal(b.t, 202, b.call(admin, "POST", "/api/admin/webhooks/deliveries/"+id+"/replay", nil).status, "one that is done runs again")
		b.settled()
		require.Len(b.t, b.runsOf(alice, s.graph), 3)
	})
}

// A trigger whose agent went out of the library is removed, with its webhook.
func TestOrphanedTrigger(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		require.NoError(b.t, b.platform.DB.Write.Exec("UPDATE library_agents SET is_deleted = ? WHERE graph_id = ?", true, s.graph).Error)
		b.signed(s.hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
		b.eventually("the webhook is deregistered", func() bool { return len(acmeVendor.of(s.hook.resource)) == 0 })

		gone := b.subscribe(bob, opened)
		b.ok(bob, "DELETE", "/api/graphs/"+gone.graph, nil)
		b.eventually("the webhook is deregistered", func() bool { return len(acmeVendor.of(gone.hook.resource)) == 0 })
		require.Equal(b.t, 404, b.call(bob, "GET", "/api/library/presets/"+gone.preset, nil).status)
	})
}

// A set-up that its process did not finish is cleaned up.
func TestUnlinkedWebhook(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		exec := func(q string) { require.NoError(b.t, b.platform.DB.Write.Exec(q).Error) }
		require.NoError(b.t, b.platform.Webhooks.CleanUp(t.Context()))
		require.Len(b.t, acmeVendor.of(s.hook.resource), 1)
		exec("UPDATE presets SET webhook_id = NULL")
		exec("UPDATE webhooks SET state = 'registering', updated_at = '2020-01-01 00:00:00+00:00'")
		require.NoError(b.t, b.platform.Webhooks.CleanUp(t.Context()))
		b.eventually("the webhook is deregistered", func() bool { return len(acmeVendor.of(s.hook.resource)) == 0 })
	})
}

// An agent from before there were presets has its webhook at its node.
func TestWebhookAtANode(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		id := strings.Split(s.hook.url, "/")[7]
		old := triggered()
		hook := old["nodes"].([]any)[0].(map[string]any)
		hook["webhook_id"], hook["webhook"] = id, map[string]any{"id": id}
		hook["input_default"] = map[string]any{
			"repo": s.hook.resource, "events": opened, "credentials": map[string]any{"id": s.credential, "provider": "acme", "type": "api_key"},
		}
		g := b.save(alice, old)["id"].(string)
		presets := b.object(alice, "GET", "/api/library/presets?graph_id="+g, nil)["presets"].([]any)
		require.Len(b.t, presets, 1)
		p := presets[0].(map[string]any)
		require.Equal(b.t, []any{id, true, s.hook.resource}, []any{p["webhook_id"], p["is_active"], p["inputs"].(map[string]any)["repo"]})
		require.Contains(b.t, p["credentials"], s.key)
		b.signed(s.hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
		b.settled()
		require.Len(b.t, b.runsOf(alice, g), 1)

		hook["input_default"] = map[string]any{"repo": s.hook.resource, "events": opened}
		stolen := b.save(bob, old)["id"].(string)
		require.Empty(b.t, b.object(bob, "GET", "/api/library/presets?graph_id="+stolen, nil)["presets"], "another's webhook")
	})
}

// Deliveries are not kept for ever, and one whose job was lost is taken up.
func TestDeliveryCleanUp(t *testing.T) {
	engines(t, func(b *bed) {
		s := b.subscribe(alice, opened)
		exec := func(q string) { require.NoError(b.t, b.platform.DB.Write.Exec(q).Error) }
		b.signed(s.hook, "thing.opened", "1", `{"n":1}`).is(200, "null")
		b.settled()
		exec("UPDATE webhook_deliveries SET state = 'pending', round = 1, next_at = '2020-01-01 00:00:00+00:00'")
		require.NoError(b.t, b.platform.Webhooks.CleanUp(t.Context()))
		b.settled()
		require.Len(b.t, b.runsOf(alice, s.graph), 2)
		exec("UPDATE webhook_deliveries SET done_at = '2020-01-01 00:00:00+00:00'")
		require.NoError(b.t, b.platform.Webhooks.CleanUp(t.Context()))
		require.Empty(b.t, b.object(admin, "GET", "/api/admin/webhooks/deliveries", nil)["deliveries"])
	})
}
