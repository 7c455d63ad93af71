package server_test

import (
	"context"
	"strings"

	"agentserver/core"
)

// Ids of the blocks that tests use.
const (
	inputID    = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
	outputID   = "363ae599-353e-4804-937e-b2ee3cef3da4"
	storeID    = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
	noteID     = "cc10ff7b-7753-4ff2-9af6-9399b1a7eddc"
	agentID    = "e189baac-8c20-45a1-94a7-55177ea42565"
	crashID    = "acme0000-0000-4000-8000-00000000000a"
	disabledID = "acme0000-0000-4000-8000-00000000000b"
	holdID     = "acme0000-0000-4000-8000-00000000000c"
	sendID     = "acme0000-0000-4000-8000-00000000000d"
	hookID     = "acme0000-0000-4000-8000-00000000000e"
	triggerID  = "acme0000-0000-4000-8000-00000000000f"
)

// acmeCredential is the id of the operator's credential of the test provider.
const acmeCredential = "acme0000-0000-4000-8000-0000000000ff"

type nothing struct{}

type echoed struct {
	Result core.Pin[any] `json:"result" doc:"What came in"`
}

// acme is a provider with a block for each thing that can go wrong.
func acme() *core.Provider {
	key := core.APIKey{
		CredentialBase: core.CredentialBase{ID: acmeCredential, Provider: "acme", Title: "Acme of the operator"}, Key: "acme-secret-key",
	}
	spec := func(id, name string) core.BlockSpec {
		return core.BlockSpec{ID: id, Name: name, Description: "Serves a test."}
	}
	disabled := spec(disabledID, "AcmeDisabledBlock")
	disabled.Disabled = "Acme has closed"
	hook := spec(hookID, "AcmeHookBlock")
	hook.Webhook = &core.WebhookConfig{Provider: "acme", Type: "plain", Manual: true}
	type sendInput struct {
		Credentials core.APIKey `json:"credentials" doc:"Account"`
		Text        string      `json:"text" doc:"What is sent"`
	}
	type hookInput struct {
		Payload map[string]any `json:"payload" factory:"{}" hidden:"true" doc:"The event"`
	}
	return &core.Provider{
		Name: "acme", Title: "Acme", Auth: []core.AuthMethod{core.APIKeyAuth{}}, Webhooks: acmeHooks{},
		System: []core.SystemCredential{{ID: acmeCredential, Title: "Acme of the operator", Load: func() core.Credential { return key }}},
		Blocks: []core.Block{
			core.NewBlock(spec(crashID, "AcmeCrashBlock"), func(context.Context, *core.Run, *nothing, *echoed) error {
				panic("acme fell over")
			}),
			core.NewBlock(disabled, func(context.Context, *core.Run, *nothing, *echoed) error { return nil }),
			core.NewBlock(spec(holdID, "AcmeHoldBlock"), func(ctx context.Context, _ *core.Run, _ *nothing, _ *echoed) error {
				<-ctx.Done()
				return ctx.Err()
			}),
			core.NewBlock(spec(sendID, "AcmeSendBlock"), func(_ context.Context, _ *core.Run, in *sendInput, out *echoed) error {
				out.Result.Emit(in.Text + " by " + in.Credentials.Title)
				return nil
			}),
			acmeTrigger(),
			core.NewBlock(hook, func(_ context.Context, _ *core.Run, in *hookInput, out *echoed) error {
				out.Result.Emit(in.Payload)
				return nil
			}),
		},
	}
}

// node is a node of an agent; defaults are name, value, name, value.
func node(id, block string, defaults ...any) map[string]any {
	values := map[string]any{}
	for i := 0; i+1 < len(defaults); i += 2 {
		values[defaults[i].(string)] = defaults[i+1]
	}
	return map[string]any{"id": id, "block_id": block, "input_default": values, "metadata": map[string]any{}}
}

// link joins a pin of a node to a pin of another one: "a.result", "b.value".
func link(source, sink string) map[string]any {
	from, to := split(source), split(sink)
	return map[string]any{"source_id": from[0], "source_name": from[1], "sink_id": to[0], "sink_name": to[1]}
}

// agent is an agent as clients send it. Parts are nodes and links.
func agent(name string, parts ...map[string]any) map[string]any {
	nodes, links := []any{}, []any{}
	for _, p := range parts {
		if _, isNode := p["block_id"]; isNode {
			nodes = append(nodes, p)
		} else {
			links = append(links, p)
		}
	}
	return map[string]any{"name": name, "description": "about " + name, "nodes": nodes, "links": links}
}

// with gives an agent with some members changed.
func with(a map[string]any, changes ...any) map[string]any {
	c := map[string]any{}
	for k, v := range a {
		c[k] = v
	}
	for i := 0; i+1 < len(changes); i += 2 {
		c[changes[i].(string)] = changes[i+1]
	}
	return c
}

// echoAgent gives back what its input "in" gets as its output "out".
func echoAgent(name string) map[string]any {
	return agent(name,
		node("in", inputID, "name", "in"), node("out", outputID, "name", "out"), link("in.result", "out.value"))
}

// save stores an agent of a user and gives its answer.
func (b *bed) save(who string, a map[string]any) map[string]any {
	b.t.Helper()
	return b.object(who, "POST", "/api/graphs", map[string]any{"graph": a})
}

// run starts an agent and gives the run once it has ended.
func (b *bed) run(who, graphID string, inputs map[string]any) map[string]any {
	b.t.Helper()
	started := b.object(who, "POST", "/api/graphs/"+graphID+"/execute/1", map[string]any{"inputs": inputs})
	return b.ended(who, graphID, started["id"].(string))
}

// ended waits for the end of a run and gives it.
func (b *bed) ended(who, graphID, runID string) map[string]any {
	b.t.Helper()
	var last map[string]any
	b.eventually("the run ends", func() bool {
		last = b.object(who, "GET", "/api/graphs/"+graphID+"/executions/"+runID, nil)
		switch last["status"] {
		case "COMPLETED", "FAILED", "TERMINATED":
			return true
		}
		return false
	})
	return last
}

func split(pin string) [2]string {
	id, name, _ := strings.Cut(pin, ".")
	return [2]string{id, name}
}
