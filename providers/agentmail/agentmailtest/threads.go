package agentmailtest

import "slices"

func (s *Server) routeThreads() {
	s.handle("GET /threads", listThreads)
	s.handle("GET /threads/{thread}", inThread(getThread))
	s.handle("GET /pods/{pod}/threads", inPod(func(c *call, _ *pod) reply { return listThreads(c) }))
	s.handle("GET /inboxes/{inbox}/threads", inInbox(func(c *call, _ *inbox) reply { return listThreads(c) }))
	s.handle("GET /inboxes/{inbox}/threads/{thread}", inThread(getThread))
	s.handle("DELETE /inboxes/{inbox}/threads/{thread}", inThread(deleteThread))
	s.handle("GET /inboxes/{inbox}/threads/{thread}/attachments/{attachment}", inThread(threadAttachment))
}

// visible gives the messages that the key and the path leave, oldest first.
func (c *call) visible() []*message {
	inboxes, asked := c.inboxes(), c.PathValue("inbox")
	var out []*message
	for _, m := range c.s.messages {
		if slices.Contains(inboxes, m.inbox) && (asked == "" || asked == m.inbox.id) {
			out = append(out, m)
		}
	}
	return out
}

// inThread finds the messages of the thread of the path.
func inThread(fn func(c *call, messages []*message) reply) func(c *call) reply {
	return func(c *call) reply {
		var messages []*message
		for _, m := range c.visible() {
			if m.thread == c.PathValue("thread") {
				messages = append(messages, m)
			}
		}
		if len(messages) == 0 {
			return notFound("Thread")
		}
		return fn(c, messages)
	}
}

// threadItem sums messages up.
func threadItem(messages []*message) object {
	first, last := messages[0], messages[len(messages)-1]
	var labels, senders, recipients []string
	for _, m := range messages {
		labels = append(labels, m.labels...)
		senders = append(senders, text(m.fields["from"]))
		recipients = append(recipients, addresses(m.fields["to"])...)
	}
	o := object{
		"inbox_id": first.inbox.id, "thread_id": first.thread, "labels": distinct(labels), "senders": distinct(senders),
		"recipients": distinct(recipients), "last_message_id": last.id, "message_count": len(messages), "size": 1024 * len(messages),
		"timestamp": wireTime(last.at), "created_at": wireTime(first.at), "updated_at": wireTime(last.at),
	}
	if subject, ok := first.fields["subject"]; ok {
		o["subject"] = subject
	}
	return o
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func listThreads(c *call) reply {
	threads := map[string][]*message{}
	var order []string
	for _, m := range c.visible() {
		if threads[m.thread] == nil {
			order = append(order, m.thread)
		}
		threads[m.thread] = append(threads[m.thread], m)
	}
	var items []object
	for _, id := range slices.Backward(order) {
		if item := threadItem(threads[id]); hasAll(item["labels"].([]string), c.labels()) {
			items = append(items, item)
		}
	}
	return c.page("threads", "thread_id", items)
}

func getThread(_ *call, messages []*message) reply {
	o := threadItem(messages)
	list := []object{}
	for _, m := range messages {
		list = append(list, m.wire(true))
	}
	o["messages"] = list
	return ok(o)
}

func deleteThread(c *call, messages []*message) reply {
	c.s.messages = slices.DeleteFunc(c.s.messages, func(m *message) bool { return slices.Contains(messages, m) })
	return noContent
}
