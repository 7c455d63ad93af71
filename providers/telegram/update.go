package telegram

import "agentserver/core"

// kinds are what a message may hold, in the order in which they name it.
var kinds = []string{"text", "photo", "voice", "audio", "document", "video"}

// kindOfMessage gives the first of kinds that a message holds, or "other".
func kindOfMessage(message map[string]any) string {
	for _, kind := range kinds {
		if message[kind] != nil {
			return kind
		}
	}
	return "other"
}

// eventOf gives the event that an update is.
func eventOf(update map[string]any) string {
	switch {
	case update["message"] != nil:
		return "message." + kindOfMessage(member(update, "message"))
	case update["edited_message"] != nil:
		return editedEvent
	case update[reactionEvent] != nil:
		return reactionEvent
	}
	return "unknown"
}

const (
	editedEvent   = "message.edited_message"
	reactionEvent = "message_reaction"
)

// member gives an object of an object, an empty one when there is none.
func member(o map[string]any, name string) map[string]any {
	m, _ := o[name].(map[string]any)
	return m
}

// text gives a text of an object, or "".
func text(o map[string]any, name string) string {
	t, _ := o[name].(string)
	return t
}

// number gives a whole number of an object, or 0.
func number(o map[string]any, name string) int {
	f, _ := core.Number(o[name])
	return int(f)
}

// list gives a list of an object, an empty one when there is none.
func list(o map[string]any, name string) []any {
	l, ok := o[name].([]any)
	if !ok {
		return []any{}
	}
	return l
}
