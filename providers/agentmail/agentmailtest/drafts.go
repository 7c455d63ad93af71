package agentmailtest

import (
	"slices"
	"time"
)

type draft struct {
	inbox            *inbox
	id               string
	fields           object
	created, updated time.Time
}

func (d *draft) wire(whole bool) object {
	o := object{"inbox_id": d.inbox.id, "draft_id": d.id, "labels": []string{"draft"}, "updated_at": wireTime(d.updated)}
	if whole {
		o["created_at"] = wireTime(d.created)
	}
	for name, value := range d.fields {
		if whole || !slices.Contains(bodyFields, name) {
			o[name] = value
		}
	}
	if d.fields["send_at"] != nil {
		o["send_status"], o["labels"] = "scheduled", []string{"draft", "scheduled"}
	}
	return o
}

func (s *Server) routeDrafts() {
	const one = "/inboxes/{inbox}/drafts/{draft}"
	s.handle("GET /drafts", listDrafts)
	s.handle("GET /pods/{pod}/drafts", inPod(func(c *call, _ *pod) reply { return listDrafts(c) }))
	s.handle("GET /inboxes/{inbox}/drafts", inInbox(func(c *call, _ *inbox) reply { return listDrafts(c) }))
	s.handle("POST /inboxes/{inbox}/drafts", inInbox(createDraft))
	s.handle("GET "+one, inDraft(func(_ *call, d *draft) reply { return ok(d.wire(true)) }))
	s.handle("PATCH "+one, inDraft(updateDraft))
	s.handle("DELETE "+one, inDraft(func(c *call, d *draft) reply {
		c.s.dropDraft(d)
		return noContent
	}))
	// A draft that was sent is gone, so the key is looked at first.
	s.handle("POST "+one+"/send", inInbox(once(sendDraft)))
}

func (s *Server) dropDraft(d *draft) {
	s.drafts = slices.DeleteFunc(s.drafts, func(x *draft) bool { return x == d })
}

func inDraft(fn func(c *call, d *draft) reply) func(c *call) reply {
	return inInbox(func(c *call, i *inbox) reply {
		for _, d := range c.s.drafts {
			if d.inbox == i && d.id == c.PathValue("draft") {
				return fn(c, d)
			}
		}
		return notFound("Draft")
	})
}

func listDrafts(c *call) reply {
	inboxes, asked := c.inboxes(), c.PathValue("inbox")
	var items []object
	for _, d := range slices.Backward(c.s.drafts) {
		item := d.wire(false)
		if slices.Contains(inboxes, d.inbox) && (asked == "" || asked == d.inbox.id) && hasAll(item["labels"].([]string), c.labels()) {
			items = append(items, item)
		}
	}
	return c.page("drafts", "draft_id", items)
}

// checkDraft refuses a time that is none, and a scheduled draft without
// recipients.
func checkDraft(fields object) (reply, bool) {
	at, given := fields["send_at"]
	if !given {
		return reply{}, true
	}
	if _, err := time.Parse(time.RFC3339, text(at)); err != nil {
		return invalid("send_at", "is not a time"), false
	}
	if len(addresses(fields["to"])) == 0 && fields["in_reply_to"] == nil {
		return invalid("to", "a scheduled draft needs recipients"), false
	}
	return reply{}, true
}

func createDraft(c *call, i *inbox) reply {
	fields := outgoing(c.body)
	if at := c.body["send_at"]; at != nil {
		fields["send_at"] = at
	}
	if refusal, fine := checkDraft(fields); !fine {
		return refusal
	}
	d := &draft{inbox: i, id: c.s.nextID(), fields: fields, created: time.Now(), updated: time.Now()}
	c.s.drafts = append(c.s.drafts, d)
	return ok(d.wire(true))
}

// updateDraft changes what is given; null clears.
func updateDraft(c *call, d *draft) reply {
	fields := object{}
	for name, value := range d.fields {
		fields[name] = value
	}
	for _, name := range []string{"to", "cc", "bcc", "subject", "text", "html", "send_at"} {
		if value, given := c.body[name]; given && value == nil {
			delete(fields, name)
		} else if given {
			fields[name] = value
		}
	}
	if refusal, fine := checkDraft(fields); !fine {
		return refusal
	}
	d.fields, d.updated = fields, time.Now()
	return ok(d.wire(true))
}

func sendDraft(c *call, i *inbox) reply {
	for _, d := range c.s.drafts {
		if d.inbox != i || d.id != c.PathValue("draft") {
			continue
		}
		answer := c.s.send(i, outgoing(d.fields), nil, "")
		if answer.status < 300 {
			c.s.dropDraft(d)
		}
		return answer
	}
	return notFound("Draft")
}
