package agentmailtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Server) routeLists() {
	s.handle("GET /lists/{direction}/{type}", inList(listEntries))
	s.handle("POST /lists/{direction}/{type}", inList(createEntry))
	s.handle("GET /lists/{direction}/{type}/{entry}", inList(getEntry))
	s.handle("DELETE /lists/{direction}/{type}/{entry}", inList(deleteEntry))
}

// inList checks the name of the list.
func inList(fn func(c *call) reply) func(c *call) reply {
	return func(c *call) reply {
		if !slices.Contains([]string{"send", "receive", "reply"}, c.PathValue("direction")) {
			return invalid("direction", "is none of send, receive and reply")
		}
		if !slices.Contains([]string{"allow", "block"}, c.PathValue("type")) {
			return invalid("type", "is none of allow and block")
		}
		return fn(c)
	}
}

// find gives the place of an entry on a list, or -1.
func (c *call) find(listType, entry string) int {
	return slices.IndexFunc(c.s.entries, func(o object) bool {
		return o["pod_id"] == c.home() && o["direction"] == c.PathValue("direction") && o["list_type"] == listType && o["entry"] == entry
	})
}

func createEntry(c *call) reply {
	entry, listType := strings.ToLower(c.text("entry")), c.PathValue("type")
	other := map[string]string{"allow": "block", "block": "allow"}[listType]
	switch {
	case entry == "":
		return invalid("entry", "is required")
	case c.find(other, entry) >= 0:
		return failure(http.StatusConflict, "conflict", "The entry is on the opposite list")
	}
	if at := c.find(listType, entry); at >= 0 {
		return ok(c.s.entries[at])
	}
	o := object{
		"entry": entry, "organization_id": OrganizationID, "pod_id": c.home(), "direction": c.PathValue("direction"),
		"list_type": listType, "entry_type": "domain", "created_at": wireTime(time.Now()),
	}
	if strings.Contains(entry, "@") {
		o["entry_type"] = "email"
	}
	if reason := c.text("reason"); reason != "" {
		o["reason"] = reason
	}
	c.s.entries = append(c.s.entries, o)
	return ok(o)
}

func listEntries(c *call) reply {
	var items []object
	for _, o := range c.s.entries {
		if o["pod_id"] == c.home() && o["direction"] == c.PathValue("direction") && o["list_type"] == c.PathValue("type") {
			items = append(items, o)
		}
	}
	return c.page("entries", "entry", items)
}

func getEntry(c *call) reply {
	if at := c.find(c.PathValue("type"), strings.ToLower(c.PathValue("entry"))); at >= 0 {
		return ok(c.s.entries[at])
	}
	return notFound("List entry")
}

func deleteEntry(c *call) reply {
	at := c.find(c.PathValue("type"), strings.ToLower(c.PathValue("entry")))
	if at < 0 {
		return notFound("List entry")
	}
	c.s.entries = slices.Delete(c.s.entries, at, at+1)
	return noContent
}
