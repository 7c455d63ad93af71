package agentmail

import (
	"time"
)

// shape is the form in which blocks give out one kind of object. Saved agents
// pick members out of it: every member that is listed is there, null when the
// vendor leaves it out, and times are written as 2026-08-25T09:00:00+00:00.
// Other members stay as they come.
type shape struct {
	// members are always there.
	members []string
	// parts are members that are objects of another kind, or lists of them.
	parts map[string]*shape
	// sender adds from_, a second name of from.
	sender bool
}

var (
	podShape  = &shape{members: []string{"pod_id", "name", "updated_at", "created_at", "client_id"}}
	sentShape = &shape{members: []string{"message_id", "thread_id"}}

	inboxShape = &shape{members: []string{
		"pod_id", "inbox_id", "display_name", "client_id", "updated_at", "created_at",
	}}

	entryShape = &shape{members: []string{
		"entry", "organization_id", "reason", "direction", "list_type", "entry_type", "created_at",
	}}

	attachmentShape = &shape{members: []string{
		"attachment_id", "filename", "size", "content_type", "content_disposition", "content_id",
	}}

	messageItemShape = &shape{
		members: []string{
			"inbox_id", "thread_id", "message_id", "labels", "timestamp", "from", "to", "cc", "bcc", "subject", "preview",
			"attachments", "in_reply_to", "references", "headers", "size", "updated_at", "created_at",
		},
		parts:  map[string]*shape{"attachments": attachmentShape},
		sender: true,
	}
	messageShape = messageItemShape.with(nil, "reply_to", "text", "html", "extracted_text", "extracted_html")

	threadItemShape = &shape{
		members: []string{
			"inbox_id", "thread_id", "labels", "timestamp", "received_timestamp", "sent_timestamp", "senders", "recipients",
			"subject", "preview", "attachments", "last_message_id", "message_count", "size", "updated_at", "created_at",
		},
		parts: map[string]*shape{"attachments": attachmentShape},
	}
	threadShape = threadItemShape.with(map[string]*shape{"messages": messageShape}, "messages")

	draftItemShape = &shape{
		members: []string{
			"inbox_id", "draft_id", "labels", "to", "cc", "bcc", "subject", "preview", "attachments", "in_reply_to",
			"send_status", "send_at", "updated_at",
		},
		parts: map[string]*shape{"attachments": attachmentShape},
	}
	draftShape = draftItemShape.with(nil, "client_id", "reply_to", "text", "html", "references", "created_at")
)

// with gives the shape of an item read on its own, which has more members.
func (s *shape) with(parts map[string]*shape, members ...string) *shape {
	more := &shape{members: append(s.members[:len(s.members):len(s.members)], members...), parts: map[string]*shape{}, sender: s.sender}
	for _, from := range []map[string]*shape{s.parts, parts} {
		for name, part := range from {
			more.parts[name] = part
		}
	}
	return more
}

// times are the members that hold a time, in any object.
var times = map[string]bool{
	"created_at": true, "updated_at": true, "timestamp": true, "received_timestamp": true, "sent_timestamp": true,
	"send_at": true,
}

// of gives an object in this form.
func (s *shape) of(o object) object {
	out := make(object, len(o)+len(s.members))
	for _, name := range s.members {
		out[name] = nil
	}
	for name, value := range o {
		part := s.parts[name]
		switch {
		case part != nil:
			value = part.apply(value)
		case times[name]:
			value = timeText(value)
		}
		out[name] = value
	}
	if s.sender {
		out["from_"] = out["from"]
	}
	return out
}

// all gives the objects of a list in this form.
func (s *shape) all(list []object) []object {
	out := make([]object, len(list))
	for i, o := range list {
		out[i] = s.of(o)
	}
	return out
}

// apply gives a member in this form: an object, a list of them or null.
func (s *shape) apply(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return s.of(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = s.apply(x)
		}
		return out
	}
	return value
}

// timeText writes a time as saved agents know it: with a numeric offset, and
// with six digits of fraction or none.
func timeText(value any) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return value
	}
	if t = t.Truncate(time.Microsecond); t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05-07:00")
	}
	return t.Format("2006-01-02T15:04:05.000000-07:00")
}
