package telegram

import (
	"context"

	"agentserver/core"
)

// EventsFilter says which messages start an agent.
type EventsFilter struct {
	Text     bool `json:"text" default:"true" doc:"Messages of text"`
	Photo    bool `json:"photo" default:"false" doc:"Pictures"`
	Voice    bool `json:"voice" default:"false" doc:"Voice messages"`
	Audio    bool `json:"audio" default:"false" doc:"Music"`
	Document bool `json:"document" default:"false" doc:"Files"`
	Video    bool `json:"video" default:"false" doc:"Videos"`
	Edited   bool `json:"edited_message" default:"false" doc:"Changes to earlier messages"`
}

// triggered is the input that every trigger has.
type triggered struct {
	access
	Payload map[string]any `json:"payload" factory:"{}" advanced:"true" hidden:"true" doc:"The update that Telegram sent"`
}

type messageTriggerInput struct {
	triggered
	Events EventsFilter `json:"events" doc:"Which messages start the agent"`
}

type messageTriggerOutput struct {
	Payload   core.Pin[map[string]any] `json:"payload" doc:"The update as Telegram sent it"`
	ChatID    core.Pin[int]            `json:"chat_id" doc:"Id of the chat, to answer in"`
	MessageID core.Pin[int]            `json:"message_id" doc:"Id of the message in its chat"`
	UserID    core.Pin[int]            `json:"user_id" doc:"Id of who wrote it"`
	Username  core.Pin[string]         `json:"username" doc:"Their user name; may be empty"`
	FirstName core.Pin[string]         `json:"first_name" doc:"Their first name"`
	Event     core.Pin[string]         `json:"event" doc:"What the message is: text, photo, voice, audio, document, video, edited_message or other"`
	Text      core.Pin[string]         `json:"text" doc:"Text of the message"`
	PhotoID   core.Pin[string]         `json:"photo_file_id" doc:"Id of the picture in its largest size"`
	VoiceID   core.Pin[string]         `json:"voice_file_id" doc:"Id of the voice message"`
	AudioID   core.Pin[string]         `json:"audio_file_id" doc:"Id of the piece of music"`
	FileID    core.Pin[string]         `json:"file_id" doc:"Id of the file or video"`
	FileName  core.Pin[string]         `json:"file_name" doc:"Name of the file, video or piece of music"`
	Caption   core.Pin[string]         `json:"caption" doc:"Text below a picture, file or recording"`
	IsEdited  core.Pin[bool]           `json:"is_edited" doc:"Whether this is a change to an earlier message"`
}

var messageTrigger = core.NewBlock(core.BlockSpec{
	ID: "4435e4e0-df6e-4301-8f35-ad70b12fc9ec", Name: "TelegramMessageTriggerBlock",
	Description: "Starts the agent when somebody writes to a Telegram bot.",
	Categories:  social,
	Webhook: &core.WebhookConfig{
		Provider: "telegram", Type: hookType, Resource: hookType, EventFilter: "events", EventFormat: "message.{event}",
	},
}, func(_ context.Context, _ *core.Run, in *messageTriggerInput, out *messageTriggerOutput) error {
	out.emit(in.Payload)
	return nil
})

func (o *messageTriggerOutput) emit(update map[string]any) {
	message := member(update, "message")
	_, edited := update["edited_message"]
	if message == nil {
		message = member(update, "edited_message")
	}
	from := member(message, "from")
	o.Payload.Emit(update)
	o.ChatID.Emit(number(member(message, "chat"), "id"))
	o.MessageID.Emit(number(message, "message_id"))
	o.UserID.Emit(number(from, "id"))
	o.Username.Emit(text(from, "username"))
	o.FirstName.Emit(text(from, "first_name"))
	o.IsEdited.Emit(edited)
	c := contentOf(message, edited)
	o.Event.Emit(c.event)
	o.Text.Emit(c.text)
	o.PhotoID.Emit(c.photo)
	o.VoiceID.Emit(c.voice)
	o.AudioID.Emit(c.audio)
	o.FileID.Emit(c.file)
	o.FileName.Emit(c.fileName)
	o.Caption.Emit(c.caption)
}

// content is what a message holds; "" is what it does not.
type content struct {
	event, text, photo, voice, audio, file, fileName, caption string
}

// contentOf reads a message. A new one is of one kind; of an edited one
// everything counts, since any part may be what changed.
func contentOf(message map[string]any, edited bool) content {
	c := content{event: kindOfMessage(message)}
	if edited {
		c.event = "edited_message"
	}
	has := func(kind string) map[string]any {
		if !edited && c.event != kind {
			return nil
		}
		return member(message, kind)
	}
	if edited || c.event == "text" {
		c.text = text(message, "text")
	}
	if edited || c.event == "photo" {
		sizes := list(message, "photo")
		if len(sizes) > 0 {
			largest, _ := sizes[len(sizes)-1].(map[string]any)
			c.photo = text(largest, "file_id")
		}
	}
	document, video, audio := has("document"), has("video"), has("audio")
	c.voice = text(has("voice"), "file_id")
	c.audio = text(audio, "file_id")
	c.file = first(text(document, "file_id"), text(video, "file_id"))
	c.fileName = first(text(document, "file_name"), text(audio, "file_name"))
	if !edited {
		c.fileName = first(c.fileName, text(video, "file_name"))
	}
	if c.event != "text" {
		c.caption = text(message, "caption")
	}
	return c
}

// first gives the first text that is not empty.
func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
