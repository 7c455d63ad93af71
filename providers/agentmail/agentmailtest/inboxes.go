package agentmailtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type inbox struct {
	id, pod, displayName, clientID string
	created, updated               time.Time
}

func (i *inbox) wire() object {
	o := object{
		"pod_id": i.pod, "inbox_id": i.id, "email": i.id, "organization_id": OrganizationID,
		"created_at": wireTime(i.created), "updated_at": wireTime(i.updated),
	}
	if i.displayName != "" {
		o["display_name"] = i.displayName
	}
	if i.clientID != "" {
		o["client_id"] = i.clientID
	}
	return o
}

func (s *Server) routeInboxes() {
	s.handle("POST /inboxes", createInbox)
	s.handle("GET /inboxes", listInboxes)
	for _, prefix := range []string{"", "/pods/{pod}"} {
		s.handle("GET "+prefix+"/inboxes/{inbox}", inInbox(func(_ *call, i *inbox) reply { return ok(i.wire()) }))
		s.handle("PATCH "+prefix+"/inboxes/{inbox}", inInbox(updateInbox))
		s.handle("DELETE "+prefix+"/inboxes/{inbox}", inInbox(deleteInbox))
	}
	s.handle("POST /pods/{pod}/inboxes", inPod(func(c *call, _ *pod) reply { return createInbox(c) }))
	s.handle("GET /pods/{pod}/inboxes", inPod(func(c *call, _ *pod) reply { return listInboxes(c) }))
}

// inInbox finds the inbox of the path.
func inInbox(fn func(c *call, i *inbox) reply) func(c *call) reply {
	return func(c *call) reply {
		for _, i := range c.inboxes() {
			if i.id == c.PathValue("inbox") {
				return fn(c, i)
			}
		}
		return notFound("Inbox")
	}
}

// inboxes gives those that the key and the pod of the path leave.
func (c *call) inboxes() []*inbox {
	var out []*inbox
	for _, i := range c.s.inboxes {
		asked := c.PathValue("pod")
		if (c.key.pod == "" || c.key.pod == i.pod) && (asked == "" || asked == i.pod) {
			out = append(out, i)
		}
	}
	return out
}

// home is the pod that a new inbox goes to.
func (c *call) home() string {
	switch {
	case c.PathValue("pod") != "":
		return c.PathValue("pod")
	case c.key.pod != "":
		return c.key.pod
	}
	return OrganizationID
}

func validName(name string) bool {
	return len(name) <= 256 && !strings.ContainsAny(name, `()<>@,;:\"[]`)
}

func createInbox(c *call) reply {
	clientID, given := c.body["client_id"].(string)
	if given && !validClientID(clientID) {
		return invalid("client_id", "has characters that are not allowed, or is too long")
	}
	for _, i := range c.s.inboxes {
		if given && i.clientID == clientID && i.pod == c.home() {
			return ok(i.wire())
		}
	}
	user, domain, name := c.text("username"), c.text("domain"), c.text("display_name")
	if !validName(name) {
		return invalid("display_name", "has characters that are not allowed, or is too long")
	}
	if user == "" {
		c.s.lastID++
		user = fmt.Sprintf("agent%d", c.s.lastID)
	}
	if domain == "" {
		domain = "agentmail.to"
	}
	if domain != "agentmail.to" {
		return failure(http.StatusForbidden, "domain_not_verified", "Domain is not verified")
	}
	id := user + "@" + domain
	if slices.ContainsFunc(c.s.inboxes, func(i *inbox) bool { return i.id == id }) {
		refusal := failure(http.StatusForbidden, "resource_taken", "Inbox is taken")
		refusal.body.(object)["suggestions"] = []string{user + "1@" + domain}
		return refusal
	}
	i := &inbox{id: id, pod: c.home(), displayName: name, clientID: clientID, created: time.Now(), updated: time.Now()}
	c.s.inboxes = append(c.s.inboxes, i)
	return ok(i.wire())
}

func listInboxes(c *call) reply {
	var items []object
	for _, i := range c.inboxes() {
		items = append(items, i.wire())
	}
	return c.page("inboxes", "inbox_id", items)
}

func updateInbox(c *call, i *inbox) reply {
	name, given := c.body["display_name"].(string)
	if given && !validName(name) {
		return invalid("display_name", "has characters that are not allowed, or is too long")
	}
	if given {
		i.displayName, i.updated = name, time.Now()
	}
	return ok(i.wire())
}

func deleteInbox(c *call, i *inbox) reply {
	s := c.s
	s.inboxes = slices.DeleteFunc(s.inboxes, func(x *inbox) bool { return x == i })
	s.messages = slices.DeleteFunc(s.messages, func(m *message) bool { return m.inbox == i })
	s.drafts = slices.DeleteFunc(s.drafts, func(d *draft) bool { return d.inbox == i })
	return noContent
}
