package agentmailtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// message is a mail in one inbox. Its wire members are ready to send.
type message struct {
	inbox  *inbox
	id     string
	thread string
	labels []string
	at     time.Time
	fields object // to, from, subject and the like
}

// bodyFields are members that lists leave out.
var bodyFields = []string{"text", "html", "extracted_text", "extracted_html", "reply_to"}

func (m *message) wire(whole bool) object {
	o := object{
		"inbox_id": m.inbox.id, "thread_id": m.thread, "message_id": m.id, "labels": m.labels,
		"timestamp": wireTime(m.at), "created_at": wireTime(m.at), "updated_at": wireTime(m.at), "size": 1024,
	}
	for name, value := range m.fields {
		if whole || !slices.Contains(bodyFields, name) {
			o[name] = value
		}
	}
	return o
}

// systemLabels may not be set by callers.
var systemLabels = []string{
	"received", "sent", "bounced", "complained", "delayed", "delivered", "rejected", "opened", "scheduled",
}

func (s *Server) routeMessages() {
	const one = "/inboxes/{inbox}/messages/{message}"
	s.handle("GET /inboxes/{inbox}/messages", inInbox(listMessages))
	s.handle("POST /inboxes/{inbox}/messages/send", inInbox(once(sendMessage)))
	s.handle("GET "+one, inMessage(func(_ *call, m *message) reply { return ok(m.wire(true)) }))
	s.handle("PATCH "+one, inMessage(updateMessage))
	s.handle("POST "+one+"/reply", inMessage(replyToMessage))
	s.handle("POST "+one+"/forward", inMessage(forwardMessage))
	s.handle("GET "+one+"/attachments/{attachment}", inMessage(messageAttachment))
}

func inMessage(fn func(c *call, m *message) reply) func(c *call) reply {
	return inInbox(func(c *call, i *inbox) reply {
		for _, m := range c.s.messages {
			if m.inbox == i && m.id == c.PathValue("message") {
				return fn(c, m)
			}
		}
		return notFound("Message")
	})
}

func listMessages(c *call, i *inbox) reply {
	var items []object
	for _, m := range slices.Backward(c.s.messages) { // newest first
		if m.inbox == i && hasAll(m.labels, c.labels()) {
			items = append(items, m.wire(false))
		}
	}
	return c.page("messages", "message_id", items)
}

func sendMessage(c *call, i *inbox) reply {
	return c.s.send(i, outgoing(c.body), c.texts("labels"), "")
}

func replyToMessage(c *call, m *message) reply {
	return once(func(c *call, i *inbox) reply {
		o := outgoing(c.body)
		o["to"], o["in_reply_to"] = []string{address(m.fields["from"])}, m.id
		if _, ok := o["subject"]; !ok {
			o["subject"] = "Re: " + text(m.fields["subject"])
		}
		return c.s.send(i, o, c.texts("labels"), m.thread)
	})(c, m.inbox)
}

func forwardMessage(c *call, m *message) reply {
	return once(func(c *call, i *inbox) reply {
		o := outgoing(c.body)
		if _, ok := o["subject"]; !ok {
			o["subject"] = "Fwd: " + text(m.fields["subject"])
		}
		return c.s.send(i, o, c.texts("labels"), "")
	})(c, m.inbox)
}

// updateMessage answers with less than the message, as the vendor does.
func updateMessage(c *call, m *message) reply {
	for _, name := range []string{"add_labels", "remove_labels"} {
		for _, l := range c.texts(name) {
			if slices.Contains(systemLabels, l) {
				return invalid(name, "holds a system label")
			}
		}
	}
	remove := c.texts("remove_labels")
	m.labels = slices.DeleteFunc(slices.Clone(m.labels), func(l string) bool { return slices.Contains(remove, l) })
	for _, l := range c.texts("add_labels") {
		if !slices.Contains(m.labels, l) {
			m.labels = append(m.labels, l)
		}
	}
	return ok(object{"message_id": m.id, "labels": m.labels})
}

