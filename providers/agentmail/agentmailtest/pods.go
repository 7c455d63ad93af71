package agentmailtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type pod struct {
	id, name, clientID string
	created            time.Time
}

func (p *pod) wire() object {
	o := object{
		"pod_id": p.id, "name": p.name, "organization_id": OrganizationID,
		"created_at": wireTime(p.created), "updated_at": wireTime(p.created),
	}
	if p.clientID != "" {
		o["client_id"] = p.clientID
	}
	return o
}

// key opens the organisation, or one pod.
type key struct {
	id, secret, name string
	pod              string // "" for the organisation
	created          time.Time
}

func (k *key) prefix() string { return k.secret[:min(len(k.secret), 6)] }

func (k *key) wire() object {
	o := object{"api_key_id": k.id, "name": k.name, "prefix": k.prefix(), "created_at": wireTime(k.created)}
	if k.pod != "" {
		o["pod_id"] = k.pod
	}
	return o
}

// part is a domain or webhook of a pod; both only hinder its deletion here.
type part struct{ kind, id, pod string }

// AddPart gives a pod a domain or a webhook: kind is "domain" or "webhook".
func (s *Server) AddPart(podID, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, &part{kind: kind, id: s.nextID(), pod: podID})
}

func (s *Server) routePods() {
	s.handle("GET /auth/me", whoAmI)
	s.handle("POST /pods", createPod)
	s.handle("GET /pods", listPods)
	s.handle("GET /pods/{pod}", inPod(func(_ *call, p *pod) reply { return ok(p.wire()) }))
	s.handle("DELETE /pods/{pod}", inPod(deletePod))
	s.handle("POST /pods/{pod}/api-keys", inPod(createKey))
	s.handle("GET /pods/{pod}/api-keys", inPod(listKeys))
	s.handle("DELETE /pods/{pod}/api-keys/{key}", inPod(deleteKey))
	for _, kind := range []string{"domain", "webhook"} {
		s.handle("GET /pods/{pod}/"+kind+"s", inPod(listParts(kind)))
		s.handle("DELETE /pods/{pod}/"+kind+"s/{part}", inPod(deletePart(kind)))
	}
}

// inPod finds the pod of the path. Pods outside the key's scope are not there.
func inPod(fn func(c *call, p *pod) reply) func(c *call) reply {
	return func(c *call) reply {
		p := c.pod(c.PathValue("pod"))
		if p == nil {
			return notFound("Pod")
		}
		return fn(c, p)
	}
}

func (c *call) pod(id string) *pod {
	for _, p := range c.s.pods {
		if p.id == id && (c.key.pod == "" || c.key.pod == id) {
			return p
		}
	}
	return nil
}

// organizationOnly refuses keys of a pod.
func (c *call) organizationOnly() (reply, bool) {
	if c.key.pod == "" {
		return reply{}, true
	}
	return failure(http.StatusForbidden, "missing_permission", "The key lacks a permission"), false
}

func whoAmI(c *call) reply {
	o := object{"organization_id": OrganizationID, "api_key_id": c.key.id, "scope_type": "organization", "scope_id": OrganizationID}
	if c.key.pod != "" {
		o["scope_type"], o["scope_id"], o["pod_id"] = "pod", c.key.pod, c.key.pod
	}
	return ok(o)
}

func createPod(c *call) reply {
	if refusal, may := c.organizationOnly(); !may {
		return refusal
	}
	id, given := c.body["client_id"].(string)
	if given && !validClientID(id) {
		return invalid("client_id", "has characters that are not allowed, or is too long")
	}
	for _, p := range c.s.pods {
		if given && p.clientID == id {
			return ok(p.wire())
		}
	}
	p := &pod{id: c.s.nextID(), name: c.text("name"), clientID: id, created: time.Now()}
	if p.name == "" {
		p.name = "My Pod"
	}
	c.s.pods = append(c.s.pods, p)
	return ok(p.wire())
}

func listPods(c *call) reply {
	if refusal, may := c.organizationOnly(); !may {
		return refusal
	}
	var items []object
	for _, p := range c.s.pods {
		items = append(items, p.wire())
	}
	return c.page("pods", "pod_id", items)
}

func deletePod(c *call, p *pod) reply {
	if refusal, may := c.organizationOnly(); !may {
		return refusal
	}
	s := c.s
	busy := p.id == OrganizationID ||
		slices.ContainsFunc(s.inboxes, func(i *inbox) bool { return i.pod == p.id }) ||
		slices.ContainsFunc(s.keys, func(k *key) bool { return k.pod == p.id }) ||
		slices.ContainsFunc(s.parts, func(x *part) bool { return x.pod == p.id })
	if busy {
		return failure(http.StatusConflict, "cannot_delete", "Pod has resources and cannot be deleted")
	}
	s.pods = slices.DeleteFunc(s.pods, func(x *pod) bool { return x == p })
	return noContent
}

func createKey(c *call, p *pod) reply {
	id := c.s.nextID()
	k := &key{
		id: id, name: c.text("name"), pod: p.id, created: time.Now(),
		secret: fmt.Sprintf("am_us_pod_%s", strings.ReplaceAll(id, "-", "")),
	}
	c.s.keys = append(c.s.keys, k)
	o := k.wire()
	o["api_key"] = k.secret
	return ok(o)
}

func listKeys(c *call, p *pod) reply {
	var items []object
	for _, k := range c.s.keys {
		if k.pod == p.id {
			items = append(items, k.wire())
		}
	}
	slices.Reverse(items) // newest first
	return c.page("api_keys", "api_key_id", items)
}

func deleteKey(c *call, p *pod) reply {
	n := len(c.s.keys)
	c.s.keys = slices.DeleteFunc(c.s.keys, func(k *key) bool { return k.pod == p.id && k.id == c.PathValue("key") })
	if len(c.s.keys) == n {
		return notFound("API key")
	}
	return noContent
}

func listParts(kind string) func(*call, *pod) reply {
	return func(c *call, p *pod) reply {
		var items []object
		for _, x := range c.s.parts {
			if x.pod == p.id && x.kind == kind {
				items = append(items, object{kind + "_id": x.id, "pod_id": p.id})
			}
		}
		return c.page(kind+"s", kind+"_id", items)
	}
}

func deletePart(kind string) func(*call, *pod) reply {
	return func(c *call, p *pod) reply {
		n := len(c.s.parts)
		c.s.parts = slices.DeleteFunc(c.s.parts, func(x *part) bool {
			return x.pod == p.id && x.kind == kind && x.id == c.PathValue("part")
		})
		if len(c.s.parts) == n {
			return notFound("Resource")
		}
		return noContent
	}
}
