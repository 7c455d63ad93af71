package telegram

import (
	"context"

	"agentserver/core"
)

// messageRef names a message.
type messageRef struct {
	chat
	MessageID int `json:"message_id" doc:"Id of the message in its chat"`
}

type editInput struct {
	access
	messageRef
	Text string `json:"text" doc:"New text of the message, up to 4096 characters"`
	formatted
}

var editMessage = core.NewBlock(core.BlockSpec{
	ID: "c55816a2-37af-4901-ba19-36edcf2acfc1", Name: "EditTelegramMessageBlock",
	Description: "Changes the text of a message that the bot has sent.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *editInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID, "message_id", in.MessageID, "text", in.Text)
	in.setParseMode(p)
	return failed(ctx, "edit message", out.edit(ctx, run, in, p))
})

// edit reports the changed message. Telegram gives it, or just true for those
// that were sent on behalf of a user.
func (o sentOutput) edit(ctx context.Context, run *core.Run, in *editInput, p *core.Object) error {
	bot, err := connect(run, in.Credentials)
	if err != nil {
		return err
	}
	result, err := bot.call(ctx, "editMessageText", p)
	if err != nil {
		return err
	}
	if result == true {
		result = map[string]any{"message_id": in.MessageID}
	}
	return o.emit(result, "Message edited")
}

type deleteInput struct {
	access
	messageRef
}

type deleteOutput struct {
	Status core.Pin[string] `json:"status" doc:"What was done"`
}

var deleteMessage = core.NewBlock(core.BlockSpec{
	ID: "bb4fd91a-883e-4d29-9879-b06c4bb79d30", Name: "DeleteTelegramMessageBlock",
	Description: "Deletes a message that is less than 48 hours old.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *deleteInput, out *deleteOutput) error {
	bot, err := connect(run, in.Credentials)
	if err == nil {
		_, err = bot.call(ctx, "deleteMessage", core.NewObject("chat_id", in.ChatID, "message_id", in.MessageID))
	}
	if err != nil {
		return failed(ctx, "delete message", err)
	}
	out.Status.Emit("Message deleted")
	return nil
})