// outgoing takes the members of a mail out of a body.
func outgoing(body object) object {
	o := object{}
	for _, name := range []string{"to", "cc", "bcc", "subject", "text", "html", "in_reply_to"} {
		if v, ok := body[name]; ok && v != nil {
			o[name] = v
		}
	}
	return o
}

// send puts a mail into its sender's inbox and into those of its recipients
// that are here.
func (s *Server) send(from *inbox, fields object, labels []string, thread string) reply {
	var recipients []string
	for _, name := range []string{"to", "cc", "bcc"} {
		recipients = append(recipients, addresses(fields[name])...)
	}
	switch {
	case len(recipients) == 0:
		return invalid("to", "at least one recipient is needed")
	case len(recipients) > 50:
		return invalid("to", "at most 50 recipients are allowed")
	}
	for _, l := range labels {
		if slices.Contains(systemLabels, l) {
			return invalid("labels", "holds a system label")
		}
	}
	if thread == "" {
		thread = s.nextID()
	}
	s.lastID++
	id := fmt.Sprintf("<%d@email.amazonses.com>", s.lastID)
	fields["from"] = from.id
	if from.displayName != "" {
		fields["from"] = from.displayName + " <" + from.id + ">"
	}
	s.messages = append(s.messages, &message{
		inbox: from, id: id, thread: thread, labels: append([]string{"sent"}, labels...), at: time.Now(), fields: fields,
	})
	s.sent++
	for _, i := range s.inboxes {
		if slices.Contains(recipients, i.id) && i != from {
			copied := object{"extracted_text": text(fields["text"])}
			for name, value := range fields {
				if name != "bcc" {
					copied[name] = value
				}
			}
			s.deliver(i, id, copied)
		}
	}
	return ok(object{"message_id": id, "thread_id": thread})
}

// deliver puts a mail into an inbox, into the thread that it answers.
func (s *Server) deliver(to *inbox, id string, fields object) {
	thread := ""
	for _, m := range s.messages {
		if m.inbox == to && m.id == fields["in_reply_to"] {
			thread = m.thread
		}
	}
	if thread == "" {
		thread = s.nextID()
	}
	s.messages = append(s.messages, &message{
		inbox: to, id: id, thread: thread, labels: []string{"received", "unread"}, at: time.Now(), fields: fields,
	})
}

// addresses reads a list of recipients, or one.
func addresses(v any) []string {
	var out []string
	switch v := v.(type) {
	case string:
		out = append(out, address(v))
	case []string:
		for _, x := range v {
			out = append(out, address(x))
		}
	case []any:
		for _, x := range v {
			out = append(out, address(x))
		}
	}
	return out
}

// address takes the address out of "Name <address>".
func address(v any) string {
	t := text(v)
	if _, after, ok := strings.Cut(t, "<"); ok {
		t, _, _ = strings.Cut(after, ">")
	}
	return t
}

func text(v any) string {
	t, _ := v.(string)
	return t
}

// send remembers a request with an idempotency key and its answer.
type send struct {
	request string
	answer  reply
}

// once gives a request that comes again with the same idempotency key its first
// answer, and refuses another request with that key.
func once(fn func(c *call, i *inbox) reply) func(c *call, i *inbox) reply {
	return func(c *call, i *inbox) reply {
		values, given := c.Header["Idempotency-Key"]
		if !given {
			return fn(c, i)
		}
		if !validClientID(values[0]) {
			return invalid("Idempotency-Key", "is not valid")
		}
		request := fmt.Sprint(c.URL.EscapedPath(), c.body)
		if before := c.s.sends[values[0]]; before != nil {
			if before.request != request {
				return failure(http.StatusConflict, "conflict", "The idempotency key was used for another request")
			}
			return before.answer
		}
		answer := fn(c, i)
		if answer.status == http.StatusOK {
			c.s.sends[values[0]] = &send{request: request, answer: answer}
		}
		return answer
	}
}
