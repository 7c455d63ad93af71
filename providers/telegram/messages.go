package telegram

import (
	"context"

	"agentserver/core"
)

// chat is the input of every block that works in a chat.
type chat struct {
	ChatID int `json:"chat_id" doc:"Id of the chat; a trigger gives the one it heard from"`
}

// formatted lets a text have bold words, links and the like.
type formatted struct {
	ParseMode string `json:"parse_mode" default:"none" enum:"none,Markdown,MarkdownV2,HTML" advanced:"true" doc:"How the text is marked up; none leaves it as it is"`
}

// setParseMode adds the member, unless there is nothing to say.
func (f formatted) setParseMode(p *core.Object) {
	if f.ParseMode != "" && f.ParseMode != "none" {
		p.Set("parse_mode", f.ParseMode)
	}
}

// replying makes a message an answer to another.
type replying struct {
	ReplyToMessageID *int `json:"reply_to_message_id" advanced:"true" doc:"Id of a message of the chat that this one answers"`
}

func (r replying) setReply(p *core.Object) { setNumber(p, "reply_to_message_id", r.ReplyToMessageID) }

// setNumber adds a member, unless it is missing or zero.
func setNumber(p *core.Object, name string, n *int) {
	if n != nil && *n != 0 {
		p.Set(name, *n)
	}
}

// setText adds a member, unless it is empty.
func setText(p *core.Object, name, text string) {
	if text != "" {
		p.Set(name, text)
	}
}

type messageInput struct {
	access
	chat
	Text string `json:"text" doc:"Text of the message, up to 4096 characters"`
	formatted
	replying
	Silent bool `json:"disable_notification" default:"false" advanced:"true" doc:"Send it without a sound"`
}

var sendMessage = core.NewBlock(core.BlockSpec{
	ID: "787678ad-1f47-4efc-89df-643f9908621a", Name: "SendTelegramMessageBlock",
	Description: "Sends a message to a Telegram chat.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *messageInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID, "text", in.Text)
	in.setParseMode(p)
	in.setReply(p)
	if in.Silent {
		p.Set("disable_notification", true)
	}
	return failed(ctx, "send message", out.deliver(ctx, run, in.Credentials, "sendMessage", p, "Message sent"))
})

// deliver calls a method that gives a message, and reports the message.
func (o sentOutput) deliver(ctx context.Context, run *core.Run, c core.APIKey, method string, p *core.Object, status string) error {
	bot, err := connect(run, c)
	if err != nil {
		return err
	}
	result, err := bot.call(ctx, method, p)
	if err != nil {
		return err
	}
	return o.emit(result, status)
}

type replyInput struct {
	access
	chat
	ReplyToMessageID int    `json:"reply_to_message_id" doc:"Id of the message to answer"`
	Text             string `json:"text" doc:"Text of the answer, up to 4096 characters"`
	formatted
}

var replyToMessage = core.NewBlock(core.BlockSpec{
	ID: "c2b1c976-844f-4b6c-ab21-4973d2ceab15", Name: "ReplyToTelegramMessageBlock",
	Description: "Answers a message in a Telegram chat.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *replyInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID, "text", in.Text, "reply_to_message_id", in.ReplyToMessageID)
	in.setParseMode(p)
	return failed(ctx, "send reply", out.deliver(ctx, run, in.Credentials, "sendMessage", p, "Reply sent"))
})
